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
import { elements, quads } from "../gpu/tensor.ts";
import { walk, walkIterations } from "../wgsl/walk.ts";

/** Attributes of a max pool. */
export interface MaxPool2dAttributes {
  /** Side of the window. */
  readonly kernel: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Pixels around the image that no window chooses, on every side. */
  readonly padding: number;
  /** Whether windows may hang over the lower and the right edge. Default: false. */
  readonly ceilMode?: boolean;
}

const DIMS = { ...POOL_DIMS, padding: "u32" } as const;

// Compilers may take v != v for false.
const IS_NAN = /* wgsl */ `
fn is_nan(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}`;

// Of each window the first maximum, or else the last NaN, and in `taps` its place in the window: a
// byte per channel.
const forward = defineKernel({
  name: "max pool2d",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk", taps: "u32" },
  dims: DIMS,
  wgsl: IS_NAN + walk({
    once: `
  let image = row / dims.out_height;
  let h = (row - image * dims.out_height) * dims.stride;
  let top = max(h, dims.padding) - dims.padding;
  let bottom = min(h + dims.kernel, dims.in_height + dims.padding) - dims.padding;`,
    body: `
    let v = w * dims.stride;
    let left = max(v, dims.padding) - dims.padding;
    let right = min(v + dims.kernel, dims.in_width + dims.padding) - dims.padding;
    var best = x(((image * dims.in_height + top) * dims.in_width + left) * dims.channel_quads + c);
    var tap = vec4u((top + dims.padding - h) * dims.kernel + left + dims.padding - v);
    for (var a = top; a < bottom; a++) {
      let in_row = (image * dims.in_height + a) * dims.in_width;
      let tap_row = (a + dims.padding - h) * dims.kernel + dims.padding - v;
      for (var b = left; b < right; b++) {
        let value = x((in_row + b) * dims.channel_quads + c);
        let more = (value > best) | is_nan(value);
        best = select(best, value, more);
        tap = select(tap, vec4u(tap_row + b), more);
      }
    }
    set_y(at, best);
    let bytes = tap << vec4u(0u, 8u, 16u, 24u);
    taps[at] = bytes.x | bytes.y | bytes.z | bytes.w;`,
  }),
  iterations: (dims) => walkIterations(dims, windowIterations(dims.kernel)),
});

// Each pixel adds up dy of the windows that chose it, out of those that contain it.
const backward = defineKernel({
  name: "max pool2d gradient",
  workgroupSize: LANES,
  reads: { taps: "u32", dy: "bulk" },
  writes: { dx: "bulk" },
  dims: DIMS,
  wgsl: WINDOWS + walk({
    once: `
  let image = row / dims.in_height;
  let h = row - image * dims.in_height + dims.padding;
  let rows = windows(h, dims.out_height);`,
    body: `
    let v = w + dims.padding;
    let columns = windows(v, dims.out_width);
    var sum = vec4f();
    for (var a = rows.x; a < rows.y; a++) {
      let out_row = (image * dims.out_height + a) * dims.out_width;
      let tap_row = (h - a * dims.stride) * dims.kernel + v;
      for (var b = columns.x; b < columns.y; b++) {
        let window = (out_row + b) * dims.channel_quads + c;
        let chosen = (vec4u(taps[window]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
        sum += select(vec4f(), dy(window), chosen == vec4u(tap_row - b * dims.stride));
      }
    }
    set_dx(at, sum);`,
  }),
  iterations: (dims) => walkIterations(dims, windowIterations(windowsOf(dims))),
});

function outputShape(x: Shaped, attributes: MaxPool2dAttributes): number[] {
  const { kernel } = attributes;
  if (kernel > 16) {
    throw new RangeError(`Cannot apply max pool2d: a kernel has side 16 at most, found ${kernel}`);
  }
  return poolShape("max pool2d", x, attributes);
}

function on(
  shape: readonly number[],
  kernel: number,
  stride: number,
  padding: number,
  ceilMode = false,
): Case<MaxPool2dAttributes> {
  // Distinct values, 0.001 apart: 7919 and 10007 are primes.
  const sample = (_: () => number, i: number): number => (i * 7919 % 10007) / 1000 - 5;
  return { inputs: [{ shape, sample }], attributes: { kernel, stride, padding, ceilMode } };
}

/**
 * `maxPool2d(x)`: the largest value of each window, per channel; of equals the first, row by row,
 * gets the gradient, as in PyTorch. The second output is the place of the maxima.
 */
export const maxPool2d: Op<MaxPool2dAttributes> = {
  name: "max pool2d",
  forward: (trace, [x], attributes) => {
    const y = trace.tensor("max pool2d", outputShape(x, attributes));
    const [batch, height, width, channels] = y.shape;
    const taps = trace.tensor("max pool2d taps", [batch * height * width * quads(channels)], "u32");
    const { kernel, stride, padding } = attributes;
    const over = poolOver(y, { x, y }, { kernel, stride, padding });
    trace.run(forward, { reads: { x }, writes: { y, taps }, ...over });
    return [y, taps];
  },
  vjp: (trace, { inputs: [x], outputs: [y, taps], attributes }, dy) => {
    const dx = trace.tensor("dmax pool2d", x.shape);
    const { kernel, stride, padding } = attributes;
    const over = poolOver(x, { x, y }, { kernel, stride, padding });
    trace.run(backward, { reads: { taps, dy }, writes: { dx }, ...over });
    return [dx];
  },
  reference: ([x], attributes) => {
    const shape = outputShape(x, attributes);
    const { kernel, stride, padding } = attributes;
    const [, outHeight, outWidth, channels] = shape;
    const [, height, width] = x.shape;
    const data = new Float64Array(elements(shape)).map((_, i) => {
      const c = i % channels;
      const b = Math.floor(i / channels) % outWidth;
      const a = Math.floor(i / (channels * outWidth)) % outHeight;
      const n = Math.floor(i / (channels * outWidth * outHeight));
      let best = -Infinity;
      for (let h = a * stride - padding; h < a * stride - padding + kernel; h++) {
        for (let w = b * stride - padding; w < b * stride - padding + kernel; w++) {
          if (h < 0 || h >= height || w < 0 || w >= width) continue;
          best = Math.max(best, x.data[((n * height + h) * width + w) * channels + c]);
        }
      }
      return best;
    });
    return [{ shape, data }];
  },
  cases: [
    on([1, 1, 1, 1], 1, 1, 0),
    on([2, 9, 8, 3], 3, 2, 1),
    on([1, 7, 65, 5], 2, 2, 0),
    on([3, 5, 5, 17], 3, 1, 1),
    on([1, 13, 11, 20], 5, 3, 2),
    on([2, 6, 7, 4], 2, 3, 0),
    on([1, 3, 2, 1], 16, 5, 8),
    on([2, 9, 8, 3], 3, 2, 0, true),
    on([1, 12, 7, 5], 3, 4, 1, true),
    on([1, 4, 6, 17], 2, 3, 1, true),
  ],
};
