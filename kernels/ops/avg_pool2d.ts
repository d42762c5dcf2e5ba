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
import { type MeanWindows, recordWindowMeans, recordWindowMeansGradient } from "./window_means.ts";
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
  /** Zeros around the image, on every side, at most half a window. Default: none. */
  readonly padding?: number;
  /** Whether these zeros count, as `count_include_pad` in PyTorch. Default: true. */
  readonly countPadding?: boolean;
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

function outputShape(x: Shaped, attributes: AvgPool2dAttributes): number[] {
  return poolShape("avg pool2d", x, attributes);
}

/** The windows where they are too large or too irregular for one invocation. */
function apart(attributes: AvgPool2dAttributes): MeanWindows | undefined {
  const { kernel, stride, padding = 0, countPadding = true } = attributes;
  if (kernel <= LARGEST && padding === 0) return;
  return { kernel, stride, padding, counted: countPadding ? padding : 0 };
}

function on(
  shape: readonly number[],
  kernel: number,
  stride: number,
  ceilMode: boolean,
  padding = 0,
  countPadding = true,
): Case<AvgPool2dAttributes> {
  return { inputs: [shape], attributes: { kernel, stride, ceilMode, padding, countPadding } };
}

/**
 * `avgPool2d(x)`: the mean of each window, per channel. What hangs over the edge does not count;
 * padding does, unless told.
 */
export const avgPool2d: Op<AvgPool2dAttributes> = {
  name: "avg pool2d",
  forward: (trace, [x], attributes) => {
    const y = trace.tensor("avg pool2d", outputShape(x, attributes));
    const { kernel, stride } = attributes;
    const windows = apart(attributes);
    if (windows) recordWindowMeans(trace, x, y, windows);
    else {
      const over = poolOver(y, { x, y }, { kernel, stride });
      trace.run(forward, { reads: { x }, writes: { y }, ...over });
    }
    return [y];
  },
  vjp: (trace, { inputs: [x], outputs: [y], attributes }, dy) => {
    const dx = trace.tensor("davg pool2d", x.shape);
    const { kernel, stride } = attributes;
    const windows = apart(attributes);
    if (windows) recordWindowMeansGradient(trace, dy, dx, windows);
    else {
      const over = poolOver(x, { x, y }, { kernel, stride });
      trace.run(backward, { reads: { dy }, writes: { dx }, ...over });
    }
    return [dx];
  },
  reference: ([x], attributes) => {
    const shape = outputShape(x, attributes);
    const { kernel, stride, padding = 0, countPadding = true } = attributes;
    const [, outHeight, outWidth, channels] = shape;
    const [, height, width] = x.shape;
    const counted = countPadding ? padding : 0;
    const inside = (start: number, size: number, margin: number) => ({
      from: Math.max(start, -margin),
      to: Math.min(start + kernel, size + margin),
    });
    const data = new Float64Array(elements(shape)).map((_, i) => {
      const c = i % channels;
      const left = Math.floor(i / channels) % outWidth * stride - padding;
      const top = Math.floor(i / (channels * outWidth)) % outHeight * stride - padding;
      const n = Math.floor(i / (channels * outWidth * outHeight));
      const [rows, columns] = [inside(top, height, 0), inside(left, width, 0)];
      let sum = 0;
      for (let h = rows.from; h < rows.to; h++) {
        for (let w = columns.from; w < columns.to; w++) {
          sum += x.data[((n * height + h) * width + w) * channels + c];
        }
      }
      const [down, across] = [inside(top, height, counted), inside(left, width, counted)];
      return sum / ((down.to - down.from) * (across.to - across.from));
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
    on([2, 7, 9, 5], 3, 1, false, 1),
    on([1, 8, 65, 3], 3, 2, true, 1, false),
    on([1, 12, 7, 17], 3, 4, true, 1),
    on([2, 4, 6, 4], 2, 3, true, 1),
    on([1, 21, 19, 1], 18, 5, true, 9, false),
  ],
};
