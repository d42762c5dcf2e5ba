/**
 * Pictures in a browser: decoded by the browser itself and prepared as they were for training.
 *
 * ```ts ignore
 * import { decodeInBrowser } from "@adjoin/adjoin/pictures";
 *
 * const picture = await decodeInBrowser(file, {
 *   kind: "central",
 *   channels: 3,
 *   size: 64,
 *   cropPct: 0.875,
 *   interpolation: "bilinear",
 * });
 * ```
 *
 * @module
 */
import { BrokenPictureError } from "../data/broken_picture.ts";
import { withChannels } from "../data/channels.ts";
import type { Picture } from "../data/picture.ts";
import { type Preparation, prepare } from "../data/preparation.ts";

export { BrokenPictureError } from "../data/broken_picture.ts";
export { DataError } from "../data/error.ts";
export type { Picture, PictureSize } from "../data/picture.ts";
export type { Preparation } from "../data/preparation.ts";
export { type Interpolation, INTERPOLATIONS } from "../data/resample.ts";

/** Part of a canvas that is not in Deno's types. */
interface Canvas {
  getContext(kind: "2d", options: { readonly willReadFrequently: boolean }): Context | null;
}

interface Context {
  drawImage(image: ImageBitmap, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): {
    readonly data: Uint8ClampedArray;
  };
}

declare const OffscreenCanvas: new (width: number, height: number) => Canvas;

/**
 * Decodes a file with what the browser has: upright, in sRGB, on white. Works in pages and in
 * Workers.
 *
 * @param file The bytes of a picture of any format that the browser knows, as of an `input`.
 * @param preparation How it is made ready; the whole picture in RGB without one, as a `Classifier`
 * takes it.
 * @returns Bytes `[height, width, channels]`.
 * @throws {BrokenPictureError} Where the browser cannot decode it; the message has the reason alone.
 */
export async function decodeInBrowser(file: Blob, preparation?: Preparation): Promise<Picture> {
  let bitmap: ImageBitmap;
  try {
    // Transparent pixels keep their colour, so that they are laid on white here and rounded once.
    bitmap = await createImageBitmap(file, {
      imageOrientation: "from-image",
      premultiplyAlpha: "none",
      colorSpaceConversion: "default",
    });
  } catch (cause) {
    throw new BrokenPictureError("no picture that this browser can decode", { cause });
  }
  try {
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height)
      .getContext("2d", { willReadFrequently: true });
    if (!context) {
      throw new BrokenPictureError(`a picture of ${width} x ${height} pixels, too large to draw`);
    }
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const decoded = { width, height, channels: 4, pixels: data };
    if (!preparation) return withChannels(decoded, 3);
    return prepare(withChannels(decoded, preparation.channels), preparation);
  } finally {
    bitmap.close();
  }
}
