import type { Picture, PictureSize } from "./picture.ts";
import { type Interpolation, resample, type Resampling } from "./resample.ts";

/**
 * How decoded pictures are made ready for batches. A `level` is the whole picture, reduced only as
 * far as the smallest crop allows; `central` is the central square at the size that networks take.
 */
export type Preparation =
  | {
    readonly kind: "level";
    /** Bytes of a pixel: 1 or 3. */
    readonly channels: number;
    /** Pixels that the shorter side keeps, of a picture that has as many. */
    readonly side: number;
    /** Pixels of the whole at most: what is longer is reduced further. */
    readonly area: number;
  }
  | {
    readonly kind: "central";
    /** Bytes of a pixel: 1 or 3. */
    readonly channels: number;
    /** Pixels of a side of the result; from top to bottom where its `width` is another. */
    readonly size: number;
    /** Pixels of the result from left to right. Default: `size`. */
    readonly width?: number;
    /** The side of the part that is shown over the shorter side of the picture, in (0, 1]. */
    readonly cropPct: number;
    /** The filter. */
    readonly interpolation: Interpolation;
  };

/** The size of a level: see {@link Preparation}. Never larger than the picture. */
export function levelSize(
  { height, width }: PictureSize,
  { side, area }: Extract<Preparation, { kind: "level" }>,
): PictureSize {
  const shorter = Math.min(height, width);
  const factor = Math.min(1, side / shorter, Math.sqrt(area / (height * width)));
  const scaled = (pixels: number): number => Math.max(1, Math.floor(pixels * factor + 1e-9));
  if (factor === 1) return { height, width };
  // A side of one pixel is no less, however long the other is: that one is kept to the area.
  const short = scaled(shorter);
  const long = Math.min(scaled(Math.max(height, width)), Math.floor(area / short));
  return height < width ? { height: short, width: long } : { height: long, width: short };
}

/** Where `size` pixels in the middle of a side begin; halves are rounded to even, as in Python. */
export function centralCorner(side: number, size: number): number {
  const [whole, half] = [Math.floor((side - size) / 2), (side - size) % 2 !== 0];
  return half && whole % 2 === 1 ? whole + 1 : whole;
}

type Central = Extract<Preparation, { kind: "central" }>;

/** The size that a whole picture is brought to, of which the central part is cut out. */
function resizedTo(
  { height, width }: PictureSize,
  { size, width: across = size, cropPct }: Central,
): PictureSize {
  if (across !== size) {
    const factor = Math.max(size / height, across / width) / cropPct;
    const scaled = (side: number, least: number): number =>
      Math.max(least, Math.floor(side * factor + 1e-9));
    return { height: scaled(height, size), width: scaled(width, across) };
  }
  const short = Math.max(size, Math.floor(size / cropPct + 1e-9));
  const long = Math.floor(short * Math.max(height, width) / Math.min(height, width));
  return height < width ? { height: short, width: long } : { height: long, width: short };
}

/**
 * The central part of a picture as torchvision cuts it: the shorter side is brought to
 * floor(size / cropPct), the longer one in proportion and rounded down, then size x size pixels are
 * cut out, from a whole pixel on. Of results that are no squares both sides are brought to their
 * pixels / cropPct at least.
 */
export function centralResampling(picture: PictureSize, central: Central): Resampling {
  const { size, width = size, interpolation } = central;
  const resized = resizedTo(picture, central);
  const [stepX, stepY] = [picture.width / resized.width, picture.height / resized.height];
  return {
    x: centralCorner(resized.width, width) * stepX,
    y: centralCorner(resized.height, size) * stepY,
    stepX,
    stepY,
    to: { height: size, width },
    interpolation,
  };
}

/** How a whole picture of a size is made ready; nothing where it is ready as it is. */
export function preparedResampling(
  size: PictureSize,
  preparation: Preparation,
): Resampling | undefined {
  if (preparation.kind === "central") return centralResampling(size, preparation);
  const to = levelSize(size, preparation);
  const { height, width } = size;
  if (to.height === height && to.width === width) return undefined;
  const [stepX, stepY] = [width / to.width, height / to.height];
  return { x: 0, y: 0, stepX, stepY, to, interpolation: "bilinear" };
}

/** A decoded picture as it is asked for. Its channels have to be those of the preparation. */
export function prepare(picture: Picture, preparation: Preparation): Picture {
  if (picture.channels !== preparation.channels) {
    throw new TypeError(
      `Cannot prepare a picture: wanted ${preparation.channels} channels, found ${picture.channels}`,
    );
  }
  const resampling = preparedResampling(picture, preparation);
  return resampling ? resample(picture, resampling) : picture;
}

/** Pixels of the largest picture that a preparation gives. */
export function preparedArea(preparation: Preparation): number {
  if (preparation.kind === "level") return preparation.area;
  const { size, width = size } = preparation;
  return size * width;
}
