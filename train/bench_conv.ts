import { conv2d } from "../kernels/conv2d.ts";
import { geometry } from "../kernels/geometry.ts";
import { pullBack, written } from "../kernels/gradient.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/scope.ts";
import type { Tensor } from "../kernels/tensor.ts";
import type { Trace } from "../kernels/trace.ts";
import { type Job, measure } from "./bench_timing.ts";
import { values } from "./bench_work.ts";
import { columns } from "./text.ts";

/** A convolution of square images. */
export interface ConvShape {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly in: number;
  readonly out: number;
  readonly size: number;
  readonly batch: number;
}

/** What is timed of a convolution. */
export const DIRECTIONS = ["forward", "inputGradient", "weightGradient"] as const;
/** One of {@link DIRECTIONS}. */
export type Direction = typeof DIRECTIONS[number];

/** Time and speed of one direction. */
export interface Speed {
  readonly ms: number;
  /** 1e9 floating-point operations a second, two to a multiply-accumulate. */
  readonly gflops: number;
}

/** A GPU runs small kernels faster than it is sent them one by one. */
const COPIES = 16;

function shapesOf({ kernel, stride, padding, in: inputs, out, size, batch }: ConvShape) {
  const x = [batch, size, size, inputs];
  const w = [kernel, kernel, inputs, out];
  const { outHeight, outWidth } = geometry("conv2d", { shape: x }, { shape: w }, {
    stride,
    padding,
  });
  return { x, w, y: [batch, outHeight, outWidth, out] };
}

/** Floating-point operations / 1e9: twice the multiply-accumulates, the same in each direction. */
export function gflop(shape: ConvShape): number {
  const { y: [batch, height, width, out] } = shapesOf(shape);
  return 2 * batch * height * width * out * shape.kernel ** 2 * shape.in / 1e9;
}

/** A convolution in one direction, with its operands. */
export class ConvWork {
  readonly #scope: Scope;
  readonly #record: (trace: Trace) => Tensor;

  /** Raises a `RangeError` for a filter that does not fit. */
  constructor(scope: Scope, shape: ConvShape, direction: Direction) {
    const shapes = shapesOf(shape);
    const tensor = (name: "x" | "w" | "y", seed: number): Tensor => {
      const count = shapes[name].reduce((product, d) => product * d, 1);
      return scope.tensor(name, shapes[name], values(count, seed));
    };
    const { stride, padding } = shape;
    const attributes = { stride, padding };
    this.#scope = scope;
    if (direction === "forward") {
      const inputs = [tensor("x", 0), tensor("w", 1)];
      this.#record = (trace) => conv2d.forward(trace, inputs, attributes)[0];
      return;
    }
    const at = direction === "inputGradient" ? 0 : 1;
    const x = at === 0 ? scope.tensor("x", shapes.x) : tensor("x", 0);
    const w = at === 1 ? scope.tensor("w", shapes.w) : tensor("w", 1);
    const dy = tensor("y", 2);
    const into = [x, w][at].shape;
    this.#record = (trace) => {
      const context = { inputs: [x, w], outputs: [], attributes, wanted: [at === 0, at === 1] };
      const gradient = pullBack(trace, conv2d, context, dy)[at];
      if (!gradient) throw new TypeError("Cannot time a gradient that there is not");
      return written(trace, gradient, { name: "gradient", shape: into });
    };
  }

  /** The work made ready to be timed; how often a submit runs it, too. */
  async job(): Promise<{ job: Job; copies: number }> {
    const { gpu } = this.#scope;
    // Copies in one program would share the mirrors of their operands, which cost time.
    const copies = gpu.preset.loads === "buffer" ? COPIES : 1;
    const program = await this.#scope.trace("convolution", (trace) => {
      for (let i = 0; i < copies; i++) this.#record(trace);
    });
    return { job: jobOf(gpu, () => program.replay()), copies };
  }

  /** Runs the work once and gives the result, row-major. */
  async result(): Promise<ArrayLike<number>> {
    const { gpu } = this.#scope;
    const kept: Tensor[] = [];
    const program = await this.#scope.trace("result", (trace) => {
      kept.push(trace.keep(this.#record(trace)));
    });
    program.replay();
    return (await gpu.read(kept))[0];
  }
}

/** Work that `submit` submits to a GPU. */
export function jobOf(gpu: Gpu, submit: () => void): Job {
  return {
    submit,
    settle: () => gpu.idle(),
    emptyWait: () => {
      gpu.submit(() => {});
      return gpu.idle();
    },
  };
}

/** Times a convolution in all directions. */
export async function benchConv(
  gpu: Gpu,
  shape: ConvShape,
  repeats: number,
): Promise<Record<Direction, Speed>> {
  const speed = async (direction: Direction): Promise<Speed> => {
    using scope = gpu.scope();
    const { job, copies } = await new ConvWork(scope, shape, direction).job();
    const ms = await measure(job, repeats) / copies;
    return { ms, gflops: gflop(shape) / ms * 1000 };
  };
  return {
    forward: await speed("forward"),
    inputGradient: await speed("inputGradient"),
    weightGradient: await speed("weightGradient"),
  };
}

/** The table of the times. */
export function convTable(speeds: Readonly<Record<Direction, Speed>>): string {
  const names = {
    forward: "forward",
    inputGradient: "input gradient",
    weightGradient: "weight gradient",
  };
  const rows = DIRECTIONS.map((direction) => {
    const { ms, gflops } = speeds[direction];
    return [names[direction], ms.toFixed(3), gflops.toFixed(2)];
  });
  return columns([["", "ms", "GFLOP/s"], ...rows]).join("\n") + "\n";
}
