import type { Shaped } from "../wgsl/geometry.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Op } from "../op.ts";
import { recordRowSums } from "./row_sums.ts";
import { walk, WALK_DIMS, type WalkDims, walkIterations, walkOver } from "../wgsl/walk.ts";

/** Attributes of a global average pool. */
export interface GlobalAvgPool2dAttributes {
  /** Whether the result stays an image, of one pixel: `[batch, 1, 1, channels]`. Default: false. */
  readonly keepImage?: boolean;
}

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
    iterations: (dims) => walkIterations(dims),
  });
}

function outputShape({ shape }: Shaped, { keepImage }: GlobalAvgPool2dAttributes): number[] {
  if (shape.length !== 4) {
    throw new TypeError(
      `Cannot apply global avg pool2d: wanted an input [batch, height, width, channels], found ` +
        `[${shape}]`,
    );
  }
  const [batch, , , channels] = shape;
  return keepImage ? [batch, 1, 1, channels] : [batch, channels];
}

/**
 * `globalAvgPool2d(x)`: the mean of each channel over the whole image, `[batch, channels]`, or an
 * image of one pixel.
 */
export const globalAvgPool2d: Op<GlobalAvgPool2dAttributes> = {
  name: "global avg pool2d",
  forward: (trace, [x], attributes) => {
    const y = trace.tensor("global avg pool2d", outputShape(x, attributes));
    const [, height, width] = x.shape;
    const rows = height * width;
    recordRowSums(trace, x, y, { rows, factor: 1 / rows });
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
  reference: ([x], attributes) => {
    const shape = outputShape(x, attributes);
    const [batch, height, width, channels] = x.shape;
    const data = new Float64Array(batch * channels);
    x.data.forEach((v, i) => {
      const n = Math.floor(i / (height * width * channels));
      data[n * channels + i % channels] += v / (height * width);
    });
    return [{ shape, data }];
  },
  cases: [
    ...[
      [1, 1, 1, 1],
      [2, 7, 9, 3],
      [65, 4, 4, 5],
      [3, 1, 63, 17],
      [1, 23, 29, 20],
      [2, 65, 16, 1],
    ].map((shape) => ({ inputs: [shape], attributes: {} })),
    { inputs: [[2, 5, 7, 5]], attributes: { keepImage: true } },
  ],
};
