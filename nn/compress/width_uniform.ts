import { type AdjoinOptions, maskRule } from "./adjoin.ts";
import type { ImageSize } from "../count.ts";
import { isConv2d } from "../layers/conv2d.ts";
import { IMAGE, type Network, type Value } from "../network.ts";
import { type Budgeted, costTerms, wholeCost } from "./width_cost.ts";
import { type Kept, keptChannels, type Occupied, occupied, widthOf } from "./width_extents.ts";
import { roundedWidth } from "./rounded_width.ts";
import { placeChannels, type Places } from "./width_places.ts";

/** The cost of the small network over that of the base. */
export function costRatio(
  small: Network,
  base: Network,
  cost: { budgeted: Budgeted; image: ImageSize },
): number {
  return wholeCost(small, cost) / wholeCost(base, cost);
}

/**
 * Widths `max(1, round(filters · r))`, or multiples of `roundTo`, of all masked convolutions, with the r in (0, 1] that brings
 * the small network's cost nearest to the budget; likewise of filters that go together in blocks, or
 * behind concatenations.
 */
export function uniformWidths(
  network: Network,
  { maskFrom, roundTo }: Pick<AdjoinOptions, "maskFrom" | "trunk" | "roundTo">,
  { budget, ...cost }: { budget: number; budgeted: Budgeted; image: ImageSize },
): Record<string, number | number[]> {
  const { groups, values } = placeChannels(network, { isMasked: maskRule(network, maskFrom) });
  const names = new Set(groups.flatMap(({ convolutions }) => convolutions));
  const channels = new Map<Places, Occupied>();
  for (const places of values) channels.set(places, channels.get(places) ?? occupied(places));
  const terms = costTerms(network, cost);
  const whole = wholeCost(network, cost);
  const keptAt = (r: number): Kept => (_, size) =>
    roundedWidth(Math.max(1, Math.round(size * r)), size, roundTo);
  const costAt = (r: number): number => {
    const widths = new Map(
      [...channels].map(([places, found]) => [places, widthOf(found, keptAt(r))]),
    );
    const of = (value: Value): number =>
      value === IMAGE ? network.channels : widths.get(values[value]) ?? 0;
    const product = (factor: number, value: Value): number => factor * of(value);
    return terms.reduce((sum, term) => sum + term.values.reduce(product, term.factor), 0) / whole;
  };
  let [low, high] = [0, 1];
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    if (costAt(middle) < budget) low = middle;
    else high = middle;
  }
  const r = budget - costAt(low) <= costAt(high) - budget ? low : high;
  return Object.fromEntries(
    network.layers.flatMap((layer, i) =>
      isConv2d(layer) && names.has(layer.name)
        ? [[layer.name, keptChannels(values[i], keptAt(r))]]
        : []
    ),
  );
}
