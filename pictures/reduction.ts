import type { PictureSize } from "../data/picture.ts";
import type { Resampling } from "../data/resample.ts";

/** A picture that is smaller than in its file. */
export interface Reduction {
  /** The size that it is decoded at. */
  readonly size: PictureSize;
  /**
   * By how much the cosine transform reduces. What is left of a side beside multiples of this, on
   * the right and at the bottom, is lost.
   */
  readonly divisor: number;
}

/**
 * The least factors for which sharp reduces by 8, 4 or 2 in the cosine transform; the rest is left
 * to an antialiased filter. Just above a power of two it takes the one before.
 */
const FACTORS = [{ factor: 9, divisor: 8 }, { factor: 5, divisor: 4 }, { factor: 3, divisor: 2 }];

/** How much larger than the result the reduced picture is at least, for the exact filter. */
const MARGIN = 2;

/** How a JPEG is reduced while it is decoded; nothing where there is little to reduce. */
export function reductionOf(
  { height, width }: PictureSize,
  { stepX, stepY }: Resampling,
): Reduction | undefined {
  const step = Math.min(stepX, stepY);
  const found = FACTORS.find(({ factor }) => factor * MARGIN <= step);
  if (!found || Math.min(height, width) < found.factor) return undefined;
  const reduced = (side: number): number => Math.floor(side / found.factor);
  return { size: { height: reduced(height), width: reduced(width) }, divisor: found.divisor };
}

/** EXIF orientations in which the left edge was right or bottom, and the top edge was. */
const [LEFT_LAST, TOP_LAST] = [[2, 3, 6, 7], [3, 4, 7, 8]];

/** One side of a resampling, for a reduced picture that shows whole blocks. */
function rescaledSide(
  [from, step, side]: readonly [number, number, number],
  [reduced, divisor, startsLast]: readonly [number, number, boolean],
): [from: number, step: number] {
  const shown = Math.floor(side / divisor) * divisor;
  const scale = reduced / shown;
  return [(from - (startsLast ? side - shown : 0)) * scale, step * scale];
}

/** A resampling of a picture of a size, for the reduced picture. */
export function rescaled(
  resampling: Resampling,
  { height, width }: PictureSize,
  { size, divisor }: Reduction,
  orientation: number,
): Resampling {
  const [leftLast, topLast] = [LEFT_LAST, TOP_LAST].map((some) => some.includes(orientation));
  const [x, stepX] = rescaledSide(
    [resampling.x, resampling.stepX, width],
    [size.width, divisor, leftLast],
  );
  const [y, stepY] = rescaledSide(
    [resampling.y, resampling.stepY, height],
    [size.height, divisor, topLast],
  );
  return { ...resampling, x, stepX, y, stepY };
}
