import type { Shaped } from "../wgsl/geometry.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Op } from "../op.ts";
import { recordRowSums } from "./row_sums.ts";
import { walk, WALK_DIMS, type WalkDims, walkIterations, walkOver } from "../wgsl/walk.ts";

/** A global average pool has no attributes. */
export type GlobalAvgPool2dAttributes = Readonly<Record<string, never>>;

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
