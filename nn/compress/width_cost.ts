import { count, type ImageSize, sizesOf } from "../count.ts";
import { kindOf } from "../layers/mod.ts";
import { IMAGE, type Network, type Value } from "../network.ts";
import type { Extent, Part } from "./width_extents.ts";
import type { WidthGroups } from "./width_groups.ts";

/** The cost that is limited: multiply-accumulates, or parameters. */
export type Budgeted = "macs" | "params";

/** The cost of a network on one image: all of its parameters, or its multiply-accumulates. */
export function wholeCost(
  network: Network,
  { budgeted, image }: { budgeted: Budgeted; image: ImageSize },
): number {
  return count(network, image)[budgeted];
}

/**
 * The cost of the small network over that of the base, as a polynomial of the gates, n = groups ·
 * candidates of them in row-major order: constant + Σ_i singles_i g_i + Σ_ij pairs_ij g_i g_j.
 */
export interface WidthCost {
  /** The part of the cost that does not depend on the gates. */
  readonly constant: number;
  /** `[n]`. */
  readonly singles: Float64Array;
  /** `[n, n]`, row-major. */
  readonly pairs: Float64Array;
}

/** What costs `factor` times the channels of one value, or times those of two. */
export interface CostTerm {
  /** Parameters, or multiply-accumulates. */
  readonly factor: number;
  /** The values, by layer or {@link IMAGE}. */
  readonly values: readonly Value[];
}

/** The cost of a network, as a sum over its layers, whatever their channels are. */
export function costTerms(
  network: Network,
  { budgeted, image }: { budgeted: Budgeted; image: ImageSize },
): CostTerm[] {
  const sizes = sizesOf(network, image);
  return network.layers.flatMap((layer, i): CostTerm[] => {
    const { pairs, singles, macs = 0 } = kindOf(layer).cost?.(layer) ?? { pairs: 0, singles: 0 };
    const pixels = budgeted === "macs" ? sizes[i].height * sizes[i].width : 1;
    const each = budgeted === "macs" ? macs * pixels : singles;
    return [
      ...pairs ? [{ factor: pairs * pixels, values: [layer.inputs[0], i] }] : [],
      ...each ? [{ factor: each, values: [i] }] : [],
    ];
  });
}

/**
 * The expected cost of the small network: every convolution takes k² · height · width · E[in] ·
 * E[out] multiply-accumulates, with E[channels] = the channels that are always there + Σ_i gate_i ·
 * width_i over the groups of the others, grouped convolutions k² · height · width · in / groups ·
 * E[out], and the classifier E[in] · classes; parameters likewise, norms and biases included.
 */
export function widthCost(
  network: Network,
  groups: WidthGroups,
  { budgeted, image }: { budgeted: Budgeted; image: ImageSize },
): WidthCost {
  const whole = wholeCost(network, { budgeted, image });
  const candidates = groups.divisors.length;
  const n = groups.groups.length * candidates;
  const singles = new Float64Array(n);
  const pairs = new Float64Array(n * n);
  let constant = 0;
  const one: Extent = { whole: 1, parts: [] };
  const ofImage: Extent = { whole: network.channels, parts: [] };
  const of = (value: Value): Extent => value === IMAGE ? ofImage : groups.extents[value];
  const addSingles = (factor: number, parts: readonly Part[]): void => {
    for (const { group, widths } of parts) {
      widths.forEach((width, i) => singles[group * candidates + i] += factor * width);
    }
  };
  for (const { factor, values } of costTerms(network, { budgeted, image })) {
    const share = factor / whole;
    const [a, b = one] = values.map(of);
    constant += share * a.whole * b.whole;
    addSingles(share * a.whole, b.parts);
    addSingles(share * b.whole, a.parts);
    for (const { group, widths } of a.parts) {
      for (const other of b.parts) {
        widths.forEach((width, i) => {
          const row = (group * candidates + i) * n + other.group * candidates;
          other.widths.forEach((right, j) => pairs[row + j] += share * width * right);
        });
      }
    }
  }
  return { constant, singles, pairs };
}

/** The cost of gates `[groups, candidates]`. */
export function costOf({ constant, singles, pairs }: WidthCost, gates: ArrayLike<number>): number {
  let sum = constant;
  const n = singles.length;
  for (let i = 0; i < n; i++) {
    if (!gates[i]) continue;
    let row = singles[i];
    for (let j = 0; j < n; j++) row += pairs[i * n + j] * gates[j];
    sum += gates[i] * row;
  }
  return sum;
}

/** The cost when group g chooses candidate `choice[g]`: exactly that of the network it makes. */
export function costOfChoice(
  { constant, singles, pairs }: WidthCost,
  choice: readonly number[],
): number {
  const n = singles.length;
  const at = choice.map((candidate, g) => g * (n / choice.length) + candidate);
  let sum = constant;
  for (const i of at) {
    sum += singles[i];
    for (const j of at) sum += pairs[i * n + j];
  }
  return sum;
}
