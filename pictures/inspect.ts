import { BrokenPictureError } from "../data/broken_picture.ts";
import type { Picture } from "../data/picture.ts";
import { type PictureKind, pictureKind } from "../data/picture_kind.ts";
import type { Preparation } from "../data/preparation.ts";
import { decodeBmp } from "./bmp.ts";
import { decode } from "./decode.ts";
import { MOST_PIXELS } from "./most_pixels.ts";
import { loadSharp } from "./sharp.ts";

/** What a file says of its picture, all of which can be decoded. */
export interface PictureFacts {
  readonly kind: PictureKind;
  /** Pixels from left to right, as it is shown. */
  readonly width: number;
  /** Pixels from top to bottom, as it is shown. */
  readonly height: number;
  /** Whether it has no colours. */
  readonly grey: boolean;
  /** As the preparation says, where one was asked for. */
  readonly picture?: Picture;
}

/** Of large JPEGs, which can be decoded small: a picture of one pixel. */
const SMALLEST: Preparation = { kind: "level", channels: 3, side: 1, area: 1 };

/** Of other pictures, which are decoded whole: as they are. */
const WHOLE: Preparation = { kind: "level", channels: 3, side: MOST_PIXELS, area: MOST_PIXELS };

/** Bytes of a JPEG from which on decoding it small pays. */
const LARGE = 200_000;

/**
 * Decodes the bytes of a file, and tells its format, size and whether it is grey. Raises a
 * {@link BrokenPictureError} with the reason alone.
 *
 * @param preparation How to give the picture, too; it is not given unless told.
 */
export async function inspect(bytes: Uint8Array, preparation?: Preparation): Promise<PictureFacts> {
  const kind = pictureKind(bytes);
  const small = kind === "jpeg" && bytes.length >= LARGE;
  const picture = await decode(bytes, preparation ?? (small ? SMALLEST : WHOLE));
  // What has been decoded has a kind.
  if (kind === undefined) throw new BrokenPictureError("no picture");
  const given = preparation ? { picture } : {};
  if (kind === "bmp") {
    const { width, height, channels } = decodeBmp(bytes);
    return { kind, width, height, grey: channels < 3, ...given };
  }
  const sharp = await loadSharp();
  const options = { autoOrient: true, failOn: "error", limitInputPixels: false } as const;
  const { space, autoOrient: { width, height } } = await sharp(bytes, options).metadata();
  return { kind, width, height, grey: space === "b-w" || space === "grey16", ...given };
}
