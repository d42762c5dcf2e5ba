import { BrokenPictureError } from "../data/broken_picture.ts";
import { otherFormat } from "../data/file_format.ts";
import { pictureKind } from "../data/picture_kind.ts";
import type { Picture } from "../data/picture.ts";
import { type Preparation, prepare } from "../data/preparation.ts";
import { printable } from "../data/printable.ts";
import { loadSharp, type Sharp } from "./sharp.ts";

/** Pixels of the largest picture that is decoded: 16,384 x 16,384. */
export const MOST_PIXELS = 16384 ** 2;

/** The grey of colours as Pillow's `L` has it: ITU-R 601, in 16 bits of fraction. */
function grey(pixels: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(pixels.length / 3);
  for (let i = 0, at = 0; i < result.length; i++, at += 3) {
    result[i] = (19595 * pixels[at] + 38470 * pixels[at + 1] + 7471 * pixels[at + 2] + 0x8000) >>
      16;
  }
  return result;
}

/** Grey as red, green and blue. */
function colour(pixels: Uint8Array): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(pixels.length * 3);
  for (let i = 0; i < pixels.length; i++) result.fill(pixels[i], 3 * i, 3 * i + 3);
  return result;
}

async function decodePixels(sharp: Sharp, bytes: Uint8Array): Promise<Picture> {
  const { data, info } = await sharp(bytes, {
    autoOrient: true,
    failOn: "warning",
    limitInputPixels: MOST_PIXELS,
  }).flatten({ background: "white" }).toColourspace("srgb").raw().toBuffer({
    resolveWithObject: true,
  });
  const { width, height, channels } = info;
  return { width, height, channels, pixels: new Uint8Array(data) };
}

/**
 * Decodes the bytes of a file by its content: JPEG, PNG, WebP, GIF (its first picture), BMP, AVIF or
 * TIFF; upright, in sRGB, on white, prepared as asked. Raises a {@link BrokenPictureError} with the
 * reason alone, to go after the name of the file.
 */
export async function decode(bytes: Uint8Array, preparation: Preparation): Promise<Picture> {
  if (bytes.length === 0) throw new BrokenPictureError("0 bytes");
  if (pictureKind(bytes) === undefined) {
    const found = otherFormat(bytes)?.name ?? "an unknown format";
    throw new BrokenPictureError(`no picture (found ${found})`);
  }
  const sharp = await loadSharp();
  let picture: Picture;
  try {
    picture = await decodePixels(sharp, bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BrokenPictureError(printable(reason, 200));
  }
  const { channels, pixels } = picture;
  if (channels !== preparation.channels) {
    const converted = preparation.channels === 1 ? grey(pixels) : colour(pixels);
    picture = { ...picture, channels: preparation.channels, pixels: converted };
  }
  return prepare(picture, preparation);
}
