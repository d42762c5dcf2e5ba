import { LANES } from "../wgsl/elementwise.ts";
import type { Shaped } from "../wgsl/geometry.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import {
  POOL_DIMS,
  poolOver,
  poolShape,
  windowIterations,
  WINDOWS,
  windowsOf,
} from "./pool_windows.ts";
import { recordWindowMeans, recordWindowMeansGradient } from "./window_means.ts";
import { elements } from "../gpu/tensor.ts";
import { walk, walkIterations } from "../wgsl/walk.ts";

/** The largest window that one invocation walks over: larger ones go side by side. */
const LARGEST = 16;

/** Attributes of an average pool. */
export interface AvgPool2dAttributes {
  /** Side of the window. */
  readonly kernel: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Whether windows may hang over the lower and the right edge. */
  readonly ceilMode: boolean;
}

const forward = defineKernel({
  name: "avg pool2d",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: POOL_DIMS,
  wgsl: walk({
    once: `
  let image = row / dims.out_height;
  let top = (row - image * dims.out_height) * dims.stride;
  let bottom = min(top + dims.kernel, dims.in_height);`,
    body: `
    let left = w * dims.stride;
    let right = min(left + dims.kernel, dims.in_width);
    var sum = vec4f();
    for (var a = top; a < bottom; a++) {
      let in_row = (image * dims.in_height + a) * dims.in_width;
      for (var b = left; b < right; b++) { sum += x((in_row + b) * dims.channel_quads + c); }
    }
    set_y(at, sum / f32((bottom - top) * (right - left)));`,
  }),
  iterations: (dims) => walkIterations(dims, windowIterations(dims.kernel)),
});

// Each pixel adds up dy / (pixels of the window) of the windows that contain it.
const backward = defineKernel({
  name: "avg pool2d gradient",
  workgroupSize: LANES,
  reads: { dy: "bulk" },
  writes: { dx: "bulk" },
  dims: POOL_DIMS,
  wgsl: WINDOWS + walk({
    once: `
  let image = row / dims.in_height;
  let rows = windows(row - image * dims.in_height, dims.out_height);`,
    body: `
    let columns = windows(w, dims.out_width);
    var sum = vec4f();
    for (var a = rows.x; a < rows.y; a++) {
      let out_row = (image * dims.out_height + a) * dims.out_width;
      let window_rows = min(dims.kernel, dims.in_height - a * dims.stride);
      for (var b = columns.x; b < columns.y; b++) {
        let window_columns = min(dims.kernel, dims.in_width - b * dims.stride);
        sum += dy((out_row + b) * dims.channel_quads + c) / f32(window_rows * window_columns);
      }
    }
    set_dx(at, sum);`,
  }),
  iterations: (dims) => walkIterations(dims, windowIterations(windowsOf(dims))),
});

/** The side of the output. As in PyTorch, the last window starts inside the image. */
export function avgPoolSide(
  size: number,
  { kernel, stride, ceilMode }: AvgPool2dAttributes,
): number {
  if (!ceilMode) return Math.floor((size - kernel) / stride) + 1;
  const side = Math.ceil((size - kernel) / stride) + 1;
  return (side - 1) * stride >= size ? side - 1 : side;
}

function outputShape(x: Shaped, attributes: AvgPool2dAttributes): number[] {
  return poolShape("avg pool2d", x, attributes, (size) => avgPoolSide(size, attributes));
}

function on(
  shape: readonly number[],
  kernel: number,
  stride: number,
  ceilMode: boolean,
): Case<AvgPool2dAttributes> {
  return { inputs: [shape], attributes: { kernel, stride, ceilMode } };
}

/**
 * `avgPool2d(x)`: the mean of each window, per channel. A window that hangs over the edge is
 * divided by the number of its pixels inside.
 */
export const avgPool2d: Op<AvgPool2dAttributes> = {
  name: "avg pool2d",
  forward: (trace, [x], attributes) => {
    const y = trace.tensor("avg pool2d", outputShape(x, attributes));
    const { kernel, stride } = attributes;
    if (kernel > LARGEST) {
      recordWindowMeans(trace, x, y, { kernel, stride });
      return [y];
    }
    const over = poolOver(y, { x, y }, { kernel, stride });
    trace.run(forward, { reads: { x }, writes: { y }, ...over });
    return [y];
  },
  vjp: (trace, { inputs: [x], outputs: [y], attributes: { kernel, stride } }, dy) => {
    const dx = trace.tensor("davg pool2d", x.shape);
    if (kernel > LARGEST) {
      recordWindowMeansGradient(trace, dy, dx, { kernel, stride });
      return [dx];
    }
    const over = poolOver(x, { x, y }, { kernel, stride });
    trace.run(backward, { reads: { dy }, writes: { dx }, ...over });
    return [dx];
  },
  reference: ([x], attributes) => {
    const shape = outputShape(x, attributes);
    const { kernel, stride } = attributes;
    const [, outHeight, outWidth, channels] = shape;
    const [, height, width] = x.shape;
    const data = new Float64Array(elements(shape)).map((_, i) => {
      const c = i % channels;
      const b = Math.floor(i / channels) % outWidth;
      const a = Math.floor(i / (channels * outWidth)) % outHeight;
      const n = Math.floor(i / (channels * outWidth * outHeight));
      let sum = 0;
      let count = 0;
      for (let h = a * stride; h < Math.min(a * stride + kernel, height); h++) {
        for (let w = b * stride; w < Math.min(b * stride + kernel, width); w++, count++) {
          sum += x.data[((n * height + h) * width + w) * channels + c];
        }
      }
      return sum / count;
    });
    return [{ shape, data }];
  },
  cases: [
    on([1, 1, 1, 1], 2, 2, true),
    on([2, 7, 9, 5], 2, 2, true),
    on([1, 7, 9, 3], 2, 2, false),
    on([1, 65, 4, 17], 3, 2, true),
    on([3, 8, 8, 20], 2, 2, true),
    on([1, 5, 11, 4], 3, 1, false),
    on([2, 6, 5, 1], 2, 4, true),
    on([1, 13, 7, 3], 7, 3, true),
    on([2, 19, 23, 5], 17, 3, true),
    on([1, 20, 37, 3], 18, 1, false),
  ],
};
