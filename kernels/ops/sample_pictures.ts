import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { elements } from "../gpu/tensor.ts";
import type { Case, Op, Values } from "../op.ts";
import {
  BYTES_AT,
  checkNormalizing,
  NORMALIZED,
  NORMALIZING,
  normalizing,
  type PixelNormalization,
} from "./pixel_bytes.ts";

/** Attributes of sampling: how pictures lie in a batch, and what they are brought to. */
export interface SamplePicturesAttributes extends PixelNormalization {
  /** Pictures in a batch. */
  readonly batch: number;
  /** Words of 32 bits from one picture to the next. */
  readonly slotWords: number;
  /** Bytes of a pixel. */
  readonly channels: number;
  /** Pixels from top to bottom of a result. */
  readonly outHeight: number;
  /** Pixels from left to right of a result. */
  readonly outWidth: number;
  /** The filter: a triangle, or Keys' cubic with a = -1/2. */
  readonly interpolation: "bilinear" | "bicubic";
}

type Interpolation = SamplePicturesAttributes["interpolation"];

/** The step up to which filters are stretched: a bound on the pixels of a sample. */
const MOST_STRETCH = 24;

/** Half the width of a filter, in pixels, and its values by the distance from the centre. */
const FILTERS = {
  bilinear: {
    support: 1,
    wgsl: "return max(1.0 - abs(distance), 0.0);",
    at: (x: number) => Math.max(1 - Math.abs(x), 0),
  },
  bicubic: {
    support: 2,
    wgsl: /* wgsl */ `
  let x = abs(distance);
  if (x < 1.0) { return (1.5 * x - 2.5) * x * x + 1.0; }
  if (x < 2.0) { return ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0; }
  return 0.0;`,
    at: (distance: number) => {
      const x = Math.abs(distance);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
} as const;

const DIMS = {
  batch: "u32",
  slot_words: "u32",
  channels: "u32",
  out_height: "u32",
  out_width: "u32",
  words: "u32",
  ...NORMALIZING,
} as const;

type SampleKernel = Kernel<"pixels" | "sizes" | "crops", "y", keyof typeof DIMS>;

function kernelFor(interpolation: Interpolation): SampleKernel {
  const { support, wgsl } = FILTERS[interpolation];
  const most = 2 * support * MOST_STRETCH + 2;
  return defineKernel({
    name: `sample pictures, ${interpolation}`,
    workgroupSize: 64,
    reads: { pixels: "u32", sizes: "u32", crops: "bulk" },
    writes: { y: "bulk" },
    dims: DIMS,
    iterations: () => most * (most + 1),
    wgsl: /* wgsl */ `
${NORMALIZED}
${BYTES_AT}
fn filter_at(distance: f32) -> f32 { ${wgsl} }

fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let column = i % dims.out_width;
  let row = (i / dims.out_width) % dims.out_height;
  let n = i / (dims.out_width * dims.out_height);
  if (n >= dims.batch) { return; }
  // Rows of a tensor begin at a multiple of four words.
  let slot = n * dims.slot_words;
  let size = vec2f(f32(sizes[4u * n + 1u]), f32(sizes[4u * n]));
  let crop = crops(n);
  // Outside, what is at the edge is seen.
  let center = clamp(crop.xy + (vec2f(f32(column), f32(row)) + 0.5) * crop.zw, vec2f(), size);
  let stretch = clamp(abs(crop.zw), vec2f(1.0), vec2f(${MOST_STRETCH}.0));
  let first = clamp(floor(center - ${support}.0 * stretch + 0.5), vec2f(0.0), size - 1.0);
  let last = clamp(floor(center + ${support}.0 * stretch + 0.5) - 1.0, first, size - 1.0);
  let width = u32(size.x);
  var sum = vec4f();
  var weights = 0.0;
  for (var y = first.y; y <= last.y; y += 1.0) {
    let weight_y = filter_at((y + 0.5 - center.y) / stretch.y);
    for (var x = first.x; x <= last.x; x += 1.0) {
      let weight = weight_y * filter_at((x + 0.5 - center.x) / stretch.x);
      sum += weight * bytes_at(slot, (u32(y) * width + u32(x)) * dims.channels);
      weights += weight;
    }
  }
  let value = clamp(sum / weights, vec4f(), vec4f(255.0));
  set_y(i, normalized(value));
}`,
  });
}

const KERNELS: Readonly<Record<Interpolation, SampleKernel>> = {
  bilinear: kernelFor("bilinear"),
  bicubic: kernelFor("bicubic"),
};

interface Shaped {
  readonly shape: readonly number[];
  readonly type?: string;
}

function check(
  [pixels, sizes, crops]: readonly Shaped[],
  { batch, slotWords, channels, outHeight, outWidth, interpolation, mean, std }:
    SamplePicturesAttributes,
): void {
  const action = "Cannot apply sample pictures";
  const counts = [batch, slotWords, outHeight, outWidth];
  if (counts.some((count) => !Number.isInteger(count) || count < 1)) {
    throw new RangeError(
      `${action}: wanted a batch, words and sizes that are whole numbers from 1 on, found ` +
        `${batch} pictures in slots of ${slotWords} words, to ${outHeight}x${outWidth}`,
    );
  }
  if (![1, 2, 3, 4].includes(channels)) {
    throw new RangeError(`${action}: wanted 1 to 4 channels, found ${channels}`);
  }
  if (!Object.hasOwn(FILTERS, interpolation)) {
    throw new RangeError(
      `${action}: wanted the interpolation bilinear or bicubic, found ${interpolation}`,
    );
  }
  checkNormalizing("sample pictures", { mean, std }, { channels, what: "pictures" });
  const wanted = [
    { what: "pixels", found: pixels, shape: [batch * slotWords], type: "u32" },
    { what: "sizes", found: sizes, shape: [batch, 2], type: "u32" },
    { what: "crops", found: crops, shape: [batch, 4], type: "f32" },
  ];
  for (const { what, found, shape, type } of wanted) {
    if (found.shape.join() === shape.join() && (found.type ?? type) === type) continue;
    throw new TypeError(
      `${action}: wanted ${what} [${shape}] of type ${type}, found [${found.shape}] of type ` +
        `${found.type ?? type}`,
    );
  }
}

/** The pixels of one side that a sample takes, with their weights. */
function taps(position: number, step: number, size: number, { support, at }: {
  readonly support: number;
  readonly at: (x: number) => number;
}): { index: number; weight: number }[] {
  const within = (x: number, from: number, to: number): number => Math.min(Math.max(x, from), to);
  const center = within(position, 0, size);
  const stretch = within(Math.abs(step), 1, MOST_STRETCH);
  const first = within(Math.floor(center - support * stretch + 0.5), 0, size - 1);
  const last = within(Math.floor(center + support * stretch + 0.5) - 1, first, size - 1);
  const found = Array.from({ length: last - first + 1 }, (_, k) => ({
    index: first + k,
    weight: at((first + k + 0.5 - center) / stretch),
  }));
  const sum = found.reduce((sum, { weight }) => sum + weight, 0);
  return found.map(({ index, weight }) => ({ index, weight: weight / sum }));
}

function reference(
  [pixels, sizes, crops]: readonly Values[],
  attributes: SamplePicturesAttributes,
): Values {
  const { batch, slotWords, channels, outHeight, outWidth, interpolation, mean, std } = attributes;
  const filter = FILTERS[interpolation];
  const byte = (at: number): number =>
    Math.floor(pixels.data[Math.floor(at / 4)] / 256 ** (at % 4)) % 256;
  const shape = [batch, outHeight, outWidth, channels];
  const data = new Float64Array(elements(shape));
  let index = 0;
  for (let n = 0; n < batch; n++) {
    const [height, width] = sizes.data.subarray(n * 2, n * 2 + 2);
    const [x0, y0, stepX, stepY] = crops.data.subarray(n * 4, n * 4 + 4);
    for (let i = 0; i < outHeight; i++) {
      const rows = taps(y0 + (i + 0.5) * stepY, stepY, height, filter);
      for (let j = 0; j < outWidth; j++) {
        const columns = taps(x0 + (j + 0.5) * stepX, stepX, width, filter);
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (const row of rows) {
            for (const column of columns) {
              const at = (row.index * width + column.index) * channels + c;
              sum += row.weight * column.weight * byte(n * slotWords * 4 + at);
            }
          }
          const value = Math.min(Math.max(sum, 0), 255);
          data[index++] = (value / 255 - mean[c]) / std[c];
        }
      }
    }
  }
  return { shape, data };
}

const MEAN = [0.49, 0.48, 0.45, 0.5];
const STD = [0.25, 0.24, 0.26, 0.3];

/** Pictures of some sizes with a crop each. Words of 24 random bits are exact in single precision. */
const example = (
  { channels, slotWords, to: [outHeight, outWidth], interpolation = "bilinear", pictures }: {
    channels: number;
    slotWords: number;
    to: readonly [number, number];
    interpolation?: Interpolation;
    pictures: readonly {
      size: readonly [number, number];
      crop: readonly [number, number, number, number];
    }[];
  },
): Case<SamplePicturesAttributes> => {
  const batch = pictures.length;
  return {
    inputs: [
      {
        shape: [batch * slotWords],
        type: "u32",
        sample: (normal, i) =>
          Math.floor(Math.abs(normal()) * 2 ** 30) % 2 ** 24 * (i % 3 === 1 ? 256 : 1),
      },
      {
        shape: [batch, 2],
        type: "u32",
        sample: (_, i) => pictures.flatMap(({ size }) => size)[i],
      },
      {
        shape: [batch, 4],
        sample: (_, i) => pictures.flatMap(({ crop }) => crop)[i],
        differentiable: false,
      },
    ],
    attributes: {
      ...{ batch, slotWords, channels, outHeight, outWidth, interpolation },
      mean: MEAN.slice(0, channels),
      std: STD.slice(0, channels),
    },
  };
};

/**
 * `samplePictures(pixels, sizes, crops)`: crops, flips, resizes and normalises pictures of different
 * sizes, of 1 to 4 channels. Picture n is the first bytes `[height, width, channels]` of the n-th
 * slot of `pixels` (u32, four bytes each, the first in the lowest bits); sizes `[batch, 2]` (u32) are
 * (height, width), crops `[batch, 4]` are (x0, y0, stepX, stepY) as in {@link augment}: output pixel
 * (i, j) is at the point x = x0 + (j + 1/2) · stepX, y = y0 + (i + 1/2) · stepY, where pixel k
 * reaches from k to k + 1. A negative step flips.
 *
 * The filter is stretched by a step above 1 (and up to 24), so that every pixel counts: antialiased
 * as in Pillow and torchvision. Weights are those of the pixels inside the picture, with sum 1; a
 * point outside is taken for the nearest of the edge. The result is `[batch, outHeight, outWidth, channels]`, (value / 255 - mean) / std.
 */
export const samplePictures: Op<SamplePicturesAttributes> = {
  name: "sample pictures",
  forward: (trace, inputs, attributes) => {
    check(inputs, attributes);
    const [pixels, sizes, crops] = inputs;
    const { batch, slotWords, channels, outHeight, outWidth, interpolation } = attributes;
    const y = trace.tensor("sampled pictures", [batch, outHeight, outWidth, channels]);
    trace.run(KERNELS[interpolation], {
      reads: { pixels, sizes, crops },
      writes: { y },
      dims: {
        batch,
        slot_words: slotWords,
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
    example({
      ...{ channels: 1, slotWords: 1, to: [1, 1] },
      pictures: [{ size: [1, 1], crop: [0, 0, 1, 1] }],
    }),
    example({
      ...{ channels: 3, slotWords: 27, to: [7, 5] },
      pictures: [
        { size: [7, 5], crop: [0, 0, 1, 1] },
        { size: [5, 7], crop: [7, 5, -1, -1] },
        { size: [3, 9], crop: [-2, 1, 1.3, 0.7] },
      ],
    }),
    example({
      ...{ channels: 3, slotWords: 300, to: [4, 6] },
      pictures: [
        { size: [17, 23], crop: [1.25, 0.5, 3.3, 4.1] },
        { size: [20, 20], crop: [19.4, 1.2, -2.9, 4.6] },
      ],
    }),
    example({
      ...{ channels: 4, slotWords: 120, to: [5, 3], interpolation: "bicubic" },
      pictures: [
        { size: [11, 10], crop: [0.3, 0.7, 3.1, 2.3] },
        { size: [4, 5], crop: [5, 0, -1.7, 0.8] },
      ],
    }),
    example({
      ...{ channels: 1, slotWords: 500, to: [2, 3], interpolation: "bicubic" },
      pictures: [{ size: [31, 61], crop: [0, 0, 61 / 3, 31 / 2] }],
    }),
    example({
      ...{ channels: 2, slotWords: 300, to: [3, 2] },
      pictures: [{ size: [1, 599], crop: [0, -0.5, 300, 0.5] }],
    }),
  ],
};
