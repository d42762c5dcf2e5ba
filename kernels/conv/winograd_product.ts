import { quads } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { epilogueOf } from "../wgsl/epilogue.ts";
import { UNPLACED } from "../wgsl/geometry.ts";
import { defineAlgorithm } from "./algorithm.ts";
import type { Product, ProductAlgorithm } from "./gemm.ts";
import { phasesApart } from "./phases.ts";
import { type Extent, productTime, runnableTiles } from "./tile_estimate.ts";
import { tiledKernel } from "./tiled_product.ts";
import type { ProductTile } from "./tiles.ts";
import {
  ALL_PLACES,
  canWinograd,
  inputsOf,
  outputsOf,
  recordFactors,
  recordFilter,
  tilesOf,
  visitTiles,
} from "./winograd.ts";
import { images, PLACES } from "./winograd_transforms.ts";
import type { ProductDirection, Work } from "./work.ts";

/**
 * Filters by place. The gradient of inputs is a convolution with the filter turned round, whose
 * factors are those of the filter with the first and the last row, and column, exchanged.
 */
const FILTERS: Readonly<Record<ProductDirection, string>> = {
  "forward": "phase",
  "input gradient": "flipped(phase / 4u) * 4u + flipped(phase % 4u)",
};

const FLIPPED = /* wgsl */ `
fn flipped(k: u32) -> u32 { return select(k, 3u - k, k % 3u == 0u); }`;

/** Records a forward convolution or an input gradient by Winograd's products. */
function record(
  trace: Trace,
  { direction, geometry: g, x, w, y, epilogue }: Product,
  tile: ProductTile,
): void {
  const forward = direction === "forward";
  const [from, to] = forward ? [inputsOf(g), outputsOf(g)] : [outputsOf(g), inputsOf(g)];
  const [side] = g.padding;
  const padding = forward ? side : 2 - side;
  const { batch } = g;
  const factors = recordFactors(trace, x, "inputs", { batch, over: to, images: from, padding });
  const filters = recordFilter(trace, g, w);
  const tiles = tilesOf(batch, to);
  const products = trace.tensor("winograd products", [PLACES, tiles, to.channels]);
  const groups = Math.ceil(tiles / tile.positions);
  const blocks = Math.ceil(quads(to.channels) * 4 / tile.channels);
  const phases = { name: "winograd", wgsl: FLIPPED + phasesApart(FILTERS[direction]) };
  const aligned = quads(from.channels) % (tile.depth / 4) === 0;
  trace.run(tiledKernel(direction, tile, { aligned, phases }), {
    reads: { x: factors, w: filters },
    writes: { y: products },
    dims: {
      batch: 1,
      groups,
      in_height: PLACES,
      in_width: tiles,
      in_quads: quads(from.channels),
      ...UNPLACED,
      kernel_height: 1,
      kernel_width: PLACES,
      phase_columns: 1,
      weight_rows: quads(g.keepIn) * 4,
      weight_quads: quads(g.keepOut),
      out_height: PLACES,
      out_width: tiles,
      out_channels: to.channels,
      ...ALL_PLACES,
    },
    workgroups: PLACES * groups * blocks,
    flops: 2 * PLACES * tiles * g.keepIn * g.keepOut,
  });
  const { dims, workgroups } = visitTiles(batch, to, to);
  trace.run(images(epilogueOf(epilogue)), {
    reads: { x: products, ...epilogue },
    writes: { y },
    dims: { ...dims, channels: to.channels },
    workgroups,
  });
}

/** The batch of products, one to a place, that takes the place of a convolution. */
function extentOf({ direction, geometry: g }: Work): Extent {
  const [from, to] = direction === "input gradient"
    ? [outputsOf(g), inputsOf(g)]
    : [inputsOf(g), outputsOf(g)];
  return {
    positions: tilesOf(g.batch, to),
    channels: quads(to.channels) * 4,
    depth: quads(from.channels) * 4,
    products: PLACES,
  };
}

/** Winograd's F(2x2, 3x3), with products by workgroup tiles: taken only where it was measured. */
export const winogradProduct: ProductAlgorithm = defineAlgorithm({
  name: "winograd",
  timed: true,
  guessed: false,
  applies: (gpu, { geometry }) => canWinograd(geometry, gpu.largestBuffer),
  variants: (gpu) =>
    runnableTiles(gpu).products.map((tile) => ({ name: `winograd ${tile.name}`, tile })),
  estimate: (gpu, work, { tile }) => productTime(gpu, tile, extentOf(work)),
  record: (trace, product, { tile }) => record(trace, product, tile),
});
