import type { Device } from "../gpu/device.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import type { MatrixBlock, StagedOrders } from "../matrix/block.ts";
import type { MatrixTile } from "../matrix/tile.ts";
import { KEPT_TAPS, unroll } from "../wgsl/blocked.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { defineAlgorithm } from "./algorithm.ts";
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
  const staged = { x: depth * inputs / invocations, dy: depth * outputs / invocations };
  // Slices whose places the invocations find at a time, one each.
  const placed = invocations / depth;
  const slot = (m: number, quads: number): string =>
    `lane / ${quads}u + ${m * invocations / quads}u`;
  const loadX = (m: number): string =>
    `let place${m} = places[s % ${placed}u * ${depth}u + ${slot(m, inputs)}];
    let iy${m} = place${m}.y + shift.y;
    let ix${m} = place${m}.x + shift.x;
    let inside${m} = live && iy${m} < dims.in_height && ix${m} < dims.in_width;
    let at${m} = (place${m}.z + tap_shift) * dims.in_stride + in_quad;
    let x${m} = select(vec4<f16>(), x(select(0u, at${m}, inside${m})), inside${m});`;
  const loadDy = (m: number): string =>
    `let q${m} = begin + s * ${depth}u + ${slot(m, outputs)};
    let real${m} = q${m} < end && out_quad < dims.out_quads;
    let dy${m} = select(vec4<f16>(), dy(select(0u, q${m} * dims.out_quads + out_quad, real${m})), real${m});`;
  const stageX = (m: number): string =>
    block.left.put({ line: slot(m, inputs), quad: `lane % ${inputs}u` }, `x${m}`);
  const stageDy = (m: number): string =>
    block.right.put({ line: slot(m, outputs), quad: `lane % ${outputs}u` }, `dy${m}`);
  return defineKernel({
    name: `weight gradient, ${tile.name}`,
    workgroupSize: invocations,
    reads: { x: "half", dy: "half" },
    writes: { part: "bulk" },
    dims: WEIGHT_GRADIENT_DIMS,
    matrixUnits: block.matrixUnits,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${block.declared}
// Column, row and number of the pixel that a tap at (0, 0) meets, without padding, by position.
var<workgroup> places: array<vec3u, ${invocations}>;

fn main(workgroup: u32, lane: u32) {
  // workgroup = (split * blocks of ${tile.rows} rows + row block) * blocks of outputs + block
  let taps = dims.kernel_height * dims.kernel_width;
  let row_quads = taps * dims.in_quads;
  let row_blocks = (row_quads + ${inputs - 1}u) / ${inputs}u;
  let out_blocks = (dims.out_quads + ${outputs - 1}u) / ${outputs}u;
  let first_out = workgroup % out_blocks * ${outputs}u;
  let first_row = workgroup / out_blocks % row_blocks * ${inputs}u;
  let split = workgroup / (out_blocks * row_blocks);
  let image = dims.out_height * dims.out_width;
  let positions = dims.batch * image;
  let share = (positions + dims.splits - 1u) / dims.splits;
  let begin = min(split * share, positions);
  let end = min(begin + share, positions);
  // The rows and the outputs that this invocation stages.
  let row_quad = first_row + lane % ${inputs}u;
  let out_quad = first_out + lane % ${outputs}u;
  let tap = row_quad / dims.in_quads;
  let in_quad = row_quad % dims.in_quads;
  let shift = vec2u(tap % dims.kernel_width, tap / dims.kernel_width)
    * vec2u(dims.dilation_x, dims.dilation_y) - vec2u(dims.padding_x, dims.padding_y);
  let tap_shift = shift.y * dims.in_width + shift.x;
  let live = row_quad < row_quads && kept_tap(min(tap, taps - 1u));
  ${block.begin}
  let slices = (end - begin + ${depth - 1}u) / ${depth}u;
  // One more round than slices: each loads slice s and multiplies slice s - 1.
  for (var s = 0u; s <= slices; s++) {
    if (s % ${placed}u == 0u) {
      let p = begin + s * ${depth}u + lane;
      let a = p % image / dims.out_width * dims.stride_y;
      let b = p % dims.out_width * dims.stride_x;
      // Beyond the end, a row that no tap brings back inside.
      let top = select(a, 0x40000000u, p >= end);
      places[lane] = vec3u(b, top, (p / image * dims.in_height + a) * dims.in_width + b);
      workgroupBarrier();
    }
    ${unroll(staged.x, loadX)}
    ${unroll(staged.dy, loadDy)}
    if (s > 0u) {
      ${block.multiply}
    }
    workgroupBarrier();
    ${unroll(staged.x, stageX)}
    ${unroll(staged.dy, stageDy)}
    workgroupBarrier();
  }
  ${
      block.store(`let at_row = first_row * 4u + row;
    let at_quad = first_out + quad;
    if (at_row < row_quads * 4u && at_quad < dims.out_quads) {
      set_part((split * row_quads * 4u + at_row) * dims.out_quads + at_quad, value);
    }`)
    }
}`,
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
