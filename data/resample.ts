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

/** The fixed point of weights, as in Pillow: sums of weighted bytes stay below 2^31. */
const FRACTION = 22;
const HALF = 1 << (FRACTION - 1);

/** The source pixels of each output pixel, and their weights, whose sum is 1. */
interface Taps {
  readonly first: Int32Array;
  readonly counts: Int32Array;
  /** The most taps of an output pixel. */
  readonly most: number;
  /** `[length, most]`, in fixed point. */
  readonly weights: Int32Array;
}

/**
 * The filter is stretched by the step where pixels are reduced, so that every source pixel counts:
 * antialiased as in Pillow and torchvision.
 */
function tapsOf({ source, from, step, length }: Span, { support, at }: Filter): Taps {
  const stretch = Math.max(step, 1);
  const reach = support * stretch;
  const most = Math.ceil(reach) * 2 + 1;
  const [first, counts] = [new Int32Array(length), new Int32Array(length)];
  const weights = new Int32Array(length * most);
  const exact = new Float64Array(most);
  for (let i = 0; i < length; i++) {
    const center = from + (i + 0.5) * step;
    first[i] = Math.min(Math.max(Math.floor(center - reach + 0.5), 0), source - 1);
    const end = Math.max(Math.min(Math.floor(center + reach + 0.5), source), first[i] + 1);
    counts[i] = end - first[i];
    let sum = 0;
    for (let k = 0; k < counts[i]; k++) {
      sum += exact[k] = at((first[i] + k + 0.5 - center) / stretch);
    }
    // A part that lies outside the picture shows its edge.
    if (sum === 0) exact[0] = sum = 1;
    for (let k = 0; k < counts[i]; k++) {
      const weight = exact[k] / sum * (1 << FRACTION);
      weights[i * most + k] = Math.trunc(weight + (weight < 0 ? -0.5 : 0.5));
    }
  }
  return { first, counts, most, weights };
}

/** Rows of pixels, of which each is filtered: `[rows, taps.first.length, channels]`. */
function filterRows(picture: Picture, taps: Taps, top: number, rows: number): Uint8ClampedArray {
  const { width, channels, pixels } = picture;
  const { first, counts, most, weights } = taps;
  const filtered = new Uint8ClampedArray(rows * first.length * channels);
  let at = 0;
  for (let row = top; row < top + rows; row++) {
    for (let i = 0; i < first.length; i++) {
      const from = (row * width + first[i]) * channels;
      const [start, end] = [i * most, i * most + counts[i]];
      if (channels === 3) {
        let [red, green, blue] = [HALF, HALF, HALF];
        for (let k = start, pixel = from; k < end; k++, pixel += 3) {
          const weight = weights[k];
          red += Math.imul(weight, pixels[pixel]);
          green += Math.imul(weight, pixels[pixel + 1]);
          blue += Math.imul(weight, pixels[pixel + 2]);
        }
        filtered[at] = red >> FRACTION;
        filtered[at + 1] = green >> FRACTION;
        filtered[at + 2] = blue >> FRACTION;
        at += 3;
      } else {
        for (let c = 0; c < channels; c++) {
          let sum = HALF;
          for (let k = start, pixel = from + c; k < end; k++, pixel += channels) {
            sum += Math.imul(weights[k], pixels[pixel]);
          }
          filtered[at++] = sum >> FRACTION;
        }
      }
    }
  }
  return filtered;
}

/** Columns of bytes in rows of `stride`, of which the first is the picture's row `top`. */
function filterColumns(
  bytes: Uint8ClampedArray,
  taps: Taps,
  top: number,
  stride: number,
): Uint8ClampedArray<ArrayBuffer> {
  const { first, counts, most, weights } = taps;
  const filtered = new Uint8ClampedArray(first.length * stride);
  const sums = new Int32Array(stride);
  for (let j = 0; j < first.length; j++) {
    sums.fill(HALF);
    for (let k = 0; k < counts[j]; k++) {
      const weight = weights[j * most + k];
      const from = (first[j] + k - top) * stride;
      for (let i = 0; i < stride; i++) sums[i] += Math.imul(weight, bytes[from + i]);
    }
    for (let i = 0; i < stride; i++) filtered[j * stride + i] = sums[i] >> FRACTION;
  }
  return filtered;
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
  const { height, width, channels } = picture;
  if (!(stepX > 0 && stepY > 0)) {
    throw new RangeError(`Cannot resample: wanted steps above 0, found ${stepX} and ${stepY}`);
  }
  const filter = FILTERS[interpolation];
  const columns = tapsOf({ source: width, from: x, step: stepX, length: to.width }, filter);
  const rows = tapsOf({ source: height, from: y, step: stepY, length: to.height }, filter);
  const top = rows.first.reduce((least, first) => Math.min(least, first), height);
  const bottom = rows.first.reduce((most, first, i) => Math.max(most, first + rows.counts[i]), 0);
  const half = filterRows(picture, columns, top, bottom - top);
  const { buffer } = filterColumns(half, rows, top, to.width * channels);
  return { ...to, channels, pixels: new Uint8Array(buffer) };
}
