import { BrokenPictureError } from "../data/broken_picture.ts";
import { type Pixels, withChannels } from "../data/channels.ts";
import { otherFormat } from "../data/file_format.ts";
import type { Picture, PictureSize } from "../data/picture.ts";
import { type PictureKind, pictureKind } from "../data/picture_kind.ts";
import { type Preparation, preparedResampling } from "../data/preparation.ts";
import { resample } from "../data/resample.ts";
import { decodeBmp } from "./bmp.ts";
import { brokenReason } from "./broken_reason.ts";
import { cmykToRgb } from "./cmyk.ts";
import { wholeJpeg } from "./jpeg_end.ts";
import { checkedSize } from "./most_pixels.ts";
import { reducedSize, rescaled } from "./reduction.ts";
import { loadSharp, type Sharp } from "./sharp.ts";
import { isSrgbProfile } from "./srgb_profile.ts";

/** Pixels, and the size that the picture has in its file. */
interface Decoded {
  readonly decoded: Pixels;
  readonly size: PictureSize;
}

async function decodeBySharp(
  sharp: Sharp,
  kind: PictureKind,
  bytes: Uint8Array,
  preparation: Preparation,
): Promise<Decoded> {
  const options = {
    autoOrient: true,
    limitInputPixels: false,
    // TIFFs often have tags that libtiff does not know, and warns of.
    failOn: kind === "tiff" ? "error" : "warning",
  } as const;
  const { space, icc, autoOrient: size } = await sharp(bytes, options).metadata();
  checkedSize(size);
  let picture = sharp(bytes, { ...options, ignoreIcc: icc !== undefined && isSrgbProfile(icc) });
  const inks = space === "cmyk" && icc === undefined;
  if (inks) picture = picture.pipelineColourspace("cmyk");
  const resampling = preparedResampling(size, preparation);
  if (kind === "jpeg" && !inks && resampling) {
    const reduced = reducedSize(size, resampling);
    if (reduced.width < size.width) {
      picture = picture.resize({ ...reduced, fit: "fill", kernel: "linear" });
    }
  }
  // Pixels of 16 bits with a profile become Display P3 on their way.
  if (space === "rgb16" && icc !== undefined) picture = picture.withIccProfile("srgb");
  const { data, info } = await picture.toColourspace(inks ? "cmyk" : "srgb").raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = { width, height, channels, pixels: data };
  return { decoded: inks ? cmykToRgb(pixels) : pixels, size };
}

async function decodePixels(
  kind: PictureKind,
  bytes: Uint8Array,
  preparation: Preparation,
): Promise<Decoded> {
  if (kind === "bmp") {
    const decoded = decodeBmp(bytes);
    return { decoded, size: decoded };
  }
  const sharp = await loadSharp();
  try {
    const whole = kind === "jpeg" ? wholeJpeg(bytes) : bytes;
    return await decodeBySharp(sharp, kind, whole, preparation);
  } catch (error) {
    if (error instanceof BrokenPictureError) throw error;
    throw new BrokenPictureError(brokenReason(kind, bytes, error), { cause: error });
  }
}

/**
 * Decodes a file by its content and prepares it: JPEG, PNG, WebP, GIF (its first picture), BMP, AVIF
 * or TIFF. Pictures are upright, in sRGB, on white. Large JPEGs are reduced while they are decoded,
 * to no less than twice the size that is wanted; all others are decoded whole. Raises a
 * {@link BrokenPictureError} with the reason alone, to go after the name of the file.
 */
export async function decode(bytes: Uint8Array, preparation: Preparation): Promise<Picture> {
  if (bytes.length === 0) throw new BrokenPictureError("0 bytes");
  const kind = pictureKind(bytes);
  if (kind === undefined) {
    const found = otherFormat(bytes)?.name ?? "an unknown format";
    throw new BrokenPictureError(`no picture (found ${found})`);
  }
  const { decoded, size } = await decodePixels(kind, bytes, preparation);
  const picture = withChannels(decoded, preparation.channels);
  const resampling = preparedResampling(size, preparation);
  if (resampling) return resample(picture, rescaled(resampling, size, picture));
  // What decoders give may lie in memory of their own, which cannot be handed over.
  return { ...picture, pixels: picture.pixels.slice() };
}
