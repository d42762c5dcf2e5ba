import type { Picture, PictureSize } from "./picture.ts";

/** Filters by which pictures are reduced and enlarged. */
export const INTERPOLATIONS = ["bilinear", "bicubic"] as const;

/** One of {@link INTERPOLATIONS}. */
export type Interpolation = typeof INTERPOLATIONS[number];

/** A filter: its values, which are 0 from `support` on. */
interface Filter {
  readonly support: number;
  readonly at: (x: number) => number;
}

/** Keys' cubic with a = -1/2, as in Pillow. */
function cubic(x: number): number {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

const FILTERS: Readonly<Record<Interpolation, Filter>> = {
  bilinear: { support: 1, at: (x) => Math.max(1 - Math.abs(x), 0) },
  bicubic: { support: 2, at: cubic },
};

/** The part of one side that is sampled, and into how many pixels. */
interface Span {
  /** Pixels of the source's side. */
  readonly source: number;
  /** Where the part begins, in pixels. */
  readonly from: number;
  /** Source pixels of an output pixel, above 0. */
  readonly step: number;
  /** Output pixels. */
  readonly length: number;
}

/** The source pixels of each output pixel, and their weights, whose sum is 1. */
interface Taps {
  readonly first: Int32Array;
  readonly counts: Int32Array;
  /** The most taps of an output pixel. */
  readonly most: number;
  /** `[length, most]`. */
  readonly weights: Float64Array;
}

/**
 * The filter is stretched by the step where pixels are reduced, so that every source pixel counts:
 * antialiased as in Pillow and torchvision.
 */
function tapsOf({ source, from, step, length }: Span, { support, at }: Filter): Taps {
  const stretch = Math.max(step, 1);
  const reach = support * stretch;
  const most = Math.ceil(reach) * 2 + 1;
  const taps: Taps = {
    first: new Int32Array(length),
    counts: new Int32Array(length),
    most,
    weights: new Float64Array(length * most),
  };
  for (let i = 0; i < length; i++) {
    const center = from + (i + 0.5) * step;
    const first = Math.min(Math.max(Math.floor(center - reach + 0.5), 0), source - 1);
    const end = Math.max(Math.min(Math.floor(center + reach + 0.5), source), first + 1);
    let sum = 0;
    for (let k = first; k < end; k++) {
      const weight = at((k + 0.5 - center) / stretch);
      taps.weights[i * most + k - first] = weight;
      sum += weight;
    }
    taps.first[i] = first;
    taps.counts[i] = end - first;
    if (sum === 0) taps.weights[i * most] = sum = 1;
    for (let k = 0; k < end - first; k++) taps.weights[i * most + k] /= sum;
  }
  return taps;
}

/** A part of a picture and the size that it is brought to. */
export interface Resampling {
  /** Pixels left of the part; the picture's left edge is 0. */
  readonly x: number;
  /** Pixels above the part. */
  readonly y: number;
  /** Source pixels from one output pixel to the next, from left to right. */
  readonly stepX: number;
  /** Source pixels from one output pixel to the next, from top to bottom. */
  readonly stepY: number;
  /** The size of the result. */
  readonly to: PictureSize;
  /** The filter. */
  readonly interpolation: Interpolation;
}

/**
 * A part of a picture at another size, filtered along rows and then along columns, antialiased, and
 * rounded to bytes after each as Pillow does. Filters see the pixels around the part, too.
 */
export function resample(picture: Picture, options: Resampling): Picture {
  const { x, y, stepX, stepY, to, interpolation } = options;
  const { height, width, channels, pixels } = picture;
  if (!(stepX > 0 && stepY > 0)) {
    throw new RangeError(`Cannot resample: wanted steps above 0, found ${stepX} and ${stepY}`);
  }
  const filter = FILTERS[interpolation];
  const columns = tapsOf({ source: width, from: x, step: stepX, length: to.width }, filter);
  const rows = tapsOf({ source: height, from: y, step: stepY, length: to.height }, filter);
  const top = rows.first.reduce((least, first) => Math.min(least, first), height);
  const bottom = rows.first.reduce((most, first, i) => Math.max(most, first + rows.counts[i]), 0);
  // Bytes that are clamped and rounded half up, as Pillow's are.
  const half = new Uint8ClampedArray((bottom - top) * to.width * channels);
  for (let row = top; row < bottom; row++) {
    for (let i = 0; i < to.width; i++) {
      const from = (row * width + columns.first[i]) * channels;
      const at = ((row - top) * to.width + i) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 0.5;
        for (let k = 0; k < columns.counts[i]; k++) {
          sum += columns.weights[i * columns.most + k] * pixels[from + k * channels + c];
        }
        half[at + c] = Math.floor(sum);
      }
    }
  }
  const result = new Uint8ClampedArray(to.height * to.width * channels);
  const stride = to.width * channels;
  const sums = new Float64Array(stride);
  for (let j = 0; j < to.height; j++) {
    sums.fill(0.5);
    for (let k = 0; k < rows.counts[j]; k++) {
      const weight = rows.weights[j * rows.most + k];
      const from = (rows.first[j] + k - top) * stride;
      for (let i = 0; i < stride; i++) sums[i] += weight * half[from + i];
    }
    for (let i = 0; i < stride; i++) result[j * stride + i] = Math.floor(sums[i]);
  }
  return { ...to, channels, pixels: new Uint8Array(result.buffer) };
}
