import { count, countLayers, type ImageSize } from "../count.ts";
import { nameOf } from "../state.ts";
import type { Adjoined } from "./adjoin.ts";

/** Multiply-accumulates of both networks on one image; layers in common run once. */
export function macsTogether({ base, small, shared }: Adjoined, image: ImageSize): number {
  const common = new Set(base.layers.flatMap((layer, i) => shared[i] ? [nameOf(layer)] : []));
  return countLayers(small, image).reduce(
    (sum, { name, macs }) => sum + (common.has(name) ? 0 : macs),
    count(base, image).macs,
  );
}
