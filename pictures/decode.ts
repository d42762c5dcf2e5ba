import { BrokenPictureError } from "../data/broken_picture.ts";
import { type Pixels, withChannels } from "../data/channels.ts";
import { otherFormat } from "../data/file_format.ts";
import type { Picture } from "../data/picture.ts";
import { type PictureKind, pictureKind } from "../data/picture_kind.ts";
import { type Preparation, preparedResampling } from "../data/preparation.ts";
import { resample, type Resampling } from "../data/resample.ts";
import { decodeBmp } from "./bmp.ts";
import { brokenReason, isHarmless } from "./broken_reason.ts";
import { cmykToRgb } from "./cmyk.ts";
import { wholeJpeg } from "./jpeg_end.ts";
import { checkedSize } from "./most_pixels.ts";
import { reductionOf, rescaled } from "./reduction.ts";
import { loadSharp, type Sharp } from "./sharp.ts";
import { isSrgbProfile } from "./srgb_profile.ts";

/** Decoded pixels, and how they are made ready; nothing where they are. */
interface Decoded {
  readonly decoded: Pixels;
  readonly resampling?: Resampling;
}

async function decodeBySharp(
  sharp: Sharp,
  kind: PictureKind,
  bytes: Uint8Array,
  preparation: Preparation,
  failOn: "error" | "warning",
): Promise<Decoded> {
  const options = { autoOrient: true, limitInputPixels: false, failOn } as const;
  const { space, icc, orientation, autoOrient: size } = await sharp(bytes, options).metadata();
  checkedSize(size);
  let picture = sharp(bytes, { ...options, ignoreIcc: icc !== undefined && isSrgbProfile(icc) });
  const inks = space === "cmyk" && icc === undefined;
  if (inks) picture = picture.pipelineColourspace("cmyk");
  let resampling = preparedResampling(size, preparation);
  const reduction = resampling && kind === "jpeg" && !inks && reductionOf(size, resampling);
  if (resampling && reduction) {
    picture = picture.resize({ ...reduction.size, fit: "fill", kernel: "cubic" });
    resampling = rescaled(resampling, size, reduction, orientation ?? 1);
  }
  // Pixels of 16 bits with a profile become Display P3 on their way.
  if (space === "rgb16" && icc !== undefined) picture = picture.withIccProfile("srgb");
  const { data, info } = await picture.toColourspace(inks ? "cmyk" : "srgb").raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = { width, height, channels, pixels: data };
  return { decoded: inks ? cmykToRgb(pixels) : pixels, resampling };
}

/** Of corrupt pixels libjpeg only warns, as it does of heads that are a little odd. */
async function decodeJpeg(
  sharp: Sharp,
  bytes: Uint8Array,
  preparation: Preparation,
): Promise<Decoded> {
  try {
    return await decodeBySharp(sharp, "jpeg", bytes, preparation, "warning");
  } catch (error) {
    if (!isHarmless(error)) throw error;
    return await decodeBySharp(sharp, "jpeg", bytes, preparation, "error");
  }
}

async function decodePixels(
  kind: PictureKind,
  bytes: Uint8Array,
  preparation: Preparation,
): Promise<Decoded> {
  if (kind === "bmp") {
    const decoded = decodeBmp(bytes);
    return { decoded, resampling: preparedResampling(decoded, preparation) };
  }
  const sharp = await loadSharp();
  try {
    if (kind !== "jpeg") return await decodeBySharp(sharp, kind, bytes, preparation, "error");
    return await decodeJpeg(sharp, wholeJpeg(bytes), preparation);
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
  const { decoded, resampling } = await decodePixels(kind, bytes, preparation);
  const picture = withChannels(decoded, preparation.channels);
  if (resampling) return resample(picture, resampling);
  // What decoders give may lie in memory of their own, which cannot be handed over.
  return { ...picture, pixels: picture.pixels.slice() };
}
