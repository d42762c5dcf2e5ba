import type { Shaped } from "./convolution.ts";
import { LANES, walk, WALK_DIMS, walkOver, WINDOWS } from "./elementwise.ts";
import { defineKernel } from "./kernel.ts";
import type { Case, Op } from "./op.ts";
import { elements } from "./tensor.ts";

/** Attributes of an average pool. */
export interface AvgPool2dAttributes {
  /** Side of the window. */
  readonly kernel: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Whether windows may hang over the lower and the right edge. */
  readonly ceilMode: boolean;
}

const DIMS = {
  ...WALK_DIMS,
  kernel: "u32",
  stride: "u32",
  in_height: "u32",
  in_width: "u32",
  out_height: "u32",
  out_width: "u32",
} as const;

const forward = defineKernel({
  name: "avg pool2d",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: DIMS,
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
});

// Each pixel adds up dy / (pixels of the window) of the windows that contain it.
const backward = defineKernel({
  name: "avg pool2d gradient",
  workgroupSize: LANES,
  reads: { dy: "bulk" },
  writes: { dx: "bulk" },
  dims: DIMS,
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

function outputShape({ shape }: Shaped, attributes: AvgPool2dAttributes): number[] {
  const { kernel, stride } = attributes;
  if (shape.length !== 4) {
    throw new TypeError(
      `Cannot apply avg pool2d: wanted an input [batch, height, width, channels], found [${shape}]`,
    );
  }
  if (![kernel, stride].every(Number.isInteger) || kernel < 1 || stride < 1) {
    throw new RangeError(
      `Cannot apply avg pool2d: wanted a kernel and a stride from 1 on, found ${kernel} and ${stride}`,
    );
  }
  const [batch, height, width, channels] = shape;
  const outHeight = avgPoolSide(height, attributes);
  const outWidth = avgPoolSide(width, attributes);
  if (outHeight < 1 || outWidth < 1) {
    throw new RangeError(
      `Cannot apply avg pool2d: a window of ${kernel}x${kernel} does not fit an image of ` +
        `${height}x${width}; use a larger image or a smaller kernel`,
    );
  }
  return [batch, outHeight, outWidth, channels];
}

function dims(
  x: Shaped,
  y: Shaped,
  { kernel, stride }: AvgPool2dAttributes,
): Record<Exclude<keyof typeof DIMS, keyof typeof WALK_DIMS>, number> {
  const [, in_height, in_width] = x.shape;
  const [, out_height, out_width] = y.shape;
  return { kernel, stride, in_height, in_width, out_height, out_width };
}

function rowsOf({ shape }: Shaped): { rows: number; width: number; channels: number } {
  const [batch, height, width, channels] = shape;
  return { rows: batch * height, width, channels };
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
    const { dims: walked, workgroups } = walkOver(rowsOf(y));
    trace.run(forward, {
      reads: { x },
      writes: { y },
      dims: { ...walked, ...dims(x, y, attributes) },
      workgroups,
    });
    return [y];
  },
  vjp: (trace, { inputs: [x], outputs: [y], attributes }, dy) => {
    const dx = trace.tensor("davg pool2d", x.shape);
    const { dims: walked, workgroups } = walkOver(rowsOf(x));
    trace.run(backward, {
      reads: { dy },
      writes: { dx },
      dims: { ...walked, ...dims(x, y, attributes) },
      workgroups,
    });
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
  ],
};
