import { DataError } from "../data/error.ts";
import { abridged } from "../data/words.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import { torchShape } from "../nn/layout.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import {
  cutPretrained,
  fitPretrained,
  type Pretrained,
  type TorchTensors,
  withSmallNorms,
} from "../nn/pretrained.ts";
import type { Variant } from "../nn/resnet.ts";
import { networkSpecs } from "../nn/state.ts";
import { UsageError } from "./errors.ts";
import { type Given, metadataJson } from "./given.ts";
import type { Objective } from "./objective.ts";
import type { TrainOptions } from "./types.ts";

/** What a run starts from instead of what is drawn, and what to tell of it. */
export interface Start {
  /** Values that replace the drawn ones of these names. */
  readonly state: State;
  /** One sentence each. */
  readonly notes: readonly string[];
}

/** How many names a note has at most. */
const NAMES = 6;

/** The variant that shortcuts are named after; nothing where there is none. */
function variantOf(tensors: TorchTensors): [Variant, string] | undefined {
  for (const name of tensors.keys()) {
    if (/\.downsample\.2\./.test(name)) return ["xresnet", name];
  }
  for (const name of tensors.keys()) {
    if (/\.downsample\.0\./.test(name)) return ["torchvision", name];
  }
}

function refuseOther(given: Given, { variant = "xresnet" }: TrainOptions, small: boolean): void {
  const [own, name] = variantOf(given.tensors) ?? [variant];
  if (own !== variant) {
    throw new UsageError(
      `Cannot start from ${given.file} as ${variant}: wanted its shortcuts, found ${name}, as in ` +
        `${own}; pass --variant ${own}`,
    );
  }
  // As files had it before they had the network itself.
  const named = metadataJson(given, "architecture") as { which?: string } | undefined;
  const { which = named?.which } = given.metadata;
  if (which === "small" && !small) {
    throw new UsageError(
      `Cannot start from ${given.file}: wanted weights of the base network, found those of a ` +
        `small one; pass base.safetensors, or train it with --mode plain --which small`,
    );
  }
}

function convolutions({ state }: Pretrained, { tensors }: Given): number {
  return [...state.keys()].filter((name) => tensors.get(name)?.shape.length === 4).length;
}

/** Weights for a small network by itself: those of one, or cut out of a base network's. */
function forSmall(adjoined: Adjoined, given: Given): Pretrained {
  const small = fitPretrained(adjoined.small, given.tensors);
  const base = fitPretrained(adjoined.base, given.tensors);
  return convolutions(small, given) > convolutions(base, given)
    ? small
    : cutPretrained(adjoined, base);
}

function nothingFits(given: Given, { model, variant }: TrainOptions, network: Network): UsageError {
  const [{ name, shape }] = networkSpecs(network).parameters;
  const found = [...given.tensors].slice(0, 3).map(([name, { shape }]) =>
    `${name} of ${shape.join("x")}`
  );
  return new UsageError(
    `Cannot start from ${given.file} as ${variant} ${model}: no convolution fits, wanted ` +
      `${name} of ${torchShape(shape).join("x")} and so on, found ${found.join(", ") || "none"}; ` +
      `pass the --model and --variant of the weights`,
  );
}

/**
 * What a run starts from. Where names or shapes are not those of what is trained, drawn values
 * stay. Raises a {@link UsageError} for weights of the other variant, of a small network where a
 * base is trained, or of which no convolution fits; a {@link DataError} for what is no number.
 */
export function startFrom(
  given: Given,
  options: TrainOptions,
  { objective, adjoined }: { readonly objective: Objective; readonly adjoined: Adjoined },
): Start {
  const small = "which" in objective && objective.which === "small";
  refuseOther(given, options, small);
  const found = small ? forSmall(adjoined, given) : fitPretrained(adjoined.base, given.tensors);
  if (convolutions(found, given) === 0) throw nothingFits(given, options, adjoined.base);
  for (const [name, values] of found.state) {
    if (values.every(Number.isFinite)) continue;
    throw new DataError(
      `Cannot start from ${given.file}: wanted numbers, found ${values.find((v) => v - v !== 0)} ` +
        `in ${name}; take other weights`,
    );
  }
  const unused = [...found.unused, ...given.others];
  const used = found.state.size;
  const left = [
    ...unused.length
      ? [`not used: ${abridged(unused.map(({ name, reason }) => `${name} (${reason})`), NAMES)}`]
      : [],
    ...found.fresh.length ? [`drawn afresh: ${abridged(found.fresh, NAMES)}`] : [],
  ];
  return {
    state: objective.mode === "adjoined" ? withSmallNorms(adjoined, found).state : found.state,
    notes: [
      `starts from ${used} of the ${used + unused.length} tensors of ${given.file}`,
      ...left.length ? [left.join("; ")] : [],
    ],
  };
}
