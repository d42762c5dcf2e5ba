import { WIDEST_ROW } from "../wgsl/blocked.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { convolutionPresets } from "./convolution_preset.ts";
import type { Device } from "../gpu/device.ts";
import { imageWeightGradient } from "./image_weight_gradient.ts";
import type { Kernel } from "../gpu/kernel.ts";
import type { PendingGradient } from "../op.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import { type FilterPlan, filterPlan } from "./tile_choice.ts";
import { sumManyParts, SUMMED_QUADS, tiledWeightGradient } from "./tiled_weight_gradient.ts";
import type { Trace } from "../program/trace.ts";
import { gridFor } from "../gpu/work_queue.ts";
import { sumParts, weightGradient, type WeightGradientDims } from "./weight_gradient.ts";
import { winogradFilterGradient } from "./winograd.ts";

/** Splits from which on the partial sums of a tiled weight gradient are added up eight at a time. */
const MANY_SPLITS = 16;

/** Vec4 of outputs that are held with a row of taps. */
const ROW_OUTPUTS = 4;

/** The most iterations of all loops but that over positions. */
const OTHER_ITERATIONS = 16;

/** A kernel for the partial sums, and how its work is divided. */
interface Division {
  readonly kernel: Kernel<"x" | "dy", "part", WeightGradientDims>;
  readonly splits: number;
  readonly workgroups: number;
  /** Whether only positions inside the image are visited. */
  readonly clip: boolean;
  /** Whether the sums are added up several at a time. */
  readonly many: boolean;
}

function division(gpu: Device, g: Geometry, plan?: FilterPlan): Division {
  const { preset, broadcast } = gpu;
  const { lanes } = preset;
  const { side, positions } = convolutionPresets.of(gpu);
  if (plan) {
    const { tile, blocks, splits } = plan;
    const kernel = tiledWeightGradient(tile);
    const many = splits >= MANY_SPLITS;
    return { kernel, splits, workgroups: blocks * splits, clip: false, many };
  }
  const taps = g.kernelHeight * g.kernelWidth;
  const inQuads = quads(g.keepIn);
  const outQuads = quads(g.keepOut);
  const total = g.batch * g.outHeight * g.outWidth;
  const most = Math.ceil(total / positions);
  // Four positions to an iteration.
  const fewest = Math.ceil(total / 4 / ((preset.iterations ?? Infinity) - OTHER_ITERATIONS));
  const splitsFor = (invocations: number): number =>
    Math.max(fewest, Math.min(most, Math.ceil(preset.invocations / invocations)));
  if (inQuads === 1 && g.kernelWidth <= WIDEST_ROW) {
    const rows = g.kernelHeight * Math.ceil(outQuads / ROW_OUTPUTS);
    const splits = splitsFor(4 * rows);
    const workgroups = Math.ceil(rows * splits / lanes);
    const shape = {
      channels: g.keepIn,
      taps: g.kernelWidth,
      outputs: ROW_OUTPUTS,
      lanes,
      broadcast,
    };
    const kernel = imageWeightGradient(shape);
    return { kernel, splits, workgroups, clip: false, many: false };
  }
  const inputs = broadcast ? (outQuads > side && taps * inQuads >= 2 * lanes ? 2 : 1) : side;
  const outputs = broadcast && outQuads > side ? 2 * side : side;
  const inBlocks = Math.ceil(inQuads / inputs);
  const blocks = Math.ceil(taps * inBlocks / lanes) * Math.ceil(outQuads / outputs);
  const splits = splitsFor(blocks * lanes);
  return {
    kernel: weightGradient({ inputs, outputs, lanes, broadcast }),
    splits,
    workgroups: blocks * splits,
    clip: broadcast === 0 || inBlocks % lanes === 0,
    many: false,
  };
}

/** The gradient of the filter, recorded where it is wanted. */
export function filterGradient(trace: Trace, g: Geometry, x: Tensor, dy: Tensor): PendingGradient {
  const plan = filterPlan(trace.gpu, { direction: "weight gradient", geometry: g });
  if (plan?.winograd) return winogradFilterGradient(trace, g, { x, dy }, plan);
  const divided = division(trace.gpu, g, plan);
  const { splits, many } = divided;
  const taps = g.kernelHeight * g.kernelWidth;
  const rows = quads(g.keepIn) * 4;
  const complete = g.keepIn === g.filterIn && g.keepOut === g.filterOut;
  // The only part has the layout of the whole filter.
  const whole = splits === 1 && complete && rows === g.filterIn;
  return {
    complete,
    write: (into, accumulate) => {
      if (whole && !accumulate) return recordParts(trace, g, divided, { x, dy, part: into });
      const shape = [splits, taps, rows, quads(g.keepOut) * 4];
      const part = trace.tensor(`d${g.name} parts`, shape);
      recordParts(trace, g, divided, { x, dy, part });
      recordSum(trace, g, { part, dw: into }, { accumulate, many });
    },
  };
}

function recordParts(
  trace: Trace,
  g: Geometry,
  { kernel, splits, workgroups, clip }: Division,
  { x, dy, part }: { x: Tensor; dy: Tensor; part: Tensor },
): void {
  const inQuads = quads(g.keepIn);
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
      stride: g.stride,
      padding: g.padding,
      kernel_height: g.kernelHeight,
      kernel_width: g.kernelWidth,
      batch: g.batch,
      splits,
      clip: clip ? 1 : 0,
      ...g.tapBits,
    },
    workgroups,
    grid: gridFor(trace.gpu, { workgroups, iterations: share + OTHER_ITERATIONS }),
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
  const sums = taps * g.keepIn * outQuads;
  trace.run((many ? sumManyParts : sumParts)(accumulate), {
    reads: { part },
    writes: { dw },
    dims: {
      taps,
      part_rows: rows,
      part_quads: outQuads,
      rows: g.keepIn,
      channels: g.keepOut,
      weight_rows: g.filterIn,
      weight_quads: quads(g.filterOut),
      splits,
    },
    workgroups: Math.ceil(sums / (many ? SUMMED_QUADS : 64)),
  });
}
