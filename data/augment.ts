import type { Random } from "./random.ts";

/**
 * Writes where an image is sampled, four numbers from `offset` on: x0, y0, stepX, stepY. Pixel
 * (i, j) of the output, i to the right, is the source at
 *
 *     x = x0 + (i + 0.5) * stepX - 0.5
 *     y = y0 + (j + 0.5) * stepY - 0.5
 *
 * in pixels whose centres are whole numbers, bilinear, zero outside. So (x0, y0) is the corner
 * where the output starts, `step` the source pixels to an output pixel, and a negative stepX
 * mirrors.
 */
export type CropWriter = (crops: Float32Array, offset: number) => void;

/** The source itself: `[0, 0, 1, 1]`, so that x = i and y = j. */
export function identity(): CropWriter {
  return (crops, offset) => crops.set([0, 0, 1, 1], offset);
}

/** What {@link cropFlip} draws from. */
export interface CropFlipOptions {
  /** Drawn from for each image. */
  random: Random;
  /** Pixels of a side of source and output. */
  size: number;
  /** Zeros put around the source, on each side. */
  padding: number;
  /** Whether to mirror half of the images; true unless told, wrong for digits and letters. */
  flip?: boolean;
}

/**
 * Pads with zeros, cuts out a random square of the source's size, and mirrors it half the time, as
 * is usual for CIFAR. With whole a, b from -padding to padding it is `[a, b, 1, 1]` or, mirrored,
 * `[a + size, b, -1, 1]`: samples fall on pixels, none is blurred.
 */
export function cropFlip({ random, size, padding, flip = true }: CropFlipOptions): CropWriter {
  positive("crop", { size });
  if (!Number.isInteger(padding) || padding < 0 || padding >= size) {
    throw new RangeError(
      `Cannot crop: wanted a padding from 0 to ${size - 1} pixels, found ${padding}`,
    );
  }
  return (crops, offset) => {
    const a = random.integer(2 * padding + 1) - padding;
    const b = random.integer(2 * padding + 1) - padding;
    const mirrored = flip && random.integer(2) === 1;
    crops.set(mirrored ? [a + size, b, -1, 1] : [a, b, 1, 1], offset);
  };
}

/** What {@link randomResizedCrop} draws from. */
export interface RandomResizedCropOptions {
  /** Drawn from for each image. */
  random: Random;
  /** Pixels from top to bottom of the source. */
  sourceHeight: number;
  /** Pixels from left to right of the source. */
  sourceWidth: number;
  /** Pixels from left to right of the output. */
  outputSize: number;
  /** Pixels from top to bottom of the output; `outputSize` unless told. */
  outputHeight?: number;
  /** The least and the greatest share of the source's area; [0.35, 1] unless told. */
  scale?: readonly [number, number];
  /** The least and the greatest width / height; [3/4, 4/3] unless told. */
  ratio?: readonly [number, number];
  /** Whether to mirror half of the images; true unless told, wrong for digits and letters. */
  flip?: boolean;
}

/**
 * A random part of the source, stretched to the output, mirrored half the time. Its share of the
 * area is uniform in `scale`, the logarithm of its width / height uniform in `ratio`; if ten draws
 * do not fit, it is the largest central part with a ratio in range. For the rectangle of w x h at
 * (x, y): `[x, y, w / outputSize, h / outputHeight]`, mirrored `[x + w, y, -w / outputSize, ...]`.
 */
export function randomResizedCrop(options: RandomResizedCropOptions): CropWriter {
  const { random, sourceHeight, sourceWidth, outputSize, flip = true } = options;
  const { outputHeight = outputSize } = options;
  const { scale = [0.35, 1], ratio = [3 / 4, 4 / 3] } = options;
  positive("crop", { sourceHeight, sourceWidth, outputSize, outputHeight });
  if (!(scale[0] > 0 && scale[0] <= scale[1] && scale[1] <= 1)) {
    throw new RangeError(`Cannot crop: wanted a scale within (0, 1], found [${scale}]`);
  }
  if (!(ratio[0] > 0 && ratio[0] <= ratio[1] && ratio[1] < Infinity)) {
    throw new RangeError(`Cannot crop: wanted two ascending positive ratios, found [${ratio}]`);
  }
  const between = (low: number, high: number) => low + (high - low) * random.uniform();

  function rectangle(): [x: number, y: number, w: number, h: number] {
    for (let tries = 0; tries < 10; tries++) {
      const area = sourceHeight * sourceWidth * between(scale[0], scale[1]);
      const aspect = Math.exp(between(Math.log(ratio[0]), Math.log(ratio[1])));
      const w = Math.sqrt(area * aspect);
      const h = Math.sqrt(area / aspect);
      if (w <= sourceWidth && h <= sourceHeight) {
        return [between(0, sourceWidth - w), between(0, sourceHeight - h), w, h];
      }
    }
    const w = Math.min(sourceWidth, sourceHeight * ratio[1]);
    const h = Math.min(sourceHeight, sourceWidth / ratio[0]);
    return [(sourceWidth - w) / 2, (sourceHeight - h) / 2, w, h];
  }

  return (crops, offset) => {
    const [x, y, w, h] = rectangle();
    const mirrored = flip && random.integer(2) === 1;
    const stepX = w / outputSize;
    crops.set([mirrored ? x + w : x, y, mirrored ? -stepX : stepX, h / outputHeight], offset);
  };
}

/** What {@link centralCrop} cuts. */
export interface CentralCropOptions {
  /** Pixels from top to bottom of the source. */
  sourceHeight: number;
  /** Pixels from left to right of the source. */
  sourceWidth: number;
  /** Pixels of a side of the output. */
  outputSize: number;
  /** The side of the part over the shorter side of the source; 1 / 1.14 unless told. */
  fraction?: number;
}

/**
 * The central square of the source with side s = fraction * min(height, width), stretched to the
 * output: `[(width - s) / 2, (height - s) / 2, s / outputSize, s / outputSize]`.
 */
export function centralCrop(
  { sourceHeight, sourceWidth, outputSize, fraction = 1 / 1.14 }: CentralCropOptions,
): CropWriter {
  positive("crop", { sourceHeight, sourceWidth, outputSize });
  if (!(fraction > 0 && fraction <= 1)) {
    throw new RangeError(`Cannot crop: wanted a fraction within (0, 1], found ${fraction}`);
  }
  const side = fraction * Math.min(sourceHeight, sourceWidth);
  const step = side / outputSize;
  const crop = [(sourceWidth - side) / 2, (sourceHeight - side) / 2, step, step];
  return (crops, offset) => crops.set(crop, offset);
}

function positive(action: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(
        `Cannot ${action}: wanted ${name} to be a whole number from 1 on, found ${value}`,
      );
    }
  }
}
