import { curable, cure } from "../../data/cure.ts";
import { printable, printableJson } from "../../data/printable.ts";
import { type Conv2dLayer, isConv2d } from "../layers/conv2d.ts";
import type { LayerKind, SmallLayer } from "../layers/layer.ts";
import { kindOf, type Layer } from "../layers/mod.ts";
import { narrowTo } from "../layers/narrow.ts";
import { channelsOf, IMAGE, layerTitle, type Network, type Value } from "../network.ts";
import { checkChoice, checkOptionNames } from "../options.ts";
import { nameOf, SMALL } from "../state.ts";

/** The options of {@link adjoin}. */
export interface AdjoinOptions {
  /**
   * The compression factor alpha: a masked convolution keeps `floor(out / compression)` filters.
   */
  readonly compression: number;
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
  /** Filters to keep, by convolution; overrides `compression` for those it names. */
  readonly widths?: Readonly<Record<string, number>>;
  /** Spatial masks by convolution, as saved; overrides `maskingFactor` for those it names. */
  readonly keptTaps?: Readonly<Record<string, readonly boolean[]>>;
}

/**
 * A network and its compressed twin on one set of weights (arXiv 2006.05624). The small network is
 * a network like any other, with as many channels as are kept; its convolutions use the prefix
 * slices of the base network's weights.
 */
export interface Adjoined {
  /** The whole network, as it was given. */
  readonly base: Network;
  /** Its compressed twin, with as many channels as are kept. */
  readonly small: Network;
  /** Whether layers before the first masked one run once, or for each network. */
  readonly trunk: "shared" | "separate";
  /** By layer of `base`: whether it runs once for both networks. */
  readonly shared: readonly boolean[];
  /** By layer of `small`: the layer of `base` that it stands for, or -1 for an inserted narrow. */
  readonly origin: readonly number[];
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
  const taps = layer.kernel ** 2;
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

function keptFilters(layer: Conv2dLayer, { compression, widths }: AdjoinOptions): number {
  const width = own(widths, layer.name);
  const keep = width ?? Math.floor(layer.out / compression);
  if (!Number.isInteger(keep) || keep < 1 || keep > layer.out) {
    if (width === undefined) {
      throw curable(
        RangeError,
        `Cannot adjoin: compression ${compression} leaves no channel of ${layer.name}, which has ` +
          `${layer.out}`,
        cure`lower ${{ option: "compression" }} to at most ${layer.out}`,
      );
    }
    throw new RangeError(
      `Cannot adjoin: the width of ${layer.name} is from 1 to ${layer.out}, found ` +
        printableJson(keep),
    );
  }
  return keep;
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
  const taken = network.layers.map(nameOf).find((name) => name.startsWith(SMALL));
  if (taken !== undefined) {
    throw new RangeError(
      `Cannot adjoin: names in ${SMALL} are the small network's, found ${taken}; rename the layer`,
    );
  }
}

/** The small network, layer by layer. */
class SmallBuilder {
  readonly layers: Layer[] = [];
  readonly origin: number[] = [];
  readonly #channels: number[] = [];
  /** By layer of the base network: the value that stands for it. */
  readonly #values: Value[] = [];
  readonly #base: Network;
  readonly #baseChannels: readonly number[];

  constructor(base: Network) {
    this.#base = base;
    this.#baseChannels = channelsOf(base);
  }

  #width(value: Value): number {
    return value === IMAGE ? this.#base.channels : this.#channels[value];
  }

  #add(layer: Layer, origin: number): Value {
    const widths = layer.inputs.map((v) => this.#width(v));
    this.layers.push(layer);
    this.#channels.push(kindOf(layer).width?.(layer, widths) ?? widths[0]);
    this.origin.push(origin);
    return this.layers.length - 1;
  }

  /** Tied values, each cut to the narrowest. */
  #cut(values: readonly Value[]): Value[] {
    const channels = Math.min(...values.map((v) => this.#width(v)));
    return values.map((v) =>
      this.#width(v) === channels ? v : this.#add(narrowTo(v, channels), -1)
    );
  }

  /** Raises a `RangeError` where what is kept of a joined value would be no prefix. */
  #checkJoined(layer: Layer, i: number, inputs: readonly Value[]): void {
    const isNarrower = (v: Value, n: number): boolean => {
      const from = layer.inputs[n];
      return from !== IMAGE && this.#width(v) !== this.#baseChannels[from];
    };
    if (!inputs.some(isNarrower)) return;
    throw new RangeError(
      `Cannot adjoin: wanted whole inputs of layer ${i} (${
        layerTitle(layer)
      }), found one of which ` +
        `a masked convolution leaves a part; mask none before it, as with a maskFrom behind it`,
    );
  }

  /** Adds what stands for layer `i` of the base network. */
  stand(i: number, mask: SmallLayer["mask"]): void {
    const layer = this.#base.layers[i];
    const kind = kindOf(layer);
    const all = layer.inputs.map((v) => v === IMAGE ? IMAGE : this.#values[v]);
    const inputs = kind.channels === "tied" ? this.#cut(all) : all;
    if (kind.channels === "joined") this.#checkJoined(layer, i, inputs);
    const widths = inputs.map((v) => this.#width(v));
    this.#values[i] = this.#add(narrowed(kind, layer, { inputs, widths, mask }), i);
  }
}

/** A layer as the small network has it. */
function narrowed(kind: LayerKind, layer: Layer, small: SmallLayer): Layer {
  // Kinds give layers of their own kind.
  return (kind.narrowed?.(layer, small) ?? { ...layer, inputs: small.inputs }) as Layer;
}

/** The filters and taps that are kept of a masked convolution. */
function maskOf(layer: Conv2dLayer, options: AdjoinOptions): SmallLayer["mask"] {
  const keptTaps = tapsOf(layer, options);
  return { out: keptFilters(layer, options), ...keptTaps.includes(false) ? { keptTaps } : {} };
}

/**
 * Adjoins a compressed twin to a network made of the layers of {@link NetworkBuilder}. Where a sum
 * has summands of different widths, the wider is cut to its first channels. Raises a `RangeError`
 * for a compression that leaves no channel, and for a masked convolution whose value is
 * concatenated; a `TypeError` for options that there are not.
 */
export function adjoin(network: Network, options: AdjoinOptions): Adjoined {
  checkOptions(network, options);
  const { trunk = "shared" } = options;
  const isMasked = maskRule(network, options.maskFrom);
  const small = new SmallBuilder(network);
  const shared: boolean[] = [];
  const masked: string[] = [];
  network.layers.forEach((layer, i) => {
    const mask = isConv2d(layer) && isMasked(layer) ? maskOf(layer, options) : undefined;
    shared.push(
      trunk === "shared" && !mask && layer.inputs.every((v) => v === IMAGE || shared[v]) &&
        kindOf(layer).shareable !== false,
    );
    if (mask) masked.push(nameOf(layer));
    small.stand(i, mask);
  });
  if (!masked.length) {
    throw curable(
      RangeError,
      "Cannot adjoin: no convolution is masked",
      cure`lower ${{ option: "maskFrom" }}`,
    );
  }
  checkNames(network, masked, options);
  return {
    base: network,
    small: { channels: network.channels, layers: small.layers },
    trunk,
    shared,
    origin: small.origin,
    masked,
  };
}

/** Filters kept of each masked convolution. */
export function widthsOf({ small, masked }: Adjoined): Record<string, number> {
  const names = new Set(masked);
  return Object.fromEntries(
    small.layers.filter(isConv2d)
      .flatMap(({ name, out }) => names.has(name) ? [[name, out]] : []),
  );
}
