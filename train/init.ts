import { curable, cure } from "../data/cure.ts";
import { DataError } from "../data/error.ts";
import { printable } from "../data/printable.ts";
import { abridged } from "../data/words.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import { isEqual, shapeText, torchShape } from "../nn/layout.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import {
  fitPretrained,
  type Pretrained,
  type TorchTensors,
  withOwnNames,
} from "../nn/pretrained.ts";
import { cutPretrained, withSmallNorms } from "../nn/compress/pretrained_small.ts";
import { DEFAULT_VARIANTS, torchvisionNames, type Variant } from "../nn/families/mod.ts";
import { classifiersOf } from "../nn/classifiers.ts";
import { nameOf, networkSpecs } from "../nn/state.ts";
import { isSmallName, isWhich } from "../nn/which.ts";
import { wrongValue } from "../nn/wrong_value.ts";
import { isWhole } from "./effect.ts";
import { UsageError } from "./errors.ts";
import { type Given, metadataJson } from "./given.ts";
import type { Objective } from "./objective.ts";
import type { TrainOptions } from "./types.ts";

/** What a run starts from instead of what is drawn, and what to tell of it. */
export interface Start {
  /** Values that replace the drawn ones of these names. */
  readonly state: State;
  /** Whether a small network is cut out of what was found for a base network. */
  readonly isCut: boolean;
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

function told({ name, reason }: { name: string; reason: string }): string {
  return `${printable(name)} (${reason})`;
}

/** Which network a file says that it has. */
function whichOf(given: Given): unknown {
  // As files had it before they had the network itself.
  const named = metadataJson(given, "architecture");
  const { which } = typeof named === "object" && named !== null && "which" in named ? named : {};
  return Object.hasOwn(given.metadata, "which") ? given.metadata.which : which;
}

function refuseOther(given: Given, options: TrainOptions, small: boolean): void {
  const variant = options.variant ?? DEFAULT_VARIANTS[options.model];
  const [own, name] = variantOf(given.tensors) ?? [variant];
  // Models without variants name other layers as shortcuts are named.
  if (variant !== undefined && own !== variant) {
    throw curable(
      UsageError,
      `Cannot start from ${given.file} as ${variant}: wanted its shortcuts, found ` +
        `${printable(name ?? "none")}, as in ${own}`,
      cure`pass ${{ option: "variant" }} ${own}`,
    );
  }
  if (isSmallName(whichOf(given)) && !small) {
    throw curable(
      UsageError,
      `Cannot start from ${given.file}: wanted weights of the base network, found those of a ` +
        `small one`,
      cure`pass base.safetensors`,
      cure`train it with ${{ option: "mode" }} plain ${{ option: "which" }} small`,
    );
  }
}

function convolutions({ state }: Pretrained, { tensors }: Given): number {
  return [...state.keys()].filter((name) => tensors.get(name)?.shape.length === 4).length;
}

/**
 * Shapes of a network's convolutions in PyTorch's layout, by the names of their weights; but for
 * those that make the classes, of which there may be another number.
 */
function filterShapes(network: Network): Map<string, number[]> {
  const { parameters } = networkSpecs(network);
  const classes = new Set([...classifiersOf(network)].map((layer) => `${nameOf(layer)}.weight`));
  return new Map(
    parameters.filter(({ name, shape }) => shape.length === 4 && !classes.has(name))
      .map(({ name, shape }) => [name, torchShape(shape)]),
  );
}

/** Whether a file says that it has a small network, or its convolutions do. */
export function isSmall(given: Given, { base, small }: Adjoined): boolean {
  const which = whichOf(given);
  if (isWhich(which)) return which !== "base";
  const cut = filterShapes(small);
  const narrowed = [...filterShapes(base)].filter(([name, whole]) =>
    given.tensors.has(name) && !isEqual(cut.get(name) ?? whole, whole)
  );
  return narrowed.length > 0 && narrowed.every(([name, whole]) => {
    const found = given.tensors.get(name)?.shape ?? [];
    return found.length === 4 && !isEqual(found, whole) && found.every((n, i) => n <= whole[i]);
  });
}

/** Refuses a small network of other widths: what is left of it would be too little to start from. */
function refuseOtherWidths(given: Given, options: TrainOptions, { base, small }: Adjoined): void {
  const whole = filterShapes(base);
  // The first convolution goes by the channels of the images.
  for (const [name, wanted] of [...filterShapes(small)].slice(1)) {
    const found = given.tensors.get(name)?.shape;
    const own = whole.get(name);
    if (!found || !own || isEqual(found, wanted)) continue;
    // Those of another model are no matter of widths.
    if (found.length !== 4 || found.some((n, i) => n > own[i] || (i > 1 && n !== own[i]))) continue;
    const { compression, widths } = options;
    throw curable(
      UsageError,
      `Cannot start from ${given.file} as the small network of ` +
        `${widths ? "the widths" : `compression ${compression}`}: wanted ${name} of ` +
        `${shapeText(wanted)}, found ${shapeText(found)}`,
      cure`pass the ${{ option: "compression" }} or ${{ option: "widths" }} of its run`,
      cure`base.safetensors`,
    );
  }
}

/** Raises an error that says why no convolution fits. */
function refuseAll(given: Given, { model, variant }: TrainOptions, network: Network): never {
  const what = variant === undefined ? model : `${variant} ${model}`;
  const filters = filterShapes(network);
  const others = given.others.filter(({ name }) => filters.has(name));
  if (others.length) {
    const found = abridged(others.map(told), 1);
    throw new DataError(
      `Cannot start from ${given.file}: no convolution has floats, found ${found}; write the weights ` +
        `as F32, F16 or BF16`,
    );
  }
  const [[wanted, shape]] = filters;
  const found = [...given.tensors].slice(0, 3).map(([name, { shape }]) =>
    `${printable(name)} of ${shapeText(shape)}`
  );
  const [name, own] = [{ option: "model" }, { option: "variant" }];
  throw curable(
    UsageError,
    `Cannot start from ${given.file} as ${what}: no convolution fits, wanted ` +
      `${wanted} of ${shapeText(shape)} and so on, found ${found.join(", ") || "none"}`,
    variant === undefined
      ? cure`pass the ${name} of the weights`
      : cure`pass the ${name} and ${own} of the weights`,
  );
}

/**
 * What a run starts from. Where names or shapes are not those of what is trained, drawn values
 * stay. Raises a {@link UsageError} for weights of the other variant, of a small network where a
 * base is trained, of a small network of other widths, or of which no convolution fits; a
 * {@link DataError} for what is no number, variances below 0, and weights that are no floats.
 */
export function startFrom(
  file: Given,
  options: TrainOptions,
  { objective, pairs }: {
    readonly objective: Objective;
    /** Those of the run, of which the first has the small network that is trained alone. */
    readonly pairs: readonly Adjoined[];
  },
): Start {
  const [adjoined] = pairs;
  const foreign = torchvisionNames(options.model);
  const tensors = foreign && withOwnNames(adjoined.base, file.tensors, foreign);
  const given = tensors ? { ...file, tensors } : file;
  const small = "which" in objective && objective.which === "small";
  refuseOther(given, options, small);
  const holdsSmall = small && isSmall(given, adjoined);
  if (holdsSmall) refuseOtherWidths(given, options, adjoined);
  const network = holdsSmall ? adjoined.small : adjoined.base;
  const fitting = fitPretrained(network, given.tensors);
  const found = small && !holdsSmall ? cutPretrained(adjoined, fitting) : fitting;
  if (convolutions(found, given) === 0) refuseAll(given, options, network);
  for (const [name, values] of found.state) {
    const wrong = wrongValue(name, values);
    if (!wrong) continue;
    throw new DataError(
      `Cannot start from ${given.file}: wanted ${wrong.wanted}, found ` +
        `${wrong.found} in ${name}; take other weights`,
    );
  }
  const unused = [...found.unused, ...given.others];
  const used = found.state.size;
  const left = [
    ...unused.length ? [`not used: ${abridged(unused.map(told), NAMES)}`] : [],
    ...found.fresh.length ? [`drawn afresh: ${abridged(found.fresh, NAMES)}`] : [],
  ];
  return {
    state: objective.mode === "adjoined"
      ? pairs.reduce((of, pair) => withSmallNorms(pair, of), found).state
      : found.state,
    isCut: (objective.mode === "adjoined" || (small && !holdsSmall)) && !pairs.every(isWhole),
    notes: [
      `starts from ${used} of the ${used + unused.length} tensors of ${given.file}`,
      ...given.notes,
      ...left.length ? [left.join("; ")] : [],
    ],
  };
}
