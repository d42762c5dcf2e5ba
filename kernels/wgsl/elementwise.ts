import { defineKernel, type Kernel, type Read } from "../gpu/kernel.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** Invocations of a workgroup. */
export const LANES = 64;

/**
 * Vec4 that one invocation handles: what belongs to its channels is loaded once for all of them.
 */
const EACH = 8;

/** Numbers that every elementwise kernel takes. */
export type ElementwiseDims = "quads" | "step" | "channel_quads";

/** An elementwise kernel in parts. */
export interface Elementwise<R extends string, D extends string> {
  readonly name: string;
  readonly reads: Readonly<Record<R, Read>>;
  readonly dims: Readonly<Record<D, "u32" | "f32">>;
  /** Functions that `value` uses. */
  readonly functions?: string;
  /** Statements that are run once per invocation; `c` is its vec4 of channels. */
  readonly once?: string;
  /** The expression for the vec4 of y at index `at`. */
  readonly value: (at: string) => string;
}

/**
 * A kernel that sets each vec4 of y. The ones of an invocation lie `step` apart, a multiple of the
 * channels: neighbouring invocations touch neighbouring memory, and c is the same for all of them.
 */
export function elementwise<const R extends string, const D extends string = never>(
  { name, reads, dims, functions, once, value }: Elementwise<R, D>,
): Kernel<R, "y", D | ElementwiseDims> {
  return defineKernel({
    name,
    workgroupSize: LANES,
    reads,
    writes: { y: "bulk" },
    dims: { ...dims, quads: "u32", step: "u32", channel_quads: "u32" },
    wgsl: /* wgsl */ `
${functions ?? ""}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i >= dims.step) { return; }
  ${once ? `let c = i % dims.channel_quads;\n${once}` : ""}
  for (var at = i; at < dims.quads; at += dims.step) { set_y(at, ${value("at")}); }
}`,
    iterations: ({ quads, step }) => Math.ceil(quads / step) + 1,
  });
}

/** The numbers and the workgroups of an elementwise kernel over `tensor`. */
export function spread(
  tensor: Tensor,
): { dims: Record<ElementwiseDims, number>; workgroups: number } {
  const channelQuads = quads(tensor.shape.at(-1) ?? 1);
  const step = Math.ceil(tensor.quads / channelQuads / EACH) * channelQuads;
  return {
    dims: { quads: tensor.quads, step, channel_quads: channelQuads },
    workgroups: Math.ceil(step / LANES),
  };
}

/** `relu(v)` and `relu_gradient(y, dy)`. NaN passes, as in PyTorch; the slope at 0 is 0. */
export const RELU = /* wgsl */ `
fn relu(v: vec4f) -> vec4f { return select(v, vec4f(), v < vec4f()); }
fn relu_gradient(y: vec4f, dy: vec4f) -> vec4f { return select(vec4f(), dy, y > vec4f()); }`;

const reluGradient = elementwise({
  name: "relu gradient",
  reads: { out: "bulk", dy: "bulk" },
  dims: {},
  functions: RELU,
  value: (at) => `relu_gradient(out(${at}), dy(${at}))`,
});

/** Records dy · [out > 0], the gradient of whatever went into a ReLU with result `out`. */
export function recordReluGradient(trace: Trace, out: Tensor, dy: Tensor): Tensor {
  const y = trace.tensor("relu gradient", out.shape);
  trace.run(reluGradient, { reads: { out, dy }, writes: { y }, ...spread(y) });
  return y;
}

/** N(0, 1) kept 0.1 away from 0, where ReLU has a kink. */
export function awayFromZero(normal: () => number): number {
  const value = normal();
  return value + (value < 0 ? -0.1 : 0.1);
}
