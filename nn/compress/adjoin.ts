import { curable, cure } from "../../data/cure.ts";
import {
  channelsOf,
  type Conv2dLayer,
  IMAGE,
  type Layer,
  type Network,
  type Value,
} from "../network.ts";

/** How the small network is cut out of the base network. */
export interface AdjoinOptions {
  /** The compression factor alpha: a masked convolution keeps `floor(out / compression)` filters. */
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
    if (layer.kind === "conv2d" && layer.stage === undefined) {
      throw new TypeError(
        `Cannot adjoin: wanted stages to count from, found convolution ${layer.name} without ` +
          `one; pass maskFrom as a function of the convolution`,
      );
    }
  }
  if (!Number.isInteger(from) || from < 1) {
    throw new RangeError(`Cannot adjoin: maskFrom is a stage from 1 on, found ${from}`);
  }
  return ({ stage }) => stage !== undefined && stage >= from;
}

function tapsOf(
  layer: Conv2dLayer,
  { maskingFactor: factor = 0, keptTaps, random }: AdjoinOptions,
): readonly boolean[] {
  const taps = layer.kernel ** 2;
  const saved = keptTaps?.[layer.name];
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
  const keep = widths?.[layer.name] ?? Math.floor(layer.out / compression);
  if (!Number.isInteger(keep) || keep < 1 || keep > layer.out) {
    if (widths?.[layer.name] === undefined) {
      throw curable(
        RangeError,
        `Cannot adjoin: compression ${compression} leaves no channel of ${layer.name}, which has ` +
          `${layer.out}`,
        cure`lower ${{ option: "compression" }} to at most ${layer.out}`,
      );
    }
    throw new RangeError(
      `Cannot adjoin: the width of ${layer.name} is from 1 to ${layer.out}, found ${keep}`,
    );
  }
  return keep;
}

/** The prefix of what the small network has to itself, its norms. */
export const SMALL = "small.";

function nameOf(layer: Layer): string {
  return "name" in layer ? layer.name : "";
}

/** Raises a `RangeError` where an option names something that is not masked. */
function checkNames(
  network: Network,
  masked: readonly string[],
  options: Pick<AdjoinOptions, "widths" | "keptTaps">,
): void {
  for (const option of ["widths", "keptTaps"] as const) {
    const name = Object.keys(options[option] ?? {}).find((name) => !masked.includes(name));
    if (name === undefined) continue;
    const found = `Cannot adjoin: ${option} name ${name}, which is`;
    if (!network.layers.some((layer) => nameOf(layer) === name)) {
      throw new RangeError(`${found} no layer of the network`);
    }
    throw curable(
      RangeError,
      `${found} not masked`,
      cure`lower ${{ option: "maskFrom" }}`,
      cure`leave it out`,
    );
  }
}

function checkOptions(
  network: Network,
  { compression, maskingFactor = 0 }: AdjoinOptions,
): void {
  if (!(Number.isFinite(compression) && compression >= 1)) {
    throw new RangeError(`Cannot adjoin: compression is a number from 1 on, found ${compression}`);
  }
  if (!(maskingFactor >= 0 && maskingFactor < 1)) {
    throw new RangeError(
      `Cannot adjoin: maskingFactor is at least 0 and below 1, found ${maskingFactor}`,
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
  readonly channels: number[] = [];
  /** By layer of the base network: the value that stands for it. */
  readonly values: Value[] = [];
  readonly #image: number;

  constructor(image: number) {
    this.#image = image;
  }

  width(value: Value): number {
    return value === IMAGE ? this.#image : this.channels[value];
  }

  at(value: Value): Value {
    return value === IMAGE ? IMAGE : this.values[value];
  }

  add(layer: Layer, channels: number, origin: number): Value {
    this.layers.push(layer);
    this.channels.push(channels);
    this.origin.push(origin);
    return this.layers.length - 1;
  }

  /** The summands of a sum, cut to the narrower of the two. */
  summands(a: Value, b: Value): [Value, Value] {
    const channels = Math.min(this.width(a), this.width(b));
    const cut = (x: Value): Value =>
      this.width(x) === channels
        ? x
        : this.add({ kind: "narrow", inputs: [x], channels }, channels, -1);
    return [cut(a), cut(b)];
  }
}

/**
 * Adjoins a compressed twin to a network made of the layers of {@link NetworkBuilder}. Where a sum
 * has summands of different widths, the wider is cut to its first channels. Raises a `RangeError`
 * for a compression that leaves no channel.
 */
export function adjoin(network: Network, options: AdjoinOptions): Adjoined {
  checkOptions(network, options);
  const { trunk = "shared" } = options;
  const isMasked = maskRule(network, options.maskFrom);
  const small = new SmallBuilder(network.channels);
  const shared: boolean[] = [];
  const masked: string[] = [];
  network.layers.forEach((layer, i) => {
    const inputs = layer.inputs.map((value) => small.at(value));
    const mask = layer.kind === "conv2d" && isMasked(layer);
    shared.push(
      trunk === "shared" && !mask && layer.inputs.every((v) => v === IMAGE || shared[v]) &&
        layer.kind !== "linear",
    );
    if (mask) masked.push(layer.name);
    const width = small.width(inputs[0]);
    const put = (made: Layer, channels: number): void => {
      small.values[i] = small.add(made, channels, i);
    };
    if (layer.kind === "conv2d") {
      const out = mask ? keptFilters(layer, options) : layer.out;
      const taps = mask ? tapsOf(layer, options) : [];
      const sparse = taps.includes(false) ? { keptTaps: taps } : {};
      put({ ...layer, inputs: [inputs[0]], in: width, out, ...sparse }, out);
    } else if (layer.kind === "linear") {
      put({ ...layer, inputs: [inputs[0]], in: width }, layer.out);
    } else if (layer.kind === "add") {
      const summands = small.summands(inputs[0], inputs[1]);
      put({ ...layer, inputs: summands }, small.width(summands[0]));
    } else if (layer.kind === "narrow") {
      const channels = Math.min(layer.channels, width);
      put({ ...layer, inputs: [inputs[0]], channels }, channels);
    } else put({ ...layer, inputs: [inputs[0]] }, width);
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
  const channels = channelsOf(small);
  const names = new Set(masked);
  return Object.fromEntries(
    small.layers.flatMap((layer, i) =>
      layer.kind === "conv2d" && names.has(layer.name) ? [[layer.name, channels[i]]] : []
    ),
  );
}
