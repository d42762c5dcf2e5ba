import { defineKernel, type Kernel, type Read } from "../gpu/kernel.ts";
import { unroll } from "./blocked.ts";
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

/** Names that WGSL declares by `let`. */
function declaredIn(wgsl: string): string[] {
  return [...wgsl.matchAll(/\blet (\w+)/g)].map(([, name]) => name);
}

/**
 * As the kernel of {@link elementwise}, for pairs of neighbouring vec4 of half floats. Statements and
 * numbers that belong to one vec4 are there for each of the two, with `_0` or `_1` behind their
 * names: those of a number of vec4 of channels that is odd have channels of their own.
 */
function inPairs({ reads, functions, once, value }: Elementwise<string, string>): string {
  const names = ["c", "at", ...declaredIn(once ?? "")];
  const of = (wgsl: string, k: number): string =>
    wgsl.replaceAll(new RegExp(`(?<![.\\w])(${names.join("|")})\\b`, "g"), `$1_${k}`);
  const bulk = Object.keys(reads).filter((name) => reads[name] === "bulk");
  const valueOf = (k: number): string =>
    of(
      bulk.reduce(
        (wgsl, name) => wgsl.replaceAll(`${name}(at)`, `${name}_both[${k}]`),
        value("at"),
      ),
      k,
    );
  return /* wgsl */ `
${functions ?? ""}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i >= dims.step) { return; }
  ${
    once
      ? unroll(2, (k) => `let c_${k} = (2u * i + ${k}u) % dims.channel_quads;\n${of(once, k)}`)
      : ""
  }
  for (var pair = i; pair < dims.quads / 2u; pair += dims.step) {
    ${unroll(2, (k) => `let at_${k} = 2u * pair + ${k}u;`)}
    ${bulk.map((name) => `let ${name}_both = ${name}_pair(pair);`).join(" ")}
    set_y_pair(pair, ${valueOf(0)}, ${valueOf(1)});
  }
}`;
}

/**
 * A kernel that sets each vec4 of y. The ones of an invocation lie `step` apart, a multiple of the
 * channels: neighbouring invocations touch neighbouring memory, and c is the same for all of them.
 */
export function elementwise<const R extends string, const D extends string = never>(
  parts: Elementwise<R, D>,
): Kernel<R, "y", D | ElementwiseDims> {
  const { name, reads, dims, functions, once, value } = parts;
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
    wide: inPairs(parts),
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
