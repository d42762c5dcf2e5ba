import { curable, cure } from "../../data/cure.ts";
import { printable, printableJson } from "../../data/printable.ts";
import { range } from "../../kernels/wgsl/blocked.ts";
import { classifiersOf } from "../classifiers.ts";
import { type Conv2dLayer, isConv2d, kernelTaps } from "../layers/conv2d.ts";
import { kindOf, type Layer } from "../layers/mod.ts";
import { channelsOf, IMAGE, type Network } from "../network.ts";
import { checkChoice, checkOptionNames } from "../options.ts";
import { isOwnName, nameOf } from "../state.ts";
import type { SmallName } from "../which.ts";
import { channelClasses } from "./channel_classes.ts";
import { compressedFilters, demandFilters, nothingMasked } from "./compressed_filters.ts";
import { checkRoundTo } from "./rounded_width.ts";
import { smallNames } from "./small_names.ts";
import { isPrefix, type KeptChannels, type Mask, SmallBuilder } from "./small_builder.ts";

/** Filters that are kept, by convolution: the first so many, or those of these indices. */
export type Widths = Readonly<Record<string, number | readonly number[]>>;

/** The options of {@link adjoin}. */
export interface AdjoinOptions {
  /**
   * The compression factor alpha: a masked convolution keeps its first `floor(out / compression)`
   * filters; of filters that go together in blocks, as before grouped convolutions, and of each
   * group of them that others tie, the first so many. What goes together as a whole stays. Where the
   * first leave nothing of a part that is taken by itself, as in ShuffleNet V2, some of each part.
   */
  readonly compression: number;
  /**
   * What the numbers of filters are rounded to multiples of, to the nearest one: at least one
   * multiple, at most all. Default: 1.
   */
  readonly roundTo?: number;
  /**
   * `shared` (default): layers before the first masked one run once, with one set of norms, and
   * feed both networks. `separate`: each network runs them with norms of its own.
   */
  readonly trunk?: "shared" | "separate";
  /**
   * The first stage that is masked, 2 by default: stem and stage 1 are whole in both networks. For
   * networks without stages, says for each convolution whether it is masked.
   */
  readonly maskFrom?: number | ((layer: Conv2dLayer) => boolean);
  /** The part of the taps of each masked k x k kernel that is zeroed, in [0, 1). Default: 0. */
  readonly maskingFactor?: number;
  /** Draws from [0, 1) for the spatial masks; needed when `maskingFactor` is not 0. */
  readonly random?: () => number;
  /**
   * Filters to keep, by convolution: the first so many, or those of these indices; overrides
   * `compression` for those it names.
   */
  readonly widths?: Widths;
  /** Spatial masks by convolution, as saved; overrides `maskingFactor` for those it names. */
  readonly keptTaps?: Readonly<Record<string, readonly boolean[]>>;
}

/** One of several small networks: what of {@link AdjoinOptions} may differ between them. */
export interface SmallOptions extends
  Pick<
    AdjoinOptions,
    | ("compression" | "roundTo" | "maskFrom" | "maskingFactor" | "random")
    | ("widths" | "keptTaps")
  > {
  /**
   * What follows `small-` in its name: letters, digits, `_`, `.` and `-`. Default: its compression,
   * or with `widths` its place, counted from 1.
   */
  readonly name?: string;
}

/** The options of {@link adjoin} for several small networks; those beside `small` are of all. */
export interface SeveralOptions
  extends Pick<AdjoinOptions, "roundTo" | "trunk" | "maskFrom" | "maskingFactor" | "random"> {
  /** The small networks, at least one. */
  readonly small: readonly SmallOptions[];
}

/**
 * A network and its compressed twin on one set of weights (arXiv 2006.05624). The small network is
 * a network like any other, with as many channels as are kept; it uses the slices of the base
 * network's weights that belong to them.
 */
export interface Adjoined {
  /** The name of the small network: `small`, or of one of several `small-2` and so on. */
  readonly which: SmallName;
  /** The whole network, as it was given. */
  readonly base: Network;
  /** Its compressed twin, with as many channels as are kept. */
  readonly small: Network;
  /** Whether layers before the first masked one run once, or for each network. */
  readonly trunk: "shared" | "separate";
  /** By layer of `base`: whether it runs once for both networks. */
  readonly shared: readonly boolean[];
  /** By layer of `small`: the layer of `base` that it stands for, or -1 for one that cuts a value. */
  readonly origin: readonly number[];
  /** By layer of `small`: the channels of `base` that it reads and makes. */
  readonly kept: readonly KeptChannels[];
  /** Names of the masked convolutions. */
  readonly masked: readonly string[];
}

