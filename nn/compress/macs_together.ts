import { count, countLayers, type ImageSize } from "../count.ts";
import { nameOf } from "../state.ts";
import type { Adjoined } from "./adjoin.ts";
import { pairsIn } from "./pairs.ts";

/** Multiply-accumulates of a base network and its small ones on one image; layers in common run once. */
export function macsTogether(
  adjoined: Adjoined | readonly Adjoined[],
  image: ImageSize,
): number {
  const pairs = pairsIn(adjoined);
  return pairs.reduce((sum, { base, small, shared }) => {
    const common = new Set(base.layers.flatMap((layer, i) => shared[i] ? [nameOf(layer)] : []));
    return countLayers(small, image)
      .reduce((all, { name, macs }) => all + (common.has(name) ? 0 : macs), sum);
  }, count(pairs[0].base, image).macs);
}
