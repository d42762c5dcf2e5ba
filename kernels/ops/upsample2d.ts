import type { Shaped } from "../wgsl/geometry.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { elements, type Tensor } from "../gpu/tensor.ts";
import { walk, WALK_DIMS, walkIterations, walkOver } from "../wgsl/walk.ts";

/** The largest factor of an upsampling. */
export const MAX_FACTOR = 64;

/** Attributes of an upsampling. */
export interface Upsample2dAttributes {
  /** Pixels of the result, in each direction, for each pixel of the image: 1 to 64. */
  readonly factor: number;
}

const DIMS = { ...WALK_DIMS, factor: "u32" } as const;

const forward = defineKernel({
  name: "upsample2d",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: DIMS,
  wgsl: walk({
    // Images are a whole number of rows high.
    once: "let in_row = row / dims.factor * (dims.width / dims.factor);",
    body: "set_y(at, x((in_row + w / dims.factor) * dims.channel_quads + c));",
  }),
  iterations: (dims) => walkIterations(dims),
});

// Each pixel adds up dy of the pixels that are made of it.
const backward = defineKernel({
  name: "upsample2d gradient",
  workgroupSize: LANES,
  reads: { dy: "bulk" },
  writes: { dx: "bulk" },
  dims: DIMS,
  wgsl: walk({
    once: "let out_width = dims.width * dims.factor;",
    body: `
    var sum = vec4f();
    for (var a = row * dims.factor; a < (row + 1u) * dims.factor; a++) {
      let first = a * out_width + w * dims.factor;
      for (var b = first; b < first + dims.factor; b++) { sum += dy(b * dims.channel_quads + c); }
    }
    set_dx(at, sum);`,
  }),
  iterations: (dims) => walkIterations(dims, dims.factor * (dims.factor + 2) + 1),
});

function outputShape({ shape }: Shaped, { factor }: Upsample2dAttributes): number[] {
  if (shape.length !== 4) {
    throw new TypeError(
      `Cannot apply upsample2d: wanted an input [batch, height, width, channels], found [${shape}]`,
    );
  }
  if (!(Number.isInteger(factor) && factor >= 1 && factor <= MAX_FACTOR)) {
    throw new RangeError(
      `Cannot apply upsample2d: wanted a whole factor from 1 to ${MAX_FACTOR}, found ${factor}`,
    );
  }
  const [batch, height, width, channels] = shape;
  return [batch, height * factor, width * factor, channels];
}

function over({ shape: [batch, height, width, channels] }: Tensor, factor: number) {
  const { dims, workgroups } = walkOver({ rows: batch * height, width, channels });
  return { dims: { ...dims, factor }, workgroups };
}

function on(shape: readonly number[], factor: number): Case<Upsample2dAttributes> {
  return { inputs: [shape], attributes: { factor } };
}

/** `upsample2d(x)`: each pixel `factor` times in both directions: the nearest one. */
export const upsample2d: Op<Upsample2dAttributes> = {
  name: "upsample2d",
  forward: (trace, [x], attributes) => {
    const y = trace.tensor("upsample2d", outputShape(x, attributes));
    trace.run(forward, { reads: { x }, writes: { y }, ...over(y, attributes.factor) });
    return [y];
  },
  vjp: (trace, { inputs: [x], attributes: { factor } }, dy) => {
    const dx = trace.tensor("dupsample2d", x.shape);
    trace.run(backward, { reads: { dy }, writes: { dx }, ...over(x, factor) });
    return [dx];
  },
  reference: ([x], attributes) => {
    const shape = outputShape(x, attributes);
    const { factor } = attributes;
    const [, height, width, channels] = shape;
    const data = new Float64Array(elements(shape)).map((_, i) => {
      const c = i % channels;
      const w = Math.floor(i / channels) % width;
      const row = Math.floor(i / (channels * width));
      const [n, h] = [Math.floor(row / height), row % height];
      const from = n * height / factor + Math.floor(h / factor);
      return x.data[(from * width / factor + Math.floor(w / factor)) * channels + c];
    });
    return [{ shape, data }];
  },
  cases: [
    on([1, 1, 1, 1], 1),
    on([2, 3, 5, 5], 2),
    on([1, 7, 13, 3], 3),
    on([3, 4, 4, 17], 2),
    on([1, 1, 9, 20], 5),
    on([2, 11, 1, 4], 4),
  ],
};
