import { recordForward, recordInputGradient } from "../kernels/convolution.ts";
import { filterGradient } from "../kernels/filter_gradient.ts";
import { type Geometry, geometry } from "../kernels/geometry.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { narrow } from "../kernels/narrow.ts";
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

/** Runs in a program: a GPU runs small kernels faster than it is sent them one by one. */
const COPIES = 8;

function geometryOf(
  { kernel, stride, padding, in: inputs, out, size, batch }: ConvShape,
): Geometry {
  const x = { shape: [batch, size, size, inputs] };
  const w = { shape: [kernel, kernel, inputs, out] };
  return geometry("conv2d", x, w, { stride, padding });
}

function shapesOf(g: Geometry): Record<"x" | "w" | "y", number[]> {
  return {
    x: [g.batch, g.height, g.width, g.keepIn],
    w: [g.kernelHeight, g.kernelWidth, g.keepIn, g.keepOut],
    y: [g.batch, g.outHeight, g.outWidth, g.keepOut],
  };
}

/** Floating-point operations / 1e9: twice the multiply-accumulates, the same in each direction. */
export function gflop(shape: ConvShape): number {
  const { y: [batch, height, width, out] } = shapesOf(geometryOf(shape));
  return 2 * batch * height * width * out * shape.kernel ** 2 * shape.in / 1e9;
}

const RESULTS = { forward: "y", inputGradient: "x", weightGradient: "w" } as const;

/** A convolution in one direction, with its operands. */
export class ConvWork {
  readonly #scope: Scope;
  /** Of the result. */
  readonly #shape: readonly number[];
  readonly #direction: Direction;
  readonly #record: (trace: Trace, into: Tensor) => void;

  /** Raises a `RangeError` for a filter that does not fit. */
  constructor(scope: Scope, shape: ConvShape, direction: Direction) {
    const g = geometryOf(shape);
    const shapes = shapesOf(g);
    const tensor = (name: "x" | "w" | "y", seed: number): Tensor => {
      const count = shapes[name].reduce((product, d) => product * d, 1);
      return scope.tensor(name, shapes[name], values(count, seed));
    };
    this.#scope = scope;
    this.#shape = shapes[RESULTS[direction]];
    this.#direction = direction;
    if (direction === "forward") {
      const [x, w] = [tensor("x", 0), tensor("w", 1)];
      this.#record = (trace, y) => recordForward(trace, g, x, w, y);
    } else if (direction === "inputGradient") {
      const [w, dy] = [tensor("w", 1), tensor("y", 2)];
      this.#record = (trace, dx) => recordInputGradient(trace, g, { dy, w, dx });
    } else {
      const [x, dy] = [tensor("x", 0), tensor("y", 2)];
      this.#record = (trace, dw) => filterGradient(trace, g, x, dy).write(dw, false);
    }
  }

  /**
   * The work made ready to be timed; how often a submit runs it, too. Results lie where they do in a
   * network: those of filters in a buffer, others where the next kernel loads them.
   */
  async job(): Promise<{ job: Job; copies: number }> {
    const { gpu } = this.#scope;
    const filter = this.#direction === "weightGradient";
    const program = await this.#scope.trace("convolution", (trace) => {
      const into = filter
        ? this.#scope.tensor("result", this.#shape)
        : trace.tensor("result", this.#shape);
      for (let i = 0; i < COPIES; i++) this.#record(trace, into);
      if (!filter) trace.keep(narrow.forward(trace, [into], { channels: 1 })[0]);
    });
    return { job: jobOf(gpu, () => program.replay()), copies: COPIES };
  }

  /** Runs the work once and gives the result, row-major. */
  async result(): Promise<ArrayLike<number>> {
    const { gpu } = this.#scope;
    const into = this.#scope.tensor("result", this.#shape);
    const program = await this.#scope.trace("result", (trace) => this.#record(trace, into));
    program.replay();
    return (await gpu.read([into]))[0];
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
