import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op, Values } from "../op.ts";
import { elements } from "../gpu/tensor.ts";
import {
  BYTES_AT,
  checkNormalizing,
  NORMALIZED,
  NORMALIZING,
  normalizing,
  type PixelNormalization,
} from "./pixel_bytes.ts";

/** Attributes of augmentation: the sizes of the images, and the normalisation of each channel. */
export interface AugmentAttributes extends PixelNormalization {
  /** Images in a batch. */
  readonly batch: number;
  /** Pixels from top to bottom of a source image. */
  readonly height: number;
  /** Pixels from left to right of a source image. */
  readonly width: number;
  /** Bytes of a pixel. */
  readonly channels: number;
  /** Pixels from top to bottom of a result. */
  readonly outHeight: number;
  /** Pixels from left to right of a result. */
  readonly outWidth: number;
}

const kernel = defineKernel({
  name: "augment",
  workgroupSize: 64,
  reads: { pixels: "u32", crops: "bulk" },
  writes: { y: "bulk" },
  dims: {
    batch: "u32",
    height: "u32",
    width: "u32",
    channels: "u32",
    out_height: "u32",
    out_width: "u32",
    words: "u32",
    ...NORMALIZING,
  },
  wgsl: /* wgsl */ `
${NORMALIZED}
${BYTES_AT}
// The bytes of one pixel, times a weight.
fn tap(n: u32, y: i32, x: i32, weight: f32) -> vec4f {
  let inside = y >= 0 && y < i32(dims.height) && x >= 0 && x < i32(dims.width);
  if (!inside || weight == 0.0) { return vec4f(); }
  let at = ((n * dims.height + u32(y)) * dims.width + u32(x)) * dims.channels;
  return weight * bytes_at(0u, at);
}

fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let column = i % dims.out_width;
  let row = (i / dims.out_width) % dims.out_height;
  let n = i / (dims.out_width * dims.out_height);
  if (n >= dims.batch) { return; }
  let crop = crops(n);
  // Far outside, positions are all alike; the bound keeps them within whole numbers.
  let size = vec2f(f32(dims.width), f32(dims.height));
  let at = clamp(
    crop.xy + (vec2f(f32(column), f32(row)) + 0.5) * crop.zw - 0.5, vec2f(-2.0), size + 1.0);
  let low = floor(at);
  let b = at - low;
  let a = 1.0 - b;
  let x = i32(low.x);
  let y = i32(low.y);
  let top = tap(n, y, x, a.y * a.x) + tap(n, y, x + 1, a.y * b.x);
  let bottom = tap(n, y + 1, x, b.y * a.x) + tap(n, y + 1, x + 1, b.y * b.x);
  set_y(i, normalized(top + bottom));
}`,
});

function check(
  [pixels, crops]: readonly { readonly shape: readonly number[]; readonly type?: string }[],
  { batch, height, width, channels, outHeight, outWidth, mean, std }: AugmentAttributes,
): void {
  const sizes = [batch, height, width, outHeight, outWidth];
  if (sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new RangeError(
      `Cannot apply augment: wanted a batch and sizes that are whole numbers from 1 on, found ` +
        `${batch} images of ${height}x${width} to ${outHeight}x${outWidth}`,
    );
  }
  if (![1, 2, 3, 4].includes(channels)) {
    throw new RangeError(`Cannot apply augment: wanted 1 to 4 channels, found ${channels}`);
  }
  checkNormalizing("augment", { mean, std }, { channels });
  const words = Math.ceil(elements([batch, height, width, channels]) / 4);
  if (pixels.shape.length !== 1 || pixels.shape[0] !== words || pixels.type === "f32") {
    throw new TypeError(
      `Cannot apply augment: ${batch} images of ${height}x${width}x${channels} bytes take pixels ` +
        `[${words}] of type u32, found [${pixels.shape}] of type ${pixels.type ?? "u32"}`,
    );
  }
  if (crops.shape.length !== 2 || crops.shape[0] !== batch || crops.shape[1] !== 4) {
    throw new TypeError(
      `Cannot apply augment: wanted crops [${batch}, 4] of (x0, y0, stepX, stepY), found ` +
        `[${crops.shape}]`,
    );
  }
}

