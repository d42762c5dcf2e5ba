import { unroll } from "../wgsl/blocked.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import type { Device } from "../gpu/device.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import type { StagedOrders } from "../matrix/block.ts";
import type { MatrixTile } from "../matrix/tile.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { GEMM_DIMS, type GemmDims, type ProductAlgorithm, recordGemm, sidesOf } from "./gemm.ts";
import { matrixTime } from "./matrix_estimate.ts";
import { blockOf, matricesOf, takesMatrices } from "./matrix_tiles.ts";
import { PHASES } from "./phases.ts";
import { frameIterations, PIXEL_OF_RESULT, productFrame } from "./product_frame.ts";
import {
  slicesAcrossTaps,
  slicesOfTaps,
  stagedPosition,
  type StagedWeight,
  type Staging,
} from "./staged_slices.ts";
import { productExtent } from "./tile_estimate.ts";
import { isProduct, type ProductDirection } from "./work.ts";

/**
 * Rows of the left operand are positions. The right one is a slice of the filter: neighbours in
 * memory are outputs, which are its columns in the forward pass, and the terms of the sums in the
 * input gradient.
 */
const ORDERS: Readonly<Record<ProductDirection, StagedOrders>> = {
  "forward": { left: "rows", right: "rows" },
  "input gradient": { left: "rows", right: "columns" },
};

/** The m-th vec4 of weights that an invocation loads: neighbours in memory to neighbouring lanes. */
function stagedWeight(
  direction: ProductDirection,
  { columns, depth }: MatrixTile,
  { invocations, m }: { invocations: number; m: number },
): StagedWeight & { readonly line: string; readonly along: string } {
  const quads = (direction === "forward" ? columns : depth) / 4;
  const line = `(lane / ${quads}u + ${m * invocations / quads}u)`;
  const along = `lane % ${quads}u`;
  return direction === "forward"
    ? { line, along, quad: `${line} / 4u`, row: `${line} % 4u`, out: along }
    : { line, along, quad: along, row: `${line} % 4u`, out: `${line} / 4u` };
}

/** An implicit GEMM by matrix units out of workgroup memory: half floats, sums of float32. */
function kernelOf(
  gpu: Device,
  direction: ProductDirection,
  { tile, aligned, epilogue }: { tile: MatrixTile; aligned: boolean; epilogue: Epilogue },
): Kernel<string, "y", GemmDims> {
  const block = blockOf(gpu, tile, ORDERS[direction]);
  const { invocations } = block;
  const { rows: positions, columns: channels, depth } = tile;
  const weight = (m: number) => stagedWeight(direction, tile, { invocations, m });
  const staging: Staging = {
    ...{ invocations, positions, channels, depth, weight },
    element: "vec4<f16>",
  };
  const { count, before, load } = (aligned ? slicesOfTaps : slicesAcrossTaps)(direction, staging);
  const stored = epilogueStore(epilogue);
  const stageX = (m: number): string =>
    block.left.put({ line: stagedPosition(staging, m), quad: `lane % ${depth / 4}u` }, `x${m}`);
  const stageWeight = (m: number): string => {
    const { line, along } = weight(m);
    return block.right.put({ line, quad: along }, `w${m}`);
  };
  return defineKernel({
    name: `${direction}, ${tile.name}${aligned ? "" : ", packed"}${stored.suffix}`,
    workgroupSize: invocations,
    reads: { x: "half", w: "half", ...stored.reads },
    writes: { y: "bulk" },
    dims: GEMM_DIMS,
    matrixUnits: block.matrixUnits,
    wgsl: productFrame({
      phases: PHASES[direction],
      ...{ positions, channels },
      declared: block.declared,
      body: `${block.begin}
  ${before}
  // One more round than slices: each loads slice s and multiplies slice s - 1.
  for (var s = 0u; s <= slices; s++) {
    ${load}
    if (s > 0u) {
      ${block.multiply}
    }
    workgroupBarrier();
    ${unroll(count.x, stageX)}
    ${unroll(count.w, stageWeight)}
    workgroupBarrier();
  }
  ${
        block.store(`let p = first + row;
    let at_quad = first_quad + quad;
    if (p < end && at_quad < out_quads) {
      ${PIXEL_OF_RESULT}
      let at = pixel * out_quads + at_quad;
      let kept = vec4u(at_quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.out_channels);
      set_y(at, ${stored.value("select(vec4f(), value, kept)", "at")});
    }`)
      }`,
    }),
    iterations: (dims) => {
      const { kernel_height, kernel_width, in_quads } = dims;
      const slices = Math.ceil(kernel_height * kernel_width * in_quads * 4 / depth);
      const rounds = (slices + 1) * (1 + block.multiplyIterations) + 1;
      return frameIterations(dims) + rounds + block.storeIterations;
    },
  });
}

/** The implicit GEMM by matrix units, in mixed precision where there are some. */
export const matrixProduct: ProductAlgorithm = defineAlgorithm({
  name: "matrix product",
  timed: true,
  guessed: true,
  applies: (gpu, work) => isProduct(work) && takesMatrices(gpu, work),
  variants: (gpu) => matricesOf(gpu).tiles,
  estimate: (gpu, work, tile) => matrixTime(gpu, tile, productExtent(work)),
  record: (trace, product, tile) => {
    const { from: [, , inputs], to: [, , outputs] } = sidesOf(product);
    const aligned = quads(inputs) % (tile.depth / 4) === 0;
    const epilogue = epilogueOf(product.epilogue);
    recordGemm(
      trace,
      product,
      kernelOf(trace.gpu, product.direction, { tile, aligned, epilogue }),
      { positions: tile.rows, blocks: Math.ceil(quads(outputs) * 4 / tile.columns) },
    );
  },
});
