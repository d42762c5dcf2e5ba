import type { Shaped } from "../wgsl/geometry.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Op } from "../op.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { walk, WALK_DIMS, type WalkDims, walkOver } from "../wgsl/walk.ts";

/** A global average pool has no attributes. */
export type GlobalAvgPool2dAttributes = Readonly<Record<string, never>>;

/** The most pixels that one invocation adds up. */
const CHUNK = 256;

// y[n, split] = factor · Σ of the `chunk` rows of x[n] from row split · chunk on.
const sumRows = defineKernel({
  name: "global avg pool2d",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: {
    images: "u32",
    rows: "u32",
    chunk: "u32",
    splits: "u32",
    channel_quads: "u32",
    factor: "f32",
  },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let part = i / dims.channel_quads;
  let c = i - part * dims.channel_quads;
  let image = part / dims.splits;
  if (image >= dims.images) { return; }
  let first = (part - image * dims.splits) * dims.chunk;
  let end = min(first + dims.chunk, dims.rows);
  var sum = vec4f();
  for (var row = first; row < end; row++) {
    sum += x((image * dims.rows + row) * dims.channel_quads + c);
  }
  set_y(i, sum * dims.factor);
}`,
});

function backward(epilogue: Epilogue): Kernel<string, "dx", WalkDims | "factor"> {
  const { reads, suffix, value } = epilogueStore(epilogue);
  return defineKernel<string, "dx", WalkDims | "factor">({
    name: `global avg pool2d gradient${suffix}`,
    workgroupSize: LANES,
    reads: { dy: "bulk", ...reads },
    writes: { dx: "bulk" },
    dims: { ...WALK_DIMS, factor: "f32" },
    wgsl: walk({
      once: "let gradient = dy(row * dims.channel_quads + c) * dims.factor;",
      body: `set_dx(at, ${value("gradient", "at")});`,
    }),
  });
}

/** Records the means of x, `[images, rows, channels]`, into y, `[images, channels]`. */
function recordMeans(trace: Trace, x: Tensor, y: Tensor, rows: number): void {
  const [images, channels] = y.shape;
  const channel_quads = quads(channels);
  const pass = (from: Tensor, to: Tensor, length: number, splits: number, factor: number): void => {
    const chunk = Math.ceil(length / splits);
    trace.run(sumRows, {
      reads: { x: from },
      writes: { y: to },
      dims: { images, rows: length, chunk, splits, channel_quads, factor },
      workgroups: Math.ceil(images * splits * channel_quads / LANES),
    });
  };
  const splits = Math.ceil(rows / CHUNK);
  if (splits === 1) return pass(x, y, rows, 1, 1 / rows);
  const part = trace.tensor("global avg pool2d parts", [images, splits, channels]);
  pass(x, part, rows, splits, 1);
  pass(part, y, splits, 1, 1 / rows);
}

function checkShape({ shape }: Shaped): void {
  if (shape.length !== 4) {
    throw new TypeError(
      `Cannot apply global avg pool2d: wanted an input [batch, height, width, channels], found ` +
        `[${shape}]`,
    );
  }
}

/** `globalAvgPool2d(x)`: the mean of each channel over the whole image, `[batch, channels]`. */
export const globalAvgPool2d: Op<GlobalAvgPool2dAttributes> = {
  name: "global avg pool2d",
  forward: (trace, [x]) => {
    checkShape(x);
    const [batch, height, width, channels] = x.shape;
    const y = trace.tensor("global avg pool2d", [batch, channels]);
    recordMeans(trace, x, y, height * width);
    return [y];
  },
  vjp: (trace, { inputs: [x] }, dy) => [{
    fuse: (dx, epilogue) => {
      const [batch, height, width, channels] = x.shape;
      const { dims, workgroups } = walkOver({ rows: batch, width: height * width, channels });
      trace.run(backward(epilogueOf(epilogue)), {
        reads: { dy, ...epilogue },
        writes: { dx },
        dims: { ...dims, factor: 1 / (height * width) },
        workgroups,
      });
    },
  }],
  reference: ([x]) => {
    checkShape(x);
    const [batch, height, width, channels] = x.shape;
    const data = new Float64Array(batch * channels);
    x.data.forEach((v, i) => {
      const n = Math.floor(i / (height * width * channels));
      data[n * channels + i % channels] += v / (height * width);
    });
    return [{ shape: [batch, channels], data }];
  },
  cases: [[1, 1, 1, 1], [2, 7, 9, 3], [65, 4, 4, 5], [3, 1, 63, 17], [1, 23, 29, 20], [
    2,
    65,
    16,
    1,
  ]]
    .map((shape) => ({ inputs: [shape], attributes: {} })),
};
