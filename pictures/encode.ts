import type { Picture } from "../data/picture.ts";
import { loadSharp } from "./sharp.ts";

/** A picture of three channels as the bytes of a file. Raises a `RangeError` for other channels. */
export async function encodePicture(
  { height, width, channels, pixels }: Picture,
  format: "png" | "jpeg",
): Promise<Uint8Array> {
  if (channels !== 3) {
    throw new RangeError(`Cannot encode a picture: wanted 3 channels, found ${channels}`);
  }
  const sharp = await loadSharp();
  const opened = sharp(pixels, { raw: { width, height, channels } });
  return await opened[format]().toBuffer();
}
