import { count, type ImageSize, sizesOf } from "../count.ts";
import { kindOf } from "../layers/mod.ts";
import { IMAGE, type Network, type Value } from "../network.ts";
import { type Extent, wholeExtent, type WidthGroups } from "./width_groups.ts";

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

/** factor · channels of a · channels of b. */
interface Term {
  readonly factor: number;
  readonly a: Extent;
  readonly b: Extent;
}

function termsOf(
  network: Network,
  { extents, divisors }: WidthGroups,
  budgeted: Budgeted,
  image: ImageSize,
): Term[] {
  const sizes = sizesOf(network, image);
  const one = wholeExtent(1, divisors);
  const of = (value: Value): Extent =>
    value === IMAGE ? wholeExtent(network.channels, divisors) : extents[value];
  return network.layers.flatMap((layer, i): Term[] => {
    const a = of(layer.inputs[0]);
    const b = extents[i];
    const pixels = budgeted === "macs" ? sizes[i].height * sizes[i].width : 1;
    const { pairs, singles } = kindOf(layer).cost?.(layer) ?? { pairs: 0, singles: 0 };
    return [
      ...pairs ? [{ factor: pairs * pixels, a, b }] : [],
      ...singles && budgeted === "params" ? [{ factor: singles, a: one, b }] : [],
    ];
  });
}

/**
 * The expected cost of the small network: every convolution takes k² · height · width · E[in] ·
 * E[out] multiply-accumulates, with E[channels] = Σ_i gate_i · width_i of the value's group, and the
 * classifier E[in] · classes; parameters likewise, norms and biases included.
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
  for (const { factor, a, b } of termsOf(network, groups, budgeted, image)) {
    const share = factor / whole;
    const [free, tied] = a.group < 0 ? [a, b] : [b, a];
    if (tied.group < 0) constant += share * a.widths[0] * b.widths[0];
    else if (free.group < 0) {
      tied.widths.forEach((width, i) =>
        singles[tied.group * candidates + i] += share * free.widths[0] * width
      );
    } else {
      a.widths.forEach((width, i) => {
        const row = (a.group * candidates + i) * n + b.group * candidates;
        b.widths.forEach((other, j) => pairs[row + j] += share * width * other);
      });
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
