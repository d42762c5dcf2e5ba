import type { Device } from "../gpu/device.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import type { MatrixBlock, StagedOrders } from "../matrix/block.ts";
import type { MatrixTile } from "../matrix/tile.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { filterFrame } from "./filter_frame.ts";
import { matrixSplitTime } from "./matrix_estimate.ts";
import { blockOf, matricesOf, takesMatrices } from "./matrix_tiles.ts";
import { splitNumbers, type SplitTile } from "./split_tiles.ts";
import {
  OTHER_ITERATIONS,
  pendingSums,
  positionsOf,
  WEIGHT_GRADIENT_DIMS,
  type WeightGradientAlgorithm,
  type WeightGradientDims,
} from "./weight_gradient_parts.ts";
import { isDense } from "./work.ts";

/** Neighbours in memory are rows of the left operand, x, and columns of the right one, dy. */
const ORDERS: StagedOrders = { left: "columns", right: "rows" };

/**
 * Workgroups to a processor: two hide each other's latency. Partial sums take longer to write and
 * to join, in relation to products, than without matrix units.
 */
const SHARES = [2, 1, 3, 4, 6];

/** The most iterations of loops for a slice of positions. */
function sliceIterations({ multiplyIterations }: MatrixBlock): number {
  return 1 + multiplyIterations;
}

/**
 * The partial sums of a weight gradient by matrix units: half floats, sums of float32. Rows of a
 * tile are inputs of all taps, tap after tap, each with its inputs up to a multiple of four; terms
 * are positions, columns outputs. A position whose x lies outside the image counts as zero.
 */
function kernelOf(
  gpu: Device,
  tile: MatrixTile,
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  const block = blockOf(gpu, tile, ORDERS);
  const { invocations } = block;
  const { depth } = tile;
  const { quads: inputs } = block.left;
  const { quads: outputs } = block.right;
  return defineKernel({
    name: `weight gradient, ${tile.name}`,
    workgroupSize: invocations,
    reads: { x: "half", dy: "half" },
    writes: { part: "bulk" },
    dims: WEIGHT_GRADIENT_DIMS,
    matrixUnits: block.matrixUnits,
    wgsl: filterFrame({
      ...{ invocations, inputs, outputs, depth },
      element: "vec4<f16>",
      declared: block.declared,
      begin: block.begin,
      multiply: block.multiply,
      stageX: ({ position, quad }, value) => block.left.put({ line: position, quad }, value),
      stageDy: ({ position, quad }, value) => block.right.put({ line: position, quad }, value),
      store: block.store(`let at_row = first_row * 4u + row;
    let at_quad = first_out + quad;
    if (at_row < row_quads * 4u && at_quad < dims.out_quads) {
      set_part((split * row_quads * 4u + at_row) * dims.out_quads + at_quad, value);
    }`),
    }),
    iterations: (dims) =>
      (Math.ceil(positionsOf(dims) / depth) + 1) * sliceIterations(block) + 1 +
      block.storeIterations,
  });
}

/** A tile with each number of splits, the best estimate first. */
function splitsOf(gpu: Device, tile: MatrixTile, g: Geometry): SplitTile<MatrixTile>[] {
  const block = blockOf(gpu, tile, ORDERS);
  const blocks = Math.ceil(g.kernelHeight * g.kernelWidth * quads(g.keepIn) / block.left.quads) *
    Math.ceil(quads(g.keepOut) / block.right.quads);
  const room = gpu.iterations - OTHER_ITERATIONS - block.storeIterations;
  return splitNumbers(gpu, {
    blocks,
    slices: g.batch * g.outHeight * g.outWidth / tile.depth,
    most: Math.floor(room / sliceIterations(block)) - 1,
    shares: SHARES,
  })
    .map((splits) => ({ name: `${tile.name}/${splits}`, tile, blocks, splits }))
    .sort((a, b) => matrixSplitTime(gpu, a, g) - matrixSplitTime(gpu, b, g));
}

/** The weight gradient by matrix units, in mixed precision where there are some. */
export const matrixWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "matrix weight gradient",
  timed: true,
  guessed: true,
  applies: (gpu, work) => isDense(work.geometry) && takesMatrices(gpu, work),
  variants: (gpu, { geometry: g }) =>
    matricesOf(gpu).tiles.map((tile) => splitsOf(gpu, tile, g)[0]),
  estimate: (gpu, { geometry: g }, split) => matrixSplitTime(gpu, split, g),
  alternatives: (gpu, { geometry: g }, { tile }) => splitsOf(gpu, tile, g).slice(1),
  record: (trace, operands, { tile, blocks, splits }) =>
    pendingSums(trace, operands, {
      kernel: kernelOf(trace.gpu, tile),
      splits,
      workgroups: blocks * splits,
      clip: false,
      eightAtATime: true,
    }),
});
