import type { Picture, PictureSize } from "./picture.ts";

/** Decoded pixels as decoders give them: grey, grey and alpha, RGB, or RGB and alpha. */
export interface Pixels extends PictureSize {
  /** Bytes of a pixel: 1 to 4, of which an even number ends with alpha. */
  readonly channels: number;
  /** `[height, width, channels]`; alpha is not multiplied in. */
  readonly pixels: Uint8Array | Uint8ClampedArray;
}

/** Lays pixels with alpha on white, rounded. */
function onWhite({ channels, pixels }: Pixels): Uint8Array<ArrayBuffer> {
  const colours = channels - 1;
  const laid = new Uint8Array(pixels.length / channels * colours);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += colours) {
    const alpha = pixels[from + colours];
    for (let c = 0; c < colours; c++) {
      laid[to + c] = alpha === 255
        ? pixels[from + c]
        : (2 * (pixels[from + c] * alpha + 255 * (255 - alpha)) + 255) / 510;
    }
  }
  return laid;
}

/** The grey of RGB as Pillow's `L` has it: ITU-R 601, in 16 bits of fraction. */
function greyOf(pixels: Uint8Array): Uint8Array<ArrayBuffer> {
  const grey = new Uint8Array(pixels.length / 3);
  for (let i = 0, at = 0; i < grey.length; i++, at += 3) {
    grey[i] = (19595 * pixels[at] + 38470 * pixels[at + 1] + 7471 * pixels[at + 2] + 0x8000) >> 16;
  }
  return grey;
}

/** Grey as RGB. */
function colourOf(pixels: Uint8Array): Uint8Array<ArrayBuffer> {
  const colour = new Uint8Array(pixels.length * 3);
  for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
    colour[at] = colour[at + 1] = colour[at + 2] = pixels[i];
  }
  return colour;
}

/**
 * Decoded pixels as grey or RGB, transparency laid on white. The pixels are the given ones where
 * nothing has to be done.
 *
 * @param channels 1 for grey, 3 for RGB.
 */
export function withChannels(decoded: Pixels, channels: number): Picture {
  const { height, width } = decoded;
  let [pixels, bytes] = [opaque(decoded), decoded.channels - (decoded.channels + 1) % 2];
  if (bytes === 3 && channels === 1) [pixels, bytes] = [greyOf(pixels), 1];
  else if (bytes === 1 && channels === 3) [pixels, bytes] = [colourOf(pixels), 3];
  return { height, width, channels: bytes, pixels };
}

function opaque(decoded: Pixels): Uint8Array<ArrayBuffer> {
  const { channels, pixels } = decoded;
  if (channels % 2 === 0) return onWhite(decoded);
  const { buffer, byteOffset, length } = pixels;
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, byteOffset, length)
    : new Uint8Array(pixels);
}
