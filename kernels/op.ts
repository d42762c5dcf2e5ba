import type { Tensor } from "./gpu/tensor.ts";
import type { EpilogueOperands } from "./wgsl/epilogue.ts";
import type { Trace } from "./program/trace.ts";

/**
 * A gradient that is written where it is wanted: into a tensor of its own, or into the gradient of
 * a parameter, where `accumulate` adds it to what is there.
 */
export interface PendingGradient {
  /** Whether {@link write} sets every element; otherwise the rest has to be zero beforehand. */
  readonly complete: boolean;
  /** Records the kernels that write it, or add it to what is there. */
  write(into: Tensor, accumulate: boolean): void;
}

/**
 * A gradient whose kernel takes an epilogue: others are added, or a ReLU is undone, as it is
 * written.
 */
export interface FusibleGradient {
  /** Records the kernels that write `(gradient + plus) · [gate > 0]` into a tensor of its shape. */
  fuse(into: Tensor, epilogue: EpilogueOperands): void;
}

/** The gradient of one input, or `null` where there is none. */
export type Gradient = Tensor | PendingGradient | FusibleGradient | null;

/** The values that a vector-Jacobian product may use. */
export interface Context<A> {
  /** The inputs of the op. */
  readonly inputs: readonly Tensor[];
  /** The outputs of the op, saved ones included. */
  readonly outputs: readonly Tensor[];
  /** The attributes of the op. */
  readonly attributes: A;
  /** Whether each input wants a gradient; the others' may be `null`. */
  readonly wanted: readonly boolean[];
}

/** Float64 values in row-major order, without padding. */
export interface Values {
  /** The sizes, outermost first. */
  readonly shape: readonly number[];
  /** The values, as many as the product of the shape. */
  readonly data: Float64Array;
}

/** An input of a case: its shape, and how to draw its values. */
export interface Input {
  /** The sizes, outermost first. */
  readonly shape: readonly number[];
  /** The type of its elements. Default: `f32`. */
  readonly type?: "f32" | "u32";
  /** The value at flat index `i`; `normal()` draws from N(0, 1). Default: `normal()`. */
  readonly sample?: (normal: () => number, i: number) => number;
  /** Whether it has a gradient. Default: inputs of type f32 have. */
  readonly differentiable?: boolean;
}

/** One case: parity test, gradient test and bench follow from it. */
export interface Case<A> {
  /** The inputs of the op; a shape alone stands for normally distributed values. */
  readonly inputs: readonly (Input | readonly number[])[];
  /** The attributes of the op. */
  readonly attributes: A;
}

/** The gradient of each input, given that of the first output. */
export type Vjp<A> = {
  of(trace: Trace, context: Context<A>, dy: Tensor): readonly Gradient[];
}["of"];

/**
 * An operation: its kernels, its gradient, its meaning, and cases to hold it to that.
 * `A` is its attributes: plain numbers and flags such as a stride.
 */
export interface Op<A = object> {
  /** The name in errors, tests and benches. */
  readonly name: string;
  /** Records the kernels. The first output is the result; others are saved for the gradient. */
  forward(trace: Trace, inputs: readonly Tensor[], attributes: A): readonly Tensor[];
  /**
   * The vector-Jacobian product: the gradient of each input, given `dy`, that of the first output.
   * `"none"` states that an op has no gradient: it updates state or counts.
   */
  readonly vjp: Vjp<A> | "none";
  /**
   * Whether the result is that of a ReLU. If so, `vjp` is given dy · [y > 0] in place of dy: what
   * computes dy can often set it to zero at once.
   */
  rectified?(attributes: A, inputs: readonly Tensor[]): boolean;
  /** The first outputs in float64, written to be read rather than to be fast. */
  reference(inputs: readonly Values[], attributes: A): readonly Values[];
  /** The cases that it is tested and timed on. */
  readonly cases: readonly Case<A>[];
}
