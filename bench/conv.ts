import type { Work } from "../kernels/conv/work.ts";
import { type Geometry, geometry } from "../kernels/wgsl/geometry.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Device } from "../kernels/gpu/device.ts";
import { relu } from "../kernels/ops/relu.ts";
import { narrow } from "../kernels/ops/narrow.ts";
import { type Operand, operandShapes, recordWork, RESULT } from "../kernels/conv/record_work.ts";
import type { Scope } from "../kernels/program/scope.ts";
import {
  ELEMENT_BYTES,
  elements,
  type ElementType,
  paddedElements,
  type Tensor,
} from "../kernels/gpu/tensor.ts";
import { type Precision, Trace } from "../kernels/program/trace.ts";
import { calibrate, type Job, measure, time } from "./timing.ts";
import { median } from "../data/median.ts";
import { values } from "./work.ts";
import { columns } from "../cli/text.ts";
import { tuneTiles } from "../cli/run/tile_cache.ts";

/** A convolution of square images. */
export interface ConvShape {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly in: number;
  readonly out: number;
  readonly size: number;
  readonly batch: number;
  /** Groups of channels. Default: 1. */
  readonly groups?: number;
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
  /**
   * With groups: input and output, in bytes, over the time, as a part of what a ReLU of the input
   * reaches.
   */
  readonly overRelu?: number;
}

function geometryOf(
  { kernel, stride, padding, in: inputs, out, size, batch, groups = 1 }: ConvShape,
): Geometry {
  const x = { shape: [batch, size, size, inputs] };
  const w = { shape: [kernel, kernel, inputs / groups, out] };
  return geometry("conv2d", x, w, { stride, padding, groups });
}

/** What is timed of a convolution, and how. */
export interface ConvChoice {
  readonly direction: Direction;
  /** In `mixed`, all that a convolution reads lies in half floats, and so do images that it writes. */
  readonly precision?: Precision;
}

/** What kernels call a direction. */
const DIRECTION = {
  forward: "forward",
  inputGradient: "input gradient",
  weightGradient: "weight gradient",
} as const satisfies Record<Direction, Work["direction"]>;

/** Floating-point operations / 1e9: twice the multiply-accumulates, the same in each direction. */
export function gflop(shape: ConvShape): number {
  const { y } = operandShapes(geometryOf(shape));
  return 2 * elements(y) * shape.kernel ** 2 * shape.in / (shape.groups ?? 1) / 1e9;
}

/**
 * Runs in a program: a GPU runs small kernels faster than it is sent them, and the submit of a
 * training step holds hundreds.
 */
function copiesOf(shape: ConvShape): number {
  return Math.min(64, Math.max(8, Math.round(0.3 / gflop(shape))));
}

/** The type of images and of filters that a convolution reads. */
function typeOf(precision: Precision): ElementType {
  return precision === "mixed" ? "f16" : "f32";
}

/** ReLUs of a program that a convolution is compared with. */
const RELUS = 8;

/** A convolution in one direction, with its operands. */
export class ConvWork {
  readonly #scope: Scope;
  readonly #work: Work;
  readonly #copies: number;
  readonly #precision: Precision;
  /** All operands but the result. */
  readonly #inputs: Readonly<Partial<Record<Operand, Tensor>>>;

