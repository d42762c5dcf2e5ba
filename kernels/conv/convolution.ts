import { WIDEST_ROW } from "../wgsl/blocked.ts";
import { type GatherDims, gatheredProduct } from "./implicit_gemm.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import type { Device } from "../gpu/device.ts";
import { epilogueOf, type EpilogueOperands } from "../wgsl/epilogue.ts";
import type { Kernel } from "../gpu/kernel.ts";
import type { FusibleGradient } from "../op.ts";
import { type Form, type Phases, phasesOf, phasesWithTaps } from "./phases.ts";
import { type Block, convolutionPresets } from "./convolution_preset.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import { productPlan } from "./tile_choice.ts";
import { thinProduct } from "./thin_product.ts";
import { tiledProduct } from "./tiled_product.ts";
import type { Trace } from "../program/trace.ts";
import { gridFor } from "../gpu/work_queue.ts";
import { recordWinograd } from "./winograd.ts";

/**
 * The block that wastes least of loads (20) and multiply-adds (5) on `count` vec4 of outputs. There
 * are few to choose from, as each is a kernel to compile, half a second on a software adapter.
 */
function blockFor(count: number, gpu: Device): Block {
  const cost = ({ rows, columns }: Block): number => {
    const loads = rows + 4 * columns / (gpu.broadcast || 1);
    return Math.ceil(count / columns) * (loads * 20 + rows * columns * 5) / rows;
  };
  return convolutionPresets.of(gpu).blocks.reduce((best, block) =>
    cost(block) < cost(best) ? block : best
  );
}

/** Raises a `RangeError` if so many iterations of loops are too many for an invocation. */
function demandIterations(
  { preset }: Device,
  { name, depth, iterations }: { name: string; depth: number; iterations: number },
): void {
  if (iterations > (preset.iterations ?? Infinity)) {
    throw new RangeError(
      `Cannot apply ${name} on this adapter, which sums up ${depth * 4} products to an output: ` +
        `loops end there after ${preset.iterations} iterations, and this takes ${iterations}`,
    );
  }
}

interface Gather {
  readonly form: Form;
  readonly x: Tensor;
  readonly w: Tensor;
  readonly y: Tensor;
  /** What is done to the result before it is written. */
  readonly epilogue?: EpilogueOperands;
}

/** Height, width and channels of what a product of a form reads and writes. */
function sides(form: Form, g: Geometry): Record<"from" | "to", [number, number, number]> {
  const image: [number, number, number] = [g.height, g.width, g.keepIn];
  const output: [number, number, number] = [g.outHeight, g.outWidth, g.keepOut];
  return form === "outer" ? { from: image, to: output } : { from: output, to: image };
}

function gather(trace: Trace, g: Geometry, { form, x, w, y, epilogue = {} }: Gather): void {
  const direction = form === "outer" ? "forward" : "input gradient";
  const plan = productPlan(trace.gpu, { direction, geometry: g });
  if (plan?.winograd) return recordWinograd(trace, g, { form, x, w, y, epilogue }, plan.tile);
  const { from, to } = sides(form, g);
  const all = phasesOf(form, g);
  const positions = g.batch * Math.ceil(to[0] / all.rows) * Math.ceil(to[1] / all.columns);
  const phases = form === "inner" && g.padding === 0 && !epilogue.plus ? phasesWithTaps(g) : all;
  if (phases.rows * phases.columns < all.rows * all.columns) trace.clear(y);
  const outQuads = quads(to[2]);
  const taps = g.kernelHeight * g.kernelWidth;
  const depth = taps * quads(from[2]);
  const run = (
    kernel: Kernel<string, "y", GatherDims>,
    { phases, positionsPerGroup, blocks }: {
      phases: Phases;
      positionsPerGroup: number;
      blocks: number;
    },
  ): void => {
    const groups = Math.ceil(positions / positionsPerGroup);
    const workgroups = phases.rows * phases.columns * groups * blocks;
    // Of loops over turns, taps, inputs, and the vec4 that are stored; leaving a loop counts as one.
    const iterations = 4 + 2 * taps + depth + Math.ceil(outQuads / blocks);
    demandIterations(trace.gpu, { name: g.name, depth, iterations });
    trace.run(kernel, {
      reads: { x, w, ...epilogue },
      writes: { y },
      dims: {
        batch: g.batch,
        groups,
        in_height: from[0],
        in_width: from[1],
        in_quads: quads(from[2]),
        stride: g.stride,
        padding: g.padding,
        kernel_height: g.kernelHeight,
        kernel_width: g.kernelWidth,
        phase_columns: phases.columns,
        weight_rows: g.filterIn,
        weight_quads: quads(g.filterOut),
        out_height: to[0],
        out_width: to[1],
        out_channels: to[2],
        ...g.tapBits,
      },
      workgroups,
      grid: gridFor(trace.gpu, { workgroups, iterations }),
    });
  };
  if (plan) {
    const { tile } = plan;
    const blocks = Math.ceil(outQuads * 4 / tile.channels);
    const aligned = quads(from[2]) % (tile.depth / 4) === 0;
    run(tiledProduct(form, tile, { aligned, epilogue: epilogueOf(epilogue) }), {
      phases,
      positionsPerGroup: tile.positions,
      blocks,
    });
    return;
  }
  const { preset: { lanes }, broadcast } = trace.gpu;
  const { rows, columns } = blockFor(outQuads, trace.gpu);
  const common = { rows, lanes, broadcast, epilogue: epilogueOf(epilogue) };
  const channels = from[2] <= 4 ? from[2] : undefined;
  const follows = from[0] * all.rows === to[0] && from[1] * g.stride === to[1];
  const thin = form === "inner" && outQuads === 1 && follows && g.kernelWidth > 1 &&
    g.kernelWidth <= WIDEST_ROW;
  if (thin) {
    const { stride, padding } = g;
    const shape = { channels: to[2], taps: g.kernelWidth, stride, padding };
    run(thinProduct({ ...common, ...shape }), {
      phases: { rows: phases.rows, columns: 1 },
      positionsPerGroup: rows * lanes,
      blocks: 1,
    });
    return;
  }
  run(gatheredProduct(form, { ...common, columns, channels }), {
    phases,
    positionsPerGroup: rows * lanes,
    blocks: Math.ceil(outQuads / columns),
  });
}

/** Records y = x * w into `y`, `[batch, outHeight, outWidth, keepOut]`. */
export function recordForward(trace: Trace, g: Geometry, x: Tensor, w: Tensor, y: Tensor): void {
  gather(trace, g, { form: "outer", x, w, y });
}

/** Records the gradient of the input into `dx`, `[batch, height, width, keepIn]`. */
export function recordInputGradient(
  trace: Trace,
  g: Geometry,
  { dy, w, dx }: { dy: Tensor; w: Tensor; dx: Tensor },
  epilogue: EpilogueOperands = {},
): void {
  gather(trace, g, { form: "inner", x: dy, w, y: dx, epilogue });
}

/** The gradient of the input, recorded once its epilogue is known. */
export function inputGradient(trace: Trace, g: Geometry, dy: Tensor, w: Tensor): FusibleGradient {
  return {
    fuse: (dx, epilogue) => recordInputGradient(trace, g, { dy, w, dx }, epilogue),
  };
}
