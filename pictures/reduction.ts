import type { PictureSize } from "../data/picture.ts";
import type { Resampling } from "../data/resample.ts";

/**
 * Factors by which JPEGs are reduced while they are decoded. libvips reduces by 2, 4 or 8 in the
 * cosine transform and by the rest with an antialiased filter.
 */
const FACTORS = [9, 5, 3];

/** How much larger than the result the reduced picture has to be at least, for the exact filter. */
const MARGIN = 2;

/** The size at which a JPEG is decoded; its own where little or nothing is to be reduced. */
export function reducedSize(size: PictureSize, { stepX, stepY }: Resampling): PictureSize {
  const factor = FACTORS.find((factor) => factor * MARGIN <= Math.min(stepX, stepY)) ?? 1;
  return { height: Math.round(size.height / factor), width: Math.round(size.width / factor) };
}

/** A resampling of a picture of one size, for the same picture at another. */
export function rescaled(resampling: Resampling, from: PictureSize, to: PictureSize): Resampling {
  const [scaleX, scaleY] = [to.width / from.width, to.height / from.height];
  const { x, y, stepX, stepY } = resampling;
  return {
    ...resampling,
    ...{ x: x * scaleX, stepX: stepX * scaleX, y: y * scaleY, stepY: stepY * scaleY },
  };
}
