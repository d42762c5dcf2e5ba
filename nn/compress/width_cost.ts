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

/** A cost that is summed up, layer by layer. */
export class CostSum implements WidthCost {
  constant = 0;
  readonly singles: Float64Array;
  readonly pairs: Float64Array;
  readonly #candidates: number;

  /** Nothing, of the gates of such groups. */
  constructor({ groups, divisors }: Pick<WidthGroups, "groups" | "divisors">) {
    this.#candidates = divisors.length;
    const n = groups.length * divisors.length;
    this.singles = new Float64Array(n);
    this.pairs = new Float64Array(n * n);
  }

  #addSingles(factor: number, parts: readonly Part[]): void {
    for (const { group, widths } of parts) {
      widths.forEach((width, i) => this.singles[group * this.#candidates + i] += factor * width);
    }
  }

  /** Adds `factor` · E[channels of a] · E[channels of b]. */
  addProduct(factor: number, a: Extent, b: Extent = ONE): void {
    this.constant += factor * a.whole * b.whole;
    this.#addSingles(factor * a.whole, b.parts);
    this.#addSingles(factor * b.whole, a.parts);
    for (const { group, widths } of a.parts) {
      for (const other of b.parts) {
        widths.forEach((width, i) => {
          const row = this.#row(group, i) + other.group * this.#candidates;
          other.widths.forEach((right, j) => this.pairs[row + j] += factor * width * right);
        });
      }
    }
  }

  /** Where the gates that go with candidate i of a group begin. */
  #row(group: number, i: number): number {
    return (group * this.#candidates + i) * this.singles.length;
  }

  /** Adds `costs[i][j]` where group a has candidate i and b has j; one row or column without group. */
  addTable(costs: readonly (readonly number[])[], a?: number, b?: number): void {
    const n = this.#candidates;
    costs.forEach((row, i) =>
      row.forEach((cost, j) => {
        if (a !== undefined && b !== undefined) this.pairs[this.#row(a, i) + b * n + j] += cost;
        else if (a !== undefined) this.singles[a * n + i] += cost;
        else if (b !== undefined) this.singles[b * n + j] += cost;
        else this.constant += cost;
      })
    );
  }
}

const ONE: Extent = { whole: 1, parts: [] };

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
  const ofImage: Extent = { whole: network.channels, parts: [] };
  const of = (value: Value): Extent => value === IMAGE ? ofImage : groups.extents[value];
  const sum = new CostSum(groups);
  for (const { factor, values: [a, b] } of costTerms(network, { budgeted, image })) {
    sum.addProduct(factor / whole, of(a), b === undefined ? ONE : of(b));
  }
  return sum;
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