  /**
   * Raises a `RangeError` for a filter that does not fit, and a {@link GpuError} for a precision that
   * the adapter does not have.
   */
  constructor(scope: Scope, shape: ConvShape, { direction, precision = "float32" }: ConvChoice) {
    this.#scope = scope;
    this.#precision = precision;
    this.#copies = copiesOf(shape);
    this.#work = { direction: DIRECTION[direction], geometry: geometryOf(shape) };
    const shapes = operandShapes(this.#work.geometry);
    const inputs = (["x", "w", "y"] as const).flatMap((name, seed) => {
      if (name === this.#result) return [];
      const numbers = values(elements(shapes[name]), seed);
      return [[name, scope.tensor(name, shapes[name], numbers, typeOf(precision))]];
    });
    this.#inputs = Object.fromEntries(inputs);
  }

  get #result(): Operand {
    return RESULT[this.#work.direction];
  }

  get #shape(): readonly number[] {
    return operandShapes(this.#work.geometry)[this.#result];
  }

  #record(trace: Trace, into: Tensor): void {
    recordWork(trace, this.#work, { x: into, w: into, y: into, ...this.#inputs });
  }

  /**
   * The work made ready to be timed; how often a submit runs it, too. Results lie where they do in a
   * network: those of filters in a buffer, others where the next kernel loads them.
   */
  async job(): Promise<{ job: Job; copies: number }> {
    const { gpu } = this.#scope;
    const precision = this.#precision;
    const filter = this.#result === "w";
    const program = await this.#scope.trace("convolution", (trace) => {
      const into = filter
        ? this.#scope.tensor("result", this.#shape)
        : trace.tensor("result", this.#shape, typeOf(precision));
      for (let i = 0; i < this.#copies; i++) this.#record(trace, into);
      if (!filter) trace.keep(narrow.forward(trace, [into], { channels: 1 })[0]);
    }, { precision });
    return { job: jobOf(gpu, () => program.replay()), copies: this.#copies };
  }

  /** Runs the work once and gives the result, row-major. */
  async result(): Promise<ArrayLike<number>> {
    const { gpu } = this.#scope;
    const into = this.#scope.tensor("result", this.#shape);
    const program = await this.#scope.trace("result", (trace) => this.#record(trace, into), {
      precision: this.#precision,
    });
    program.replay();
    return (await gpu.read([into]))[0];
  }
}

/** A chain of ReLUs on inputs of a convolution: work that is bound by memory alone. */
async function reluChain(
  scope: Scope,
  shape: ConvShape,
  precision: Precision,
): Promise<{ job: Job; bytes: number }> {
  const { x: sizes } = operandShapes(geometryOf(shape));
  const x = scope.tensor("x", sizes, values(elements(sizes), 0), typeOf(precision));
  const program = await scope.trace("relus", (trace) => {
    let y = x;
    for (let i = 0; i < RELUS; i++) y = trace.value(relu.forward(trace, [y], {})[0]);
    trace.keep(narrow.forward(trace, [y], { channels: 1 })[0]);
  }, { precision });
  return { job: jobOf(scope.gpu, () => program.replay()), bytes: 2 * x.bytes };
}

/** Work that `submit` submits to a GPU. */
export function jobOf(gpu: Device, submit: () => void): Job {
  return {
    submit,
    settle: () => gpu.idle(),
    emptyWait: () => {
      gpu.submit(() => {});
      return gpu.idle();
    },
  };
}

/** Records a convolution in all directions, for the choice of its tiles. */
export function rehearse(
  scope: Scope,
  shape: ConvShape,
  precision: Precision = "float32",
): Promise<void> {
  const geometry = geometryOf(shape);
  const trace = new Trace(scope.gpu, (tensor) => tensor, precision);
  const { x, w, y } = operandShapes(geometry);
  const type = typeOf(precision);
  const images = { x: trace.tensor("x", x, type), y: trace.tensor("y", y, type) };
  for (const direction of DIRECTIONS) {
    const filter = trace.tensor("w", w, direction === "weightGradient" ? "f32" : type);
    const operands = { ...images, w: filter };
    recordWork(trace, { direction: DIRECTION[direction], geometry }, operands);
  }
  return Promise.resolve();
}

/**
 * The part of a ReLU's bandwidth that a direction reaches: both are timed in turn, so that what else
 * a machine does meets both.
 */
async function overRelu(
  scope: Scope,
  shape: ConvShape,
  { job, copies, repeats, precision }: {
    job: Job;
    copies: number;
    repeats: number;
    precision: Precision;
  },
): Promise<number> {
  const { x, y } = operandShapes(geometryOf(shape));
  const relus = await reluChain(scope, shape, precision);
  const bytes = ELEMENT_BYTES[typeOf(precision)] * (paddedElements(x) + paddedElements(y));
  const counts = [await calibrate(job), await calibrate(relus.job)];
  const ratios: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const ms = await time(job, counts[0]) / copies;
    const reluMs = await time(relus.job, counts[1]) / RELUS;
    ratios.push(bytes / ms / (relus.bytes / reluMs));
  }
  return median(ratios);
}

/** Times a convolution in all directions. */
export async function benchConv(
  gpu: Gpu,
  shape: ConvShape,
  { repeats, precision }: { readonly repeats: number; readonly precision: Precision },
): Promise<Record<Direction, Speed>> {
  await tuneTiles(gpu, (scope) => rehearse(scope, shape, precision));
  const speed = async (direction: Direction): Promise<Speed> => {
    using scope = gpu.scope();
    const { job, copies } = await new ConvWork(scope, shape, { direction, precision }).job();
    const ms = await measure(job, repeats) / copies;
    const speed = { ms, gflops: gflop(shape) / ms * 1000 };
    if ((shape.groups ?? 1) === 1) return speed;
    return {
      ...speed,
      overRelu: await overRelu(scope, shape, { job, copies, repeats, precision }),
    };
  };
  return {
    forward: await speed("forward"),
    inputGradient: await speed("inputGradient"),
    weightGradient: await speed("weightGradient"),
  };
}

/** The table of the times. */
export function convTable(speeds: Readonly<Record<Direction, Speed>>): string {
  const tera = DIRECTIONS.every((direction) => speeds[direction].gflops >= 1000);
  const rows = DIRECTIONS.map((direction) => {
    const { ms, gflops, overRelu } = speeds[direction];
    const part = overRelu === undefined ? [] : [`${(100 * overRelu).toFixed(0)} %`];
    return [
      DIRECTION[direction],
      ms.toFixed(3),
      (tera ? gflops / 1000 : gflops).toFixed(2),
      ...part,
    ];
  });
  const compared = speeds.forward.overRelu === undefined ? [] : ["of relu's bytes/s"];
  return columns([["", "ms", tera ? "TFLOP/s" : "GFLOP/s", ...compared], ...rows]).join("\n") +
    "\n";
}
