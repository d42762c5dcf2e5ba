import { BrokenPictureError } from "../data/broken_picture.ts";
import type { PictureSize } from "../data/picture.ts";

/** Pixels of the largest picture that is decoded: those of the largest that Pillow opens. */
export const MOST_PIXELS = 178_956_970;

/**
 * Holds the size that a file states, before memory is taken for it. Raises a
 * {@link BrokenPictureError}.
 */
export function checkedSize({ width, height }: PictureSize): void {
  if (!(width > 0 && height > 0)) {
    throw new BrokenPictureError(`a picture of ${width} x ${height} pixels`);
  }
  if (width * height > MOST_PIXELS) {
    throw new BrokenPictureError(
      `a picture of ${width} x ${height} pixels, more than the ${
        MOST_PIXELS.toLocaleString("en")
      } that are decoded at most: reduce it first`,
    );
  }
}
