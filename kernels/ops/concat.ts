import type { Shaped } from "../wgsl/geometry.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { elements, quads, type Tensor } from "../gpu/tensor.ts";
import { walk, WALK_DIMS, walkIterations, walkOver } from "../wgsl/walk.ts";
import type { Trace } from "../program/trace.ts";

/** Concatenation has no attributes. */
export type ConcatAttributes = Readonly<Record<string, never>>;

/** `from_start(p, r, t)`: four channels of the vec4 p and r, from the t-th of p on. */
const FROM_START = /* wgsl */ `
fn from_start(p: vec4f, r: vec4f, t: i32) -> vec4f {
  if (t == 0) { return p; }
  if (t == 1) { return vec4f(p.y, p.z, p.w, r.x); }
  if (t == 2) { return vec4f(p.z, p.w, r.x, r.y); }
  return vec4f(p.w, r.x, r.y, r.z);
}`;

/** The vec4 `q` of pixel `w` of x, which has `count` of them; zeros beside them. */
function quadOf(x: string, q: string, count: string): string {
  const inside = `u32(clamp(${q}, 0, i32(${count}) - 1))`;
  return `select(vec4f(), ${x}(w * ${count} + ${inside}), ${q} >= 0 && ${q} < i32(${count}))`;
}

// Channel k of y is that of a below a's channels, and channel k - (channels of a) of b from there on.
const joinTwo = defineKernel({
  name: "concat",
  workgroupSize: LANES,
  reads: { a: "bulk", b: "bulk" },
  writes: { y: "bulk" },
  dims: { ...WALK_DIMS, a_channels: "u32", a_quads: "u32", b_quads: "u32" },
  wgsl: FROM_START + walk({
    once: `let of_a = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.a_channels);
  let start = i32(c * 4u) - i32(dims.a_channels);
  let q = start >> 2u;
  let t = start & 3;`,
    body: `
    let first = ${quadOf("a", "i32(c)", "dims.a_quads")};
    let low = ${quadOf("b", "q", "dims.b_quads")};
    let high = ${quadOf("b", "(q + 1)", "dims.b_quads")};
    set_y(at, select(from_start(low, high, t), first, of_a));`,
  }),
  iterations: (dims) => walkIterations(dims),
});

const slice = defineKernel({
  name: "concat gradient",
  workgroupSize: LANES,
  reads: { dy: "bulk" },
  writes: { dx: "bulk" },
  dims: { ...WALK_DIMS, start: "u32", channels: "u32", y_quads: "u32" },
  wgsl: FROM_START + walk({
    once: `let kept = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.channels);
  let start = i32(dims.start + c * 4u);
  let q = start >> 2u;
  let t = start & 3;`,
    body: `
    let low = ${quadOf("dy", "q", "dims.y_quads")};
    let high = ${quadOf("dy", "(q + 1)", "dims.y_quads")};
    set_dx(at, select(vec4f(), from_start(low, high, t), kept));`,
  }),
  iterations: (dims) => walkIterations(dims),
});

function channelsOf({ shape }: Shaped): number {
  return shape.at(-1) ?? 1;
}

/**
 * Raises a `TypeError` for fewer than two inputs, or for shapes that differ before the channels.
 */
function outputShape(inputs: readonly Shaped[]): number[] {
  const outer = inputs.map(({ shape }) => shape.slice(0, -1));
  if (inputs.length < 2 || outer.some((shape) => String(shape) !== String(outer[0]))) {
    throw new TypeError(
      `Cannot apply concat: wanted two or more inputs that differ in their channels alone, found ` +
        (inputs.map(({ shape }) => `[${shape}]`).join(", ") || "none"),
    );
  }
  return [...outer[0], inputs.reduce((sum, x) => sum + channelsOf(x), 0)];
}

function recordJoin(trace: Trace, a: Tensor, b: Tensor): Tensor {
  const shape = outputShape([a, b]);
  const y = trace.tensor("concat", shape);
  const pixels = elements(shape.slice(0, -1));
  const { dims, workgroups } = walkOver({ rows: 1, width: pixels, channels: channelsOf(y) });
  const [a_quads, b_quads] = [a, b].map((x) => quads(channelsOf(x)));
  trace.run(joinTwo, {
    reads: { a, b },
    writes: { y },
    dims: { ...dims, a_channels: channelsOf(a), a_quads, b_quads },
    workgroups,
  });
  return y;
}

/** The channels of `dy` that x has brought, from channel `start` on. */
function recordSlice(trace: Trace, dy: Tensor, x: Tensor, start: number): Tensor {
  const dx = trace.tensor("dconcat", x.shape);
  const pixels = elements(x.shape.slice(0, -1));
  const channels = channelsOf(x);
  const { dims, workgroups } = walkOver({ rows: 1, width: pixels, channels });
  trace.run(slice, {
    reads: { dy },
    writes: { dx },
    dims: { ...dims, start, channels, y_quads: quads(channelsOf(dy)) },
    workgroups,
    touched: { dy: 4 * dx.quads },
  });
  return dx;
}

/** The channel of the result at which each input starts. */
function startsOf(inputs: readonly Shaped[]): number[] {
  let end = 0;
  return inputs.map((x) => (end += channelsOf(x)) - channelsOf(x));
}

function on(outer: readonly number[], channels: readonly number[]): Case<ConcatAttributes> {
  return { inputs: channels.map((last) => [...outer, last]), attributes: {} };
}

/**
 * `concat(a, b, ...)`: the channels of all inputs, one behind the other; all but the last dimension
 * are equal.
 */
export const concat: Op<ConcatAttributes> = {
  name: "concat",
  forward: (trace, inputs) => {
    outputShape(inputs);
    return [inputs.slice(1).reduce((joined, x) => recordJoin(trace, joined, x), inputs[0])];
  },
  // The gradient of each input is the part of dy that it has brought.
  vjp: (trace, { inputs, wanted }, dy) => {
    const starts = startsOf(inputs);
    return inputs.map((x, i) => wanted[i] ? recordSlice(trace, dy, x, starts[i]) : null);
  },
  reference: (inputs) => {
    const shape = outputShape(inputs);
    const data = new Float64Array(elements(shape));
    const all = shape[shape.length - 1];
    const starts = startsOf(inputs);
    inputs.forEach((x, n) => {
      const channels = channelsOf(x);
      x.data.forEach((value, i) => {
        data[Math.floor(i / channels) * all + starts[n] + i % channels] = value;
      });
    });
    return [{ shape, data }];
  },
  cases: [
    on([1], [1, 1]),
    on([65], [63, 65]),
    on([7], [20, 5, 3]),
    on([2, 3, 5], [17, 2]),
    on([1, 13, 11], [4, 8]),
    on([3, 5, 5], [3, 1, 6, 5]),
    on([1, 23, 29], [20, 7]),
  ],
};
