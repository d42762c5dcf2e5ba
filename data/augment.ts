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

/** How often images are mirrored. */
export interface FlipOptions {
  /** The share that is mirrored left to right; 1/2 unless told, wrong for digits and letters. */
  hflip?: number;
  /** The share that is mirrored top to bottom; none unless told. */
  vflip?: number;
}

/** Where an image is sampled, before it is mirrored. */
interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
}

/** Writes a rectangle for an output of some size, mirrored as it is drawn. */
function mirroring(
  random: Random,
  { hflip = 0.5, vflip = 0 }: FlipOptions,
  { width, height }: { width: number; height: number },
): (crops: Float32Array, offset: number, rectangle: Rectangle) => void {
  for (const [name, share] of Object.entries({ hflip, vflip })) {
    if (share >= 0 && share <= 1) continue;
    throw new RangeError(`Cannot crop: wanted ${name} from 0 to 1, found ${share}`);
  }
  const drawn = (share: number): boolean => share > 0 && random.uniform() < share;
  return (crops, offset, { x, y, stepX, stepY }) => {
    const [across, down] = [drawn(hflip), drawn(vflip)];
    crops.set([
      across ? x + width * stepX : x,
      down ? y + height * stepY : y,
      across ? -stepX : stepX,
      down ? -stepY : stepY,
    ], offset);
  };
}

/** What {@link cropFlip} draws from. */
export interface CropFlipOptions extends FlipOptions {
  /** Drawn from for each image. */
  random: Random;
  /** Pixels from left to right of the output. */
  size: number;
  /** Pixels from top to bottom of the output; `size` unless told. */
  height?: number;
  /** Zeros put around what is cropped, on each side, in pixels of the output. */
  padding: number;
  /** The size of the source; that of the output unless told. */
  source?: { readonly height: number; readonly width: number };
}

/**
 * Pads with zeros, cuts out a random rectangle of the size from before, and mirrors it half the
 * time, as is usual for CIFAR. With whole a, b from -padding to padding it is `[a, b, 1, 1]` or,
 * mirrored, `[a + size, b, -1, 1]`: samples fall on pixels, none is blurred. Of a source of another
 * size it is the largest central part of the output's shape, stretched, that is shifted.
 */
export function cropFlip(options: CropFlipOptions): CropWriter {
  const { random, size, height = size, padding } = options;
  const { source = { height, width: size } } = options;
  positive("crop", { size, height, sourceHeight: source.height, sourceWidth: source.width });
  const most = Math.min(size, height) - 1;
  if (!Number.isInteger(padding) || padding < 0 || padding > most) {
    throw new RangeError(
      `Cannot crop: wanted a padding from 0 to ${most} pixels, found ${padding}`,
    );
  }
  const step = Math.min(source.width / size, source.height / height);
  const [left, top] = [(source.width - size * step) / 2, (source.height - height * step) / 2];
  const write = mirroring(random, options, { width: size, height });
  return (crops, offset) => {
    const a = padding ? random.integer(2 * padding + 1) - padding : 0;
    const b = padding ? random.integer(2 * padding + 1) - padding : 0;
    write(crops, offset, { x: left + a * step, y: top + b * step, stepX: step, stepY: step });
  };
}

/** What {@link randomResizedCrop} draws from. */
export interface RandomResizedCropOptions extends FlipOptions {
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
}

/**
 * A random part of the source, stretched to the output, mirrored half the time. Its share of the
 * area is uniform in `scale`, the logarithm of its width / height uniform in `ratio`; if ten draws
 * do not fit, it is the largest central part with a ratio in range. For the rectangle of w x h at
 * (x, y): `[x, y, w / outputSize, h / outputHeight]`, mirrored `[x + w, y, -w / outputSize, ...]`.
 */
export function randomResizedCrop(options: RandomResizedCropOptions): CropWriter {
  const { random, sourceHeight, sourceWidth, outputSize } = options;
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

  const write = mirroring(random, options, { width: outputSize, height: outputHeight });
  return (crops, offset) => {
    const [x, y, w, h] = rectangle();
    write(crops, offset, { x, y, stepX: w / outputSize, stepY: h / outputHeight });
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