/** Says of each convolution whether it is masked. Raises errors for rules that fit no network. */
export function maskRule(
  network: Network,
  maskFrom: AdjoinOptions["maskFrom"],
): (l: Conv2dLayer) => boolean {
  if (typeof maskFrom === "function") return maskFrom;
  const from = maskFrom ?? 2;
  for (const layer of network.layers) {
    if (isConv2d(layer) && layer.stage === undefined) {
      throw new TypeError(
        `Cannot adjoin: wanted stages to count from, found convolution ${layer.name} without ` +
          `one; pass maskFrom as a function of the convolution`,
      );
    }
  }
  if (!Number.isInteger(from) || from < 1) {
    throw new RangeError(
      `Cannot adjoin: maskFrom is a stage from 1 on, found ${printableJson(from)}`,
    );
  }
  return ({ stage }) => stage !== undefined && stage >= from;
}

/** The value of this name, whatever objects have of themselves (`constructor`). */
function own<T>(values: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return values && Object.hasOwn(values, name) ? values[name] : undefined;
}

function tapsOf(
  layer: Conv2dLayer,
  { maskingFactor: factor = 0, keptTaps, random }: AdjoinOptions,
): readonly boolean[] {
  const taps = kernelTaps(layer);
  const saved = own(keptTaps, layer.name);
  if (saved && saved.length !== taps) {
    throw new RangeError(
      `Cannot adjoin: keptTaps of ${layer.name} are ${taps}, found ${saved.length}`,
    );
  }
  if (saved) return saved;
  const zeroed = Math.floor(taps * factor);
  const kept = Array<boolean>(taps).fill(true);
  if (!zeroed) return kept;
  if (!random) throw new TypeError("Cannot adjoin: maskingFactor needs random to draw masks from");
  const left = kept.map((_, i) => i);
  for (let i = 0; i < zeroed; i++) {
    kept[left.splice(Math.floor(random() * left.length), 1)[0]] = false;
  }
  return kept;
}

/** The filters that the widths name. Raises a `RangeError` for those that the layer does not have. */
function namedFilters(layer: Conv2dLayer, width: number | readonly number[]): readonly number[] {
  const fits = typeof width === "number"
    ? Number.isInteger(width) && width >= 1 && width <= layer.out
    : Array.isArray(width) && width.length > 0 && new Set(width).size === width.length &&
      width.every((c) => Number.isInteger(c) && c >= 0 && c < layer.out);
  if (fits) return typeof width === "number" ? range(width) : width;
  throw new RangeError(
    `Cannot adjoin: the width of ${layer.name} is from 1 to ${layer.out}, or a list of different ` +
      `filters from 0 to ${layer.out - 1}, found ${printableJson(width)}`,
  );
}

/**
 * Raises a `TypeError` for widths that are no object, and a `RangeError` where an option names
 * something that is not masked.
 */
function checkNames(
  network: Network,
  masked: readonly string[],
  options: Pick<AdjoinOptions, "widths" | "keptTaps">,
): void {
  const { widths } = options;
  if (widths !== undefined && (typeof widths !== "object" || !widths || Array.isArray(widths))) {
    throw new TypeError(
      `Cannot adjoin: wanted widths by convolution, as { conv1: 8 }, found ${
        Array.isArray(widths) ? "a list" : widths
      }`,
    );
  }
  for (const option of ["widths", "keptTaps"] as const) {
    const name = Object.keys(options[option] ?? {}).find((name) => !masked.includes(name));
    if (name === undefined) continue;
    const layer = network.layers.find((layer) => nameOf(layer) === name);
    const found = `Cannot adjoin: ${option} name ${printable(name)}, which is`;
    if (!layer) throw new RangeError(`${found} no layer of the network`);
    if (!isConv2d(layer)) {
      throw new RangeError(`${found} a ${layer.kind}; wanted convolutions, which alone are masked`);
    }
    if (classifiersOf(network).has(layer)) {
      throw new RangeError(`${found} what makes the classes, all of which are kept; leave it out`);
    }
    throw curable(
      RangeError,
      `${found} not masked`,
      cure`lower ${{ option: "maskFrom" }}`,
      cure`leave it out`,
    );
  }
}

const OPTIONS: Readonly<Record<keyof AdjoinOptions, true>> = {
  compression: true,
  roundTo: true,
  trunk: true,
  maskFrom: true,
  maskingFactor: true,
  random: true,
  widths: true,
  keptTaps: true,
};

