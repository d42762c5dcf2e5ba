import type { Kernel } from "../gpu/kernel.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import { gridFor } from "../gpu/work_queue.ts";
import type { PendingGradient } from "../op.ts";
import type { Trace } from "../program/trace.ts";
import { type Geometry, groupOf, placementDims } from "../wgsl/geometry.ts";
import type { Algorithm } from "./algorithm.ts";
import { flopsOf, usedOfFilter } from "./work.ts";
import { sumManyParts, SUMMED_QUADS, sumParts } from "./weight_gradient_sums.ts";

/** The numbers that a weight gradient takes. */
export const WEIGHT_GRADIENT_DIMS = {
  in_height: "u32",
  in_width: "u32",
  in_stride: "u32",
  in_quads: "u32",
  out_height: "u32",
  out_width: "u32",
  out_quads: "u32",
  stride_y: "u32",
  stride_x: "u32",
  padding_y: "u32",
  padding_x: "u32",
  dilation_y: "u32",
  dilation_x: "u32",
  kernel_height: "u32",
  kernel_width: "u32",
  batch: "u32",
  /** Channels of a group. */
  group_in: "u32",
  group_out: "u32",
  splits: "u32",
  /** Whether only positions inside the image are visited. */
  clip: "u32",
  taps_low: "u32",
  taps_high: "u32",
} as const;

/** The names of {@link WEIGHT_GRADIENT_DIMS}. */
export type WeightGradientDims = keyof typeof WEIGHT_GRADIENT_DIMS;

/** The most positions of a split. */
export function positionsOf(
  { batch, out_height, out_width, splits }: Readonly<Record<WeightGradientDims, number>>,
): number {
  return Math.ceil(batch * out_height * out_width / splits);
}

/** The operands of a weight gradient. */
export interface WeightGradient {
  /** The shapes of the convolution. */
  readonly geometry: Geometry;
  /** The input of the convolution. */
  readonly x: Tensor;
  /** The gradient of its output. */
  readonly dy: Tensor;
}

/** An algorithm for weight gradients. */
export type WeightGradientAlgorithm = Algorithm<WeightGradient, PendingGradient>;

/** The most iterations of all loops but that over positions. */
export const OTHER_ITERATIONS = 16;

/** Splits from which on partial sums are added up eight at a time. */
const MANY_SPLITS = 16;

/** A kernel for the partial sums, and how its work is divided. */
export interface Division {
  /** The kernel; its result is `[splits, taps, inputs, outputs]`. */
  readonly kernel: Kernel<"x" | "dy", "part", WeightGradientDims>;
  /** Runs of positions, each with partial sums of its own. */
  readonly splits: number;
  /** Workgroups of the kernel. */
  readonly workgroups: number;
  /** Whether only positions inside the image are visited. */
  readonly clip: boolean;
  /** Whether many partial sums are added up eight at a time. */
  readonly eightAtATime: boolean;
  /** Rows of a part to a tap. Default: the inputs of a group, up to a multiple of four. */
  readonly rows?: number;
}

/** A weight gradient by partial sums, recorded where it is wanted. */
export function pendingSums(
  trace: Trace,
  operands: WeightGradient,
  division: Division,
): PendingGradient {
  const { geometry: g } = operands;
  const { inputs } = groupOf(g);
  const { splits, eightAtATime, rows = quads(inputs) * 4 } = division;
  const taps = g.kernelHeight * g.kernelWidth;
  const complete = inputs === g.filterIn && g.keepOut === g.filterOut;
  // The only part has the layout of the whole filter.
  const whole = splits === 1 && complete && rows === g.filterIn;
  const many = eightAtATime && splits >= MANY_SPLITS;
  return {
    complete,
    write: (into, accumulate) => {
      if (whole && !accumulate) return recordParts(trace, operands, { ...division, part: into });
      const shape = [splits, taps, rows, quads(g.keepOut) * 4];
      const part = trace.tensor(`d${g.name} parts`, shape);
      recordParts(trace, operands, { ...division, part });
      recordSum(trace, g, { part, dw: into }, { accumulate, many });
    },
  };
}

function recordParts(
  trace: Trace,
  { geometry: g, x, dy }: WeightGradient,
  { kernel, splits, workgroups, clip, part }: Division & { readonly part: Tensor },
): void {
  const inQuads = quads(g.keepIn);
  const group = groupOf(g);
  const share = Math.ceil(g.batch * g.outHeight * g.outWidth / splits / 4);
  trace.run(kernel, {
    reads: { x, dy },
    writes: { part },
    dims: {
      in_height: g.height,
      in_width: g.width,
      in_stride: inQuads,
      in_quads: inQuads,
      out_height: g.outHeight,
      out_width: g.outWidth,
      out_quads: quads(g.keepOut),
      ...placementDims(g),
      kernel_height: g.kernelHeight,
      kernel_width: g.kernelWidth,
      batch: g.batch,
      group_in: group.inputs,
      group_out: group.outputs,
      splits,
      clip: clip ? 1 : 0,
      ...g.tapBits,
    },
    workgroups,
    flops: flopsOf(g),
    ...kernel.subgroup &&
      { grid: gridFor(trace.gpu, { workgroups, iterations: share + OTHER_ITERATIONS }) },
  });
}

/** Records dw out of its parts, `[splits, taps, inputs, outputs]`. */
function recordSum(
  trace: Trace,
  g: Geometry,
  { part, dw }: { part: Tensor; dw: Tensor },
  { accumulate, many }: { accumulate: boolean; many: boolean },
): void {
  const [splits, taps, rows] = part.shape;
  const outQuads = quads(g.keepOut);
  const { inputs } = groupOf(g);
  const sums = taps * inputs * outQuads;
  trace.run((many ? sumManyParts : sumParts)(accumulate), {
    reads: { part },
    writes: { dw },
    dims: {
      taps,
      part_rows: rows,
      part_quads: outQuads,
      rows: inputs,
      channels: g.keepOut,
      weight_rows: g.filterIn,
      weight_quads: quads(g.filterOut),
      splits,
    },
    workgroups: Math.ceil(sums / (many ? SUMMED_QUADS : 64)),
    touched: { dw: usedOfFilter(g) },
  });
}
