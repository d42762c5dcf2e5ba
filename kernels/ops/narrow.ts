import type { Shaped } from "../wgsl/geometry.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { elements, quads } from "../gpu/tensor.ts";
import { walk, WALK_DIMS, walkIterations, walkOver } from "../wgsl/walk.ts";

/** Attributes of a narrowing. */
export interface NarrowAttributes {
  /** Channels that are kept: the first ones. */
  readonly channels: number;
}

const forward = defineKernel({
  name: "narrow",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: { ...WALK_DIMS, in_quads: "u32", channels: "u32" },
  wgsl: walk({
    once: "let kept = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.channels);",
    body: "set_y(at, select(vec4f(), x(w * dims.in_quads + c), kept));",
  }),
  iterations: (dims) => walkIterations(dims),
});

const backward = defineKernel({
  name: "narrow gradient",
  workgroupSize: LANES,
  reads: { dy: "bulk" },
  writes: { dx: "bulk" },
  dims: { ...WALK_DIMS, kept_quads: "u32" },
  wgsl: walk({
    once: `let kept = c < dims.kept_quads;
  let quad = min(c, dims.kept_quads - 1u);`,
    body: "set_dx(at, select(vec4f(), dy(w * dims.kept_quads + quad), kept));",
  }),
  iterations: (dims) => walkIterations(dims),
});

function outputShape({ shape }: Shaped, { channels }: NarrowAttributes): number[] {
  const last = shape.at(-1);
  if (last === undefined) {
    throw new TypeError("Cannot apply narrow: wanted an input with channels, found shape []");
  }
  if (!Number.isInteger(channels) || channels < 1 || channels > last) {
    throw new RangeError(
      `Cannot apply narrow: wanted to keep 1 to ${last} channels, found ${channels}`,
    );
  }
  return [...shape.slice(0, -1), channels];
}

function on(shape: readonly number[], channels: number): Case<NarrowAttributes> {
  return { inputs: [shape], attributes: { channels } };
}

/** `narrow(x)`: the first `channels` of the last dimension, of any shape. */
export const narrow: Op<NarrowAttributes> = {
  name: "narrow",
  forward: (trace, [x], attributes) => {
    const y = trace.tensor("narrow", outputShape(x, attributes));
    const { channels } = attributes;
    const pixels = elements(x.shape.slice(0, -1));
    const { dims, workgroups } = walkOver({ rows: 1, width: pixels, channels });
    trace.run(forward, {
      reads: { x },
      writes: { y },
      dims: { ...dims, in_quads: x.quads / pixels, channels },
      workgroups,
      touched: { x: 4 * y.quads },
    });
    return [y];
  },
  vjp: (trace, { inputs: [x], attributes: { channels } }, dy) => {
    const dx = trace.tensor("dnarrow", x.shape);
    const pixels = elements(x.shape.slice(0, -1));
    const all = x.shape.at(-1) ?? 1;
    const { dims, workgroups } = walkOver({ rows: 1, width: pixels, channels: all });
    trace.run(backward, {
      reads: { dy },
      writes: { dx },
      dims: { ...dims, kept_quads: quads(channels) },
      workgroups,
    });
    return [dx];
  },
  reference: ([x], attributes) => {
    const shape = outputShape(x, attributes);
    const all = x.shape.at(-1) ?? 1;
    return [{ shape, data: x.data.filter((_, i) => i % all < attributes.channels) }];
  },
  cases: [
    on([1], 1),
    on([65], 63),
    on([7, 20], 5),
    on([2, 3, 5, 17], 3),
    on([1, 13, 11, 20], 8),
    on([3, 5, 5, 5], 5),
  ],
};
