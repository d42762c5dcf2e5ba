import { curable, cure } from "../../data/cure.ts";
import { range } from "../../kernels/wgsl/blocked.ts";
import { isConv2d } from "../layers/conv2d.ts";
import { kindOf, type Layer } from "../layers/mod.ts";
import type { Network } from "../network.ts";
import type { State } from "../parameters.ts";
import { nameOf, valueOf } from "../state.ts";
import { adjoin, type Adjoined, widthsOf } from "./adjoin.ts";
import {
  type ChannelClasses,
  channelClasses,
  channelGroups,
  classShapes,
  FIXED,
} from "./channel_classes.ts";

/** Orders of the filters of a network before it is cut; see {@link ScoredBy}. */
export const IMPORTANCES = ["first", "l1", "l2", "norm", "taylor"] as const;

/** One of {@link IMPORTANCES}. */
export type Importance = typeof IMPORTANCES[number];

/**
 * What filters are scored by. Channels that go together have one score, over all that makes them:
 *
 * - `l1`, `l2`: the norms of the filters that make them, those of each convolution over their mean, as
 *   a norm behind a convolution makes its scale nothing.
 * - `norm`: Σ |scale| over the norms of their values, which alike go into sums; `l2` for those that no
 *   norm scales, as within gates.
 * - `taylor`: |Σ w · dw|, by how much the loss changes, to first order, where they are nothing. w are
 *   scale and shift of the norm behind a convolution, or its own weights where there is none.
 */
export interface ScoredBy {
  /** All but `first`, which needs no scores. */
  readonly importance: Exclude<Importance, "first">;
  /** Weights of the base network. */
  readonly state: State;
  /** Their gradients over a batch, by running statistics; for `taylor`. */
  readonly gradients?: State;
}

/** The classes of a pair's channels: which go together. */
export function pairClasses({ base, masked }: Adjoined): ChannelClasses {
  const names = new Set(masked);
  return channelClasses(base, ({ name }) => names.has(name));
}

/** Adds a number of each channel of a value to that of its class. */
function addTo(
  sums: Float64Array,
  value: readonly number[],
  of: (channel: number) => number,
): void {
  value.forEach((found, c) => {
    if (found !== FIXED) sums[found] += of(c);
  });
}

/** By filter: its L1 or L2 norm over the mean of all; the last axis of a weight is that of filters. */
function magnitudes(weight: Float32Array, out: number, squared: boolean): Float64Array {
  const sums = new Float64Array(out);
  weight.forEach((w, i) => sums[i % out] += squared ? w * w : Math.abs(w));
  const norms = squared ? sums.map(Math.sqrt) : sums;
  const mean = norms.reduce((sum, norm) => sum + norm, 0) / out;
  return mean > 0 ? norms.map((norm) => norm / mean) : norms;
}

/** Layers that scale each channel, as norms do. */
function isNorm(layer: Layer): boolean {
  return kindOf(layer).perNetwork === true;
}

/** By layer: the norm that alone takes its value, if one does. */
function normsBehind({ layers }: Network): (Layer | undefined)[] {
  return layers.map((_, i) => {
    const [only, ...others] = layers.filter(({ inputs }) => inputs.some((value) => value === i));
    return only && !others.length && isNorm(only) ? only : undefined;
  });
}

/** By class: |Σ w · dw|; see {@link ScoredBy}. */
function changes(
  network: Network,
  { values, count }: ChannelClasses,
  { state, gradients }: { readonly state: State; readonly gradients: State },
): Float64Array {
  const sums = new Float64Array(count);
  const norms = normsBehind(network);
  network.layers.forEach((layer, i) => {
    if (!isConv2d(layer)) return;
    const products = new Float64Array(layer.out);
    for (const part of ["weight", "bias"]) {
      const name = `${nameOf(norms[i] ?? layer)}.${part}`;
      const [w, dw] = [state.get(name), gradients.get(name)];
      if (w && dw) w.forEach((value, k) => products[k % layer.out] += value * dw[k]);
    }
    addTo(sums, values[i], (c) => products[c]);
  });
  return sums.map(Math.abs);
}

