import type { Device } from "../gpu/device.ts";
import { defineAlgorithm } from "./algorithm.ts";
import type { ProductAlgorithm } from "./gemm.ts";
import { takesMatrices } from "./matrix_tiles.ts";
import { HALVES } from "./tile_arithmetic.ts";
import { productExtent, productTime, runnableTiles } from "./tile_estimate.ts";
import { recordTiled } from "./tiled_product.ts";
import { tiledSplits } from "./tiled_weight_gradient.ts";
import type { WeightGradientAlgorithm } from "./weight_gradient_parts.ts";
import { isDense, isProduct, type Work } from "./work.ts";

/** Whether half floats may be multiplied as such: in mixed precision, where no matrix units do it. */
function takesHalves(gpu: Device, work: Work): boolean {
  return work.precision === "mixed" && gpu.hasHalves && !takesMatrices(gpu, work);
}

/**
 * The implicit GEMM by workgroup tiles of half floats: half the traffic of workgroup memory, two
 * products to an instruction. Whether that pays depends on the adapter: it is taken where it was
 * measured to. Its estimate is that of float32, as tiles are but compared with one another.
 */
export const halfTiledProduct: ProductAlgorithm = defineAlgorithm({
  name: "half tiled product",
  timed: true,
  guessed: false,
  applies: (gpu, work) => isProduct(work) && takesHalves(gpu, work),
  variants: (gpu) =>
    runnableTiles(gpu).products.map((tile) => ({ name: `${HALVES.prefix}${tile.name}`, tile })),
  estimate: (gpu, work, { tile }) => productTime(gpu, tile, productExtent(work)),
  record: (trace, product, { tile }) => recordTiled(trace, product, { tile, arithmetic: HALVES }),
});

/** The weight gradient by workgroup tiles of half floats, likewise. */
export const halfTiledWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "half tiled weight gradient",
  timed: true,
  guessed: false,
  applies: (gpu, work) => isDense(work.geometry) && takesHalves(gpu, work),
  ...tiledSplits(HALVES),
});
