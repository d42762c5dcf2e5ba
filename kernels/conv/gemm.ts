import type { Device } from "../gpu/device.ts";
import type { Kernel } from "../gpu/kernel.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import { gridFor } from "../gpu/work_queue.ts";
import type { Trace } from "../program/trace.ts";
import type { EpilogueOperands } from "../wgsl/epilogue.ts";
import { type Geometry, placementDims } from "../wgsl/geometry.ts";
import type { Algorithm } from "./algorithm.ts";
import { type Phases, phasesOf, phasesWithTaps } from "./phases.ts";
import { flopsOf, type ProductDirection, usedOfFilter, type Work } from "./work.ts";

/** The numbers that a kernel of an implicit GEMM takes. */
export const GEMM_DIMS = {
  batch: "u32",
  /** Groups of positions of the largest phase. */
  groups: "u32",
  in_height: "u32",
  in_width: "u32",
  in_quads: "u32",
  stride_y: "u32",
  stride_x: "u32",
  padding_y: "u32",
  padding_x: "u32",
  dilation_y: "u32",
  dilation_x: "u32",
  kernel_height: "u32",
  kernel_width: "u32",
  /** Phases of columns. */
  phase_columns: "u32",
  weight_rows: "u32",
  weight_quads: "u32",
  out_height: "u32",
  out_width: "u32",
  out_channels: "u32",
  taps_low: "u32",
  taps_high: "u32",
} as const;

/** The names of {@link GEMM_DIMS}. */
export type GemmDims = keyof typeof GEMM_DIMS;

/** The operands of a forward convolution or of an input gradient. */
export interface Product {
  /** The forward pass reads images and makes outputs, the input gradient the other way round. */
  readonly direction: ProductDirection;
  /** The shapes of the convolution. */
  readonly geometry: Geometry;
  /** The images that are read: x, or dy. */
  readonly x: Tensor;
  /** The filter. */
  readonly w: Tensor;
  /** The images that are written: y, or dx. */
  readonly y: Tensor;
  /** The epilogue of the result. */
  readonly epilogue: EpilogueOperands;
}

/** An algorithm for products. */
export type ProductAlgorithm = Algorithm<Product, void>;

/** Height, width and channels of images. */
type Side = readonly [height: number, width: number, channels: number];

/** The images that a product reads and writes. */
export function sidesOf(
  { direction, geometry: g }: { direction: ProductDirection; geometry: Geometry },
): Record<"from" | "to", Side> {
  const image: Side = [g.height, g.width, g.keepIn];
  const output: Side = [g.outHeight, g.outWidth, g.keepOut];
  return direction === "forward" ? { from: image, to: output } : { from: output, to: image };
}

/** The channels of the images that a product writes. */
export function resultChannels({ direction, geometry: g }: Work): number {
  return direction === "input gradient" ? g.keepIn : g.keepOut;
}

/** Raises a `RangeError` if so many iterations of loops are too many for an invocation. */
export function demandIterations(
  gpu: Device,
  { name, products, iterations }: { name: string; products: number; iterations: number },
): void {
  if (iterations > gpu.iterations) {
    throw new RangeError(
      `Cannot apply ${name} on this adapter, which sums up ${products} products to an output: ` +
        `loops end there after ${gpu.iterations} iterations, and this takes ${iterations}`,
    );
  }
}

/** The share of a workgroup in an implicit GEMM. */
export interface GemmWork {
  /** Positions of a workgroup. */
  readonly positions: number;
  /** Blocks of channels. */
  readonly blocks: number;
  /** Whether an invocation makes all phases of columns. */
  readonly allColumns?: boolean;
}

/** Records a kernel of an implicit GEMM on a product. */
export function recordGemm(
  trace: Trace,
  { direction, geometry: g, x, w, y, epilogue }: Product,
  kernel: Kernel<string, "y", GemmDims>,
  { positions, blocks, allColumns = false }: GemmWork,
): void {
  const { from, to } = sidesOf({ direction, geometry: g });
  const all = phasesOf(direction, g);
  const some = direction === "input gradient" && g.padding.every((side) => side === 0) &&
    !epilogue.plus;
  const withTaps = some ? phasesWithTaps(g) : all;
  if (withTaps.rows * withTaps.columns < all.rows * all.columns) trace.clear(y);
  const phases: Phases = allColumns ? { rows: withTaps.rows, columns: 1 } : withTaps;
  const perPhase = g.batch * Math.ceil(to[0] / all.rows) * Math.ceil(to[1] / all.columns);
  const groups = Math.ceil(perPhase / positions);
  const workgroups = phases.rows * phases.columns * groups * blocks;
  const taps = g.kernelHeight * g.kernelWidth;
  const depth = taps * quads(from[2]);
  const dims = {
    batch: g.batch,
    groups,
    in_height: from[0],
    in_width: from[1],
    in_quads: quads(from[2]),
    ...placementDims(g),
    kernel_height: g.kernelHeight,
    kernel_width: g.kernelWidth,
    phase_columns: phases.columns,
    weight_rows: g.filterIn,
    weight_quads: quads(g.filterOut),
    out_height: to[0],
    out_width: to[1],
    out_channels: to[2],
    ...g.tapBits,
  };
  // With one for the turn, and one for leaving the loop over turns.
  const iterations = (kernel.iterations?.(dims) ?? 0) + 2;
  demandIterations(trace.gpu, { name: g.name, products: depth * 4, iterations });
  trace.run(kernel, {
    reads: { x, w, ...epilogue },
    writes: { y },
    dims,
    workgroups,
    grid: gridFor(trace.gpu, { workgroups, iterations }),
    flops: flopsOf(g),
    touched: { w: usedOfFilter(g) },
  });
}
