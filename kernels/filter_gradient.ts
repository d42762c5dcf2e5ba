import { WIDEST_ROW } from "./blocked.ts";
import type { Geometry } from "./geometry.ts";
import type { Gpu } from "./gpu.ts";
import { imageWeightGradient } from "./image_weight_gradient.ts";
import type { Kernel } from "./kernel.ts";
import type { Gradient } from "./op.ts";
import { quads, type Tensor } from "./tensor.ts";
import { divide, filterTile } from "./tile_choice.ts";
import { sumManyParts, SUMMED_QUADS, tiledWeightGradient } from "./tiled_weight_gradient.ts";
import type { Trace } from "./trace.ts";
import { sumParts, weightGradient, type WeightGradientDims } from "./weight_gradient.ts";

/** Splits from which on the partial sums of a tiled weight gradient are added up eight at a time. */
const MANY_SPLITS = 16;

/** Vec4 of outputs that are held with a row of taps. */
const ROW_OUTPUTS = 4;

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

function division(gpu: Gpu, g: Geometry): Division {
  const { preset: { tiles, lanes, side, invocations, positions }, broadcast } = gpu;
  const tile = filterTile(gpu, { direction: "weight gradient", geometry: g });
  if (tile && tiles) {
    const { blocks, splits } = divide(tile, g, tiles.processors);
    const kernel = tiledWeightGradient(tile);
    const many = splits >= MANY_SPLITS;
    return { kernel, splits, workgroups: blocks * splits, clip: false, many };
  }
  const taps = g.kernelHeight * g.kernelWidth;
  const inQuads = quads(g.keepIn);
  const outQuads = quads(g.keepOut);
  const most = Math.ceil(g.batch * g.outHeight * g.outWidth / positions);
  if (inQuads === 1 && g.kernelWidth <= WIDEST_ROW) {
    const rows = g.kernelHeight * Math.ceil(outQuads / ROW_OUTPUTS);
    const splits = Math.min(most, Math.ceil(invocations / 4 / rows));
    const workgroups = Math.ceil(rows * splits / lanes);
    const shape = { channels: g.keepIn, taps: g.kernelWidth, outputs: ROW_OUTPUTS, lanes };
    const kernel = imageWeightGradient(shape);
    return { kernel, splits, workgroups, clip: false, many: false };
  }
  const inputs = broadcast ? 1 : side;
  const outputs = broadcast && outQuads > side ? 2 * side : side;
  const inBlocks = Math.ceil(inQuads / inputs);
  const blocks = Math.ceil(taps * inBlocks / lanes) * Math.ceil(outQuads / outputs);
  const splits = Math.min(most, Math.ceil(invocations / (blocks * lanes)));
  return {
    kernel: weightGradient({ inputs, outputs, lanes, broadcast }),
    splits,
    workgroups: blocks * splits,
    clip: broadcast === 0 || inBlocks % lanes === 0,
    many: false,
  };
}

/** Records the partial sums of the gradient of the filter, to be added up where it is wanted. */
export function recordFilterGradient(trace: Trace, g: Geometry, x: Tensor, dy: Tensor): Gradient {
  const { kernel, splits, workgroups, clip, many } = division(trace.gpu, g);
  const inQuads = quads(g.keepIn);
  const outQuads = quads(g.keepOut);
  const taps = g.kernelHeight * g.kernelWidth;
  const part = trace.tensor(`d${g.name} parts`, [splits, taps, inQuads * 4, outQuads * 4]);
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
      out_quads: outQuads,
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
  });
  return sumOf(trace, g, part, many);
}

/** The gradient of the filter out of its partial sums `[splits, taps, inputs, outputs]`. */
function sumOf(trace: Trace, g: Geometry, part: Tensor, many: boolean): Gradient {
  const [splits, taps, rows] = part.shape;
  const outQuads = quads(g.keepOut);
  const sums = taps * g.keepIn * outQuads;
  const workgroups = Math.ceil(sums / (many ? SUMMED_QUADS : 64));
  return {
    complete: g.keepIn === g.filterIn && g.keepOut === g.filterOut,
    write: (into, accumulate) =>
      trace.run((many ? sumManyParts : sumParts)(accumulate), {
        reads: { part },
        writes: { dw: into },
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
        workgroups,
      }),
  };
}