function reference([pixels, crops]: readonly Values[], attributes: AugmentAttributes): Values {
  const { batch, height, width, channels, outHeight, outWidth, mean, std } = attributes;
  const byte = (n: number, y: number, x: number, c: number): number => {
    if (y < 0 || y >= height || x < 0 || x >= width) return 0;
    const at = ((n * height + y) * width + x) * channels + c;
    return Math.floor(pixels.data[Math.floor(at / 4)] / 256 ** (at % 4)) % 256;
  };
  const shape = [batch, outHeight, outWidth, channels];
  const data = Float64Array.from({ length: elements(shape) }, (_, index) => {
    const c = index % channels;
    const j = Math.floor(index / channels) % outWidth;
    const i = Math.floor(index / (channels * outWidth)) % outHeight;
    const n = Math.floor(index / (channels * outWidth * outHeight));
    const [x0, y0, stepX, stepY] = crops.data.subarray(n * 4, n * 4 + 4);
    const sx = x0 + (j + 0.5) * stepX - 0.5;
    const sy = y0 + (i + 0.5) * stepY - 0.5;
    const [x, y] = [Math.floor(sx), Math.floor(sy)];
    const [bx, by] = [sx - x, sy - y];
    const value = (1 - by) * ((1 - bx) * byte(n, y, x, c) + bx * byte(n, y, x + 1, c)) +
      by * ((1 - bx) * byte(n, y + 1, x, c) + bx * byte(n, y + 1, x + 1, c));
    return (value / 255 - mean[c]) / std[c];
  });
  return { shape, data };
}

const MEAN = [0.49, 0.48, 0.45, 0.5];
const STD = [0.25, 0.24, 0.26, 0.3];

/** One crop for each image. Words of 24 random bits are exact in single precision. */
const example = (
  [height, width, channels]: readonly [number, number, number],
  [outHeight, outWidth]: readonly [number, number],
  crops: readonly (readonly [number, number, number, number])[],
): Case<AugmentAttributes> => ({
  inputs: [
    {
      shape: [Math.ceil(crops.length * height * width * channels / 4)],
      type: "u32",
      sample: (normal, i) =>
        Math.floor(Math.abs(normal()) * 2 ** 30) % 2 ** 24 * (i % 3 === 1 ? 256 : 1),
    },
    { shape: [crops.length, 4], sample: (_, i) => crops.flat()[i], differentiable: false },
  ],
  attributes: {
    batch: crops.length,
    height,
    width,
    channels,
    outHeight,
    outWidth,
    mean: MEAN.slice(0, channels),
    std: STD.slice(0, channels),
  },
});

/**
 * `augment(pixels, crops)`: crops, flips, resizes and normalises images of 1 to 4 channels. Pixels
 * are bytes `[batch, height, width, channels]`, four to a u32, the first in the lowest bits; crops
 * `[batch, 4]` are (x0, y0, stepX, stepY). Output pixel (i, j) is the image at
 *
 *     x = x0 + (j + 1/2) · stepX - 1/2,  y = y0 + (i + 1/2) · stepY - 1/2
 *
 * interpolated between the four pixels around, where a pixel outside the image is 0, and then
 * (value / 255 - mean) / std. A negative step flips; whole numbers give the pixels themselves.
 */
export const augment: Op<AugmentAttributes> = {
  name: "augment",
  forward: (trace, inputs, attributes) => {
    check(inputs, attributes);
    const [pixels, crops] = inputs;
    const { batch, height, width, channels, outHeight, outWidth } = attributes;
    const y = trace.tensor("augment", [batch, outHeight, outWidth, channels]);
    trace.run(kernel, {
      reads: { pixels, crops },
      writes: { y },
      dims: {
        batch,
        height,
        width,
        channels,
        out_height: outHeight,
        out_width: outWidth,
        words: pixels.words,
        ...normalizing(attributes),
      },
      workgroups: Math.ceil(y.quads / 64),
    });
    return [y];
  },
  vjp: "none",
  reference: (inputs, attributes) => {
    check(inputs, attributes);
    return [reference(inputs, attributes)];
  },
  cases: [
    example([1, 1, 1], [1, 1], [[0, 0, 1, 1]]),
    example([7, 5, 3], [7, 5], [[0, 0, 1, 1], [5, 0, -1, 1], [-2, 3, 1, 1], [9, -1, -1, 1]]),
    example([8, 8, 4], [5, 3], [[1, 2, 1, 1], [-6, 9, 1, 1], [4, 8, -1, -1]]),
    example([9, 13, 2], [5, 7], [[1.25, 0.5, 1.5, 1.25], [11.5, -1.75, -1.625, 2]]),
    example([13, 11, 3], [8, 9], [[0.3, 1.7, 0.9, 1.1], [10.4, 12.2, -1.07, -1.3]]),
    example([31, 17, 1], [6, 23], [[0, 0, 17 / 23, 31 / 6]]),
    example([3, 3, 3], [65, 63], [[-1, -1, 5 / 63, 5 / 65]]),
  ],
};
