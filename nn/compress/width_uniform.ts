import { adjoin, type AdjoinOptions } from "./adjoin.ts";
import type { ImageSize } from "../count.ts";
import { isConv2d } from "../layers/conv2d.ts";
import type { Network } from "../network.ts";
import { type Budgeted, wholeCost } from "./width_cost.ts";

/** The cost of the small network over that of the base. */
export function costRatio(
  small: Network,
  base: Network,
  cost: { budgeted: Budgeted; image: ImageSize },
): number {
  return wholeCost(small, cost) / wholeCost(base, cost);
}

/**
 * Widths `max(1, round(filters · r))` of all masked convolutions, with the r in (0, 1] that brings
 * the small network's cost nearest to the budget.
 */
export function uniformWidths(
  network: Network,
  { maskFrom, trunk }: Pick<AdjoinOptions, "maskFrom" | "trunk">,
  { budget, ...cost }: { budget: number; budgeted: Budgeted; image: ImageSize },
): Record<string, number> {
  const { masked } = adjoin(network, { compression: 1, maskFrom, trunk });
  const names = new Set(masked);
  const convolutions = network.layers.filter(isConv2d).filter(({ name }) => names.has(name));
  const whole = wholeCost(network, cost);
  // Rates that are close give the same widths.
  const known = new Map<string, number>();
  const at = (r: number): { widths: Record<string, number>; found: number } => {
    const kept = convolutions.map(({ out }) => Math.max(1, Math.round(out * r)));
    const widths = Object.fromEntries(convolutions.map(({ name }, i) => [name, kept[i]]));
    const key = kept.join();
    let found = known.get(key);
    if (found === undefined) {
      const { small } = adjoin(network, { compression: 1, maskFrom, trunk, widths });
      known.set(key, found = wholeCost(small, cost) / whole);
    }
    return { widths, found };
  };
  let [low, high] = [0, 1];
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (at(middle).found < budget) low = middle;
    else high = middle;
  }
  const [below, above] = [at(low), at(high)];
  return budget - below.found <= above.found - budget ? below.widths : above.widths;
}