function checkOptions(network: Network, options: AdjoinOptions): void {
  checkOptionNames("adjoin", options, Object.keys(OPTIONS));
  const { compression, trunk, maskingFactor = 0 } = options;
  checkChoice("adjoin", "trunk", trunk, ["shared", "separate"]);
  if (!(Number.isFinite(compression) && compression >= 1)) {
    throw new RangeError(
      `Cannot adjoin: compression is a number from 1 on, found ${printableJson(compression)}`,
    );
  }
  if (!(maskingFactor >= 0 && maskingFactor < 1)) {
    throw new RangeError(
      `Cannot adjoin: maskingFactor is at least 0 and below 1, found ${
        printableJson(maskingFactor)
      }`,
    );
  }
  checkRoundTo("adjoin", options.roundTo);
  const taken = network.layers.map(nameOf).find(isOwnName);
  if (taken !== undefined) {
    throw new RangeError(
      `Cannot adjoin: names that begin with small. or small- are those of small networks, found ` +
        `${printable(taken)}; rename the layer`,
    );
  }
}

/**
 * Adjoins several small networks to one base network: a pair for each, named `small-2`, `small-4` and
 * so on, or `small` where there is one alone. All use the weights of the base network, each with norms
 * of its own. Raises errors as for one, and a `RangeError` for two of one name.
 */
export function adjoin(network: Network, options: SeveralOptions): readonly Adjoined[];
/**
 * Adjoins a compressed twin to a network made of the layers of {@link NetworkBuilder}. Where values
 * that are added or multiplied have kept different channels, both are cut to those that they have in
 * common; grouped convolutions keep whole groups. Raises a `RangeError` for a compression that leaves
 * no channel of a layer, and a `TypeError` for options that there are not.
 */
export function adjoin(network: Network, options: AdjoinOptions): Adjoined;
export function adjoin(
  network: Network,
  options: AdjoinOptions | SeveralOptions,
): Adjoined | readonly Adjoined[] {
  return "small" in options ? adjoinSeveral(network, options) : adjoinOne(network, options);
}

function adjoinOne(
  network: Network,
  options: AdjoinOptions,
  which: SmallName = "small",
): Adjoined {
  checkOptions(network, options);
  const { trunk = "shared", compression, widths } = options;
  const isMasked = maskRule(network, options.maskFrom);
  const classes = channelClasses(network, isMasked);
  const { masked } = classes;
  if (!masked.length) throw nothingMasked("adjoin", network, isMasked);
  checkNames(network, masked, options);
  const all = masked.every((name) => own(widths, name) !== undefined);
  const compressed = all ? {} : compressedFilters(network, classes, options);
  const maskOf = (layer: Layer): Mask | undefined => {
    if (!isConv2d(layer) || !masked.includes(layer.name)) return;
    const width = own(widths, layer.name);
    const filters = width === undefined ? compressed[layer.name] : namedFilters(layer, width);
    demandFilters(network, layer, filters, { classes, compression });
    const keptTaps = tapsOf(layer, options);
    return { filters, ...keptTaps.includes(false) ? { keptTaps } : {} };
  };
  const small = new SmallBuilder(network, channelsOf(network));
  const shared: boolean[] = [];
  network.layers.forEach((layer, i) => {
    const mask = maskOf(layer);
    shared.push(
      trunk === "shared" && !mask && layer.inputs.every((v) => v === IMAGE || shared[v]) &&
        kindOf(layer).shareable !== false,
    );
    small.stand(i, mask);
  });
  return {
    which,
    base: network,
    small: { channels: network.channels, layers: small.layers },
    trunk,
    shared,
    origin: small.origin,
    kept: small.kept,
    masked,
  };
}

const SEVERAL: Readonly<Record<keyof SeveralOptions, true>> = {
  ...{ small: true, roundTo: true, trunk: true, maskFrom: true, maskingFactor: true },
  random: true,
};

function adjoinSeveral(network: Network, options: SeveralOptions): readonly Adjoined[] {
  checkOptionNames("adjoin", options, Object.keys(SEVERAL));
  const { small, ...common } = options;
  const names = smallNames(small);
  return small.map(({ name: _, ...own }, i) => adjoinOne(network, { ...common, ...own }, names[i]));
}

/** Filters kept of each masked convolution: how many, where they are the first, else which. */
export function widthsOf({ small, masked, kept }: Adjoined): Record<string, number | number[]> {
  const names = new Set(masked);
  return Object.fromEntries(
    small.layers.flatMap((layer, i) =>
      names.has(nameOf(layer))
        ? [[nameOf(layer), isPrefix(kept[i].to) ? kept[i].to.length : [...kept[i].to]]]
        : []
    ),
  );
}
