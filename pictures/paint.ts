import type { Picture, PictureSize } from "../data/picture.ts";
import { loadSharp } from "./sharp.ts";

/** A picture of three channels, and where it goes. */
export interface PlacedPicture {
  readonly picture: Picture;
  /** Pixels left of it. */
  readonly x: number;
  /** Pixels above it. */
  readonly y: number;
}

/**
 * Draws pictures on white, and markup on them; gives a PNG.
 *
 * @param svg A whole SVG document of the same size; what it leaves free is seen through.
 */
export async function paint(
  { width, height }: PictureSize,
  placed: readonly PlacedPicture[],
  svg: string,
): Promise<Uint8Array> {
  const canvas = new Uint8Array(width * height * 3).fill(255);
  for (const { picture, x, y } of placed) {
    if (picture.channels !== 3 || x + picture.width > width || y + picture.height > height) {
      throw new RangeError(
        `Cannot draw a picture: wanted 3 channels within ${width}x${height} pixels, found ` +
          `${picture.channels} up to ${x + picture.width}x${y + picture.height}`,
      );
    }
    const row = picture.width * 3;
    for (let j = 0; j < picture.height; j++) {
      const from = picture.pixels.subarray(j * row, (j + 1) * row);
      canvas.set(from, ((y + j) * width + x) * 3);
    }
  }
  const sharp = await loadSharp();
  return await sharp(canvas, { raw: { width, height, channels: 3 } })
    .composite([{ input: new TextEncoder().encode(svg) }]).png().toBuffer();
}
