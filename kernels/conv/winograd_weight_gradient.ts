import type { Device } from "../gpu/device.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { PendingGradient } from "../op.ts";
import type { Trace } from "../program/trace.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { type Geometry, UNPLACED } from "../wgsl/geometry.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { type Reduction, splitsOf, type SplitTile, splitTime } from "./split_tiles.ts";
import { runnableTiles } from "./tile_estimate.ts";
import { tiledKernel } from "./tiled_weight_gradient.ts";
import type { FilterTile } from "./tiles.ts";
import type { WeightGradient, WeightGradientAlgorithm } from "./weight_gradient_parts.ts";
import {
  ALL_PLACES,
  canWinograd,
  inputsOf,
  outputsOf,
  recordFactors,
  tilesOf,
} from "./winograd.ts";
import { filterGradientOf, PLACES } from "./winograd_transforms.ts";
import { usedOfFilter } from "./work.ts";

/** Whether the rows of a tile are inputs of one place. */
function fitsPlaces(tile: FilterTile, g: Geometry): boolean {
  return quads(g.keepIn) * 4 % tile.inputs === 0;
}

/** The gradient of the filter by Winograd's products, recorded where it is wanted. */
function pendingGradient(
  trace: Trace,
  { geometry: g, x, dy }: WeightGradient,
  { tile, splits, blocks }: SplitTile,
): PendingGradient {
  const { batch } = g;
  const over = outputsOf(g);
  const tiles = tilesOf(batch, over);
  const inQuads = quads(g.keepIn);
  const outQuads = quads(g.keepOut);
  const write = (into: Tensor, accumulate: boolean): void => {
    const inputs = { batch, over, images: inputsOf(g), padding: g.padding[0] };
    const factors = recordFactors(trace, x, "inputs", inputs);
    const gradients = recordFactors(trace, dy, "gradients", {
      ...inputs,
      images: over,
      padding: 0,
    });
    const shape = [splits, PLACES, inQuads * 4, g.keepOut];
    const part = trace.tensor(`d${g.name} products`, shape);
    trace.run(tiledKernel(tile, { apart: true }), {
      reads: { x: factors, dy: gradients },
      writes: { part },
      dims: {
        in_height: PLACES,
        in_width: tiles,
        in_stride: inQuads,
        in_quads: inQuads,
        out_height: 1,
        out_width: tiles,
        out_quads: outQuads,
        ...UNPLACED,
        kernel_height: PLACES,
        kernel_width: 1,
        batch: 1,
        group_in: g.keepIn,
        group_out: g.keepOut,
        splits,
        clip: 0,
        ...ALL_PLACES,
      },
      workgroups: blocks * splits,
      flops: 2 * PLACES * tiles * g.keepIn * g.keepOut,
    });
    trace.run(filterGradientOf(accumulate), {
      reads: { part },
      writes: { dw: into },
      dims: {
        splits,
        part_rows: inQuads * 4,
        part_quads: outQuads,
        rows: g.keepIn,
        channels: g.keepOut,
        weight_rows: g.filterIn,
        weight_quads: quads(g.filterOut),
      },
      workgroups: Math.ceil(g.keepIn * outQuads / LANES),
      touched: { dw: usedOfFilter(g) },
    });
  };
  return { complete: g.keepIn === g.filterIn && g.keepOut === g.filterOut, write };
}

function reductionOf(g: Geometry): Reduction {
  return {
    rows: PLACES * quads(g.keepIn) * 4,
    positions: tilesOf(g.batch, outputsOf(g)),
  };
}

const variantsOf = (gpu: Device, tile: FilterTile, g: Geometry) =>
  splitsOf(gpu, tile, g, { reduction: reductionOf(g), prefix: "winograd " });

/** Winograd's F(3x3, 2x2), with products by workgroup tiles: taken only where it was measured. */
export const winogradWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "winograd",
  timed: true,
  guessed: false,
  applies: (gpu, { geometry }) => canWinograd(geometry, gpu.largestBuffer),
  variants: (gpu, { geometry: g }) =>
    runnableTiles(gpu).filters.filter((tile) => fitsPlaces(tile, g))
      .map((tile) => variantsOf(gpu, tile, g)[0]),
  estimate: (gpu, { geometry: g }, split) => splitTime(gpu, split, reductionOf(g)),
  alternatives: (gpu, { geometry: g }, { tile }) => variantsOf(gpu, tile, g).slice(1),
  record: pendingGradient,
});