/**
 * Scores of the channels of a pair that masked convolutions make, a number for each set of them that
 * go together: the higher, the more they matter. Raises a `RangeError` for `norm` where no norm
 * scales any of them, and a `TypeError` for `taylor` without gradients.
 */
export function filterScores(
  adjoined: Adjoined,
  { importance, state, gradients }: ScoredBy,
): Float64Array {
  const { base: network } = adjoined;
  const classes = pairClasses(adjoined);
  const { values, count } = classes;
  if (importance === "taylor") {
    if (!gradients) throw new TypeError("Cannot score filters by taylor: wanted gradients");
    return changes(network, classes, { state, gradients });
  }
  const magnitude = new Float64Array(count);
  const scale = new Float64Array(count);
  const norms = new Float64Array(count);
  network.layers.forEach((layer, i) => {
    const weight = (): Float32Array => valueOf(state, `${nameOf(layer)}.weight`);
    if (isConv2d(layer)) {
      const sizes = magnitudes(weight(), layer.out, importance !== "l1");
      addTo(magnitude, values[i], (c) => sizes[c]);
    } else if (importance === "norm" && isNorm(layer)) {
      const scales = weight();
      addTo(scale, values[i], (c) => Math.abs(scales[c]));
      addTo(norms, values[i], () => 1);
    }
  });
  if (importance !== "norm") return magnitude;
  if (norms.some((found) => found > 0)) {
    return scale.map((found, c) => norms[c] > 0 ? found : magnitude[c]);
  }
  throw curable(
    RangeError,
    "Cannot order filters by their norms: no norm follows any of the masked convolutions",
    cure`choose another ${{ option: "importance" }}`,
  );
}

/**
 * By class: the one that is in its place when those of each group are put in the order of their
 * scores, the highest first, and the first one first of equal ones. Classes change places only where
 * they have as many channels of all values.
 */
export function classOrder(
  network: Network,
  classes: ChannelClasses,
  scores: Float64Array,
): Int32Array {
  const order = Int32Array.from(range(classes.count));
  const shapes = classShapes(classes);
  for (const group of channelGroups(network, classes)) {
    for (const shape of new Set(group.classes.map((found) => shapes[found]))) {
      const alike = group.classes.filter((found) => shapes[found] === shape);
      alike.toSorted((a, b) => scores[b] - scores[a] || a - b)
        .forEach((found, k) => order[alike[k]] = found);
    }
  }
  return order;
}

/**
 * The filters that matter most by the scores of {@link filterScores}, of each group of filters that go
 * together as many as a pair keeps, so that the small network costs the same. By convolution, in
 * ascending order.
 */
export function importantFilters(
  adjoined: Adjoined,
  scores: Float64Array,
): Record<string, number[]> {
  const { base: { layers } } = adjoined;
  const classes = pairClasses(adjoined);
  const order = classOrder(adjoined.base, classes, scores);
  const widths = widthsOf(adjoined);
  return Object.fromEntries(layers.flatMap((layer, i) => {
    if (!isConv2d(layer) || !Object.hasOwn(widths, layer.name)) return [];
    const width = widths[layer.name];
    const value = classes.values[i];
    // By class: its filters, of which the n-th takes the place of the n-th.
    const filters = new Map<number, number[]>();
    value.forEach((found, o) => filters.set(found, [...filters.get(found) ?? [], o]));
    const kept = (typeof width === "number" ? range(width) : width).map((o) => {
      const nth = filters.get(value[o])?.indexOf(o) ?? 0;
      return filters.get(order[value[o]])?.[nth] ?? o;
    });
    return [[layer.name, kept.sort((a, b) => a - b)]];
  }));
}

/** The pair on the same base network with other filters kept of its masked convolutions. */
export function withFilters(
  { base, small, trunk, masked }: Adjoined,
  widths: Readonly<Record<string, readonly number[]>>,
): Adjoined {
  const names = new Set(masked);
  const keptTaps = Object.fromEntries(
    small.layers.flatMap((layer) =>
      isConv2d(layer) && layer.keptTaps && names.has(layer.name)
        ? [[layer.name, layer.keptTaps]]
        : []
    ),
  );
  const maskFrom = ({ name }: { readonly name: string }): boolean => names.has(name);
  return adjoin(base, { compression: 1, trunk, maskFrom, widths, keptTaps });
}
