import type { ImageSet } from "./dataset.ts";
import type { Interpolation } from "./resample.ts";

/** The size of a picture in pixels. */
export interface PictureSize {
  /** Pixels from top to bottom. */
  readonly height: number;
  /** Pixels from left to right. */
  readonly width: number;
}

/** A decoded picture: sRGB or grey, upright, without transparency. */
export interface Picture extends PictureSize {
  /** Bytes of a pixel: 1 for grey, 3 for red, green, blue. */
  readonly channels: number;
  /** `[height, width, channels]`, one byte each. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}

/**
 * How decoded pictures are made ready for batches. A `level` is the whole picture, reduced only as
 * far as the smallest crop allows; `central` is the central square at the size that networks take.
 */
export type Preparation =
  | {
    readonly kind: "level";
    /** Bytes of a pixel: 1 or 3. */
    readonly channels: number;
    /** Pixels that the shorter side keeps, of a picture that has as many. */
    readonly side: number;
    /** Pixels of the whole at most: what is longer is reduced further. */
    readonly area: number;
  }
  | {
    readonly kind: "central";
    /** Bytes of a pixel: 1 or 3. */
    readonly channels: number;
    /** Pixels of a side of the result. */
    readonly size: number;
    /** The side of the part that is shown over the shorter side of the picture, in (0, 1]. */
    readonly cropPct: number;
    /** The filter. */
    readonly interpolation: Interpolation;
  };

/** Gives pictures by their place in a set, decoded and prepared. */
export interface PictureSource {
  /** Pixels of the largest picture that it gives. */
  readonly area: number;
  /**
   * The picture at a place, or nothing where it is broken and left out. Many may be asked for before
   * the first is there. Rejects with a `DataError` where a run has to end.
   */
  read(place: number): Promise<Picture | undefined>;
}

/** Labelled pictures that are decoded when they are wanted; networks take them at one size. */
export interface PictureSet extends ImageSet {
  /** Where their pixels come from. */
  readonly source: PictureSource;
  /** The file of each picture, as it is named in messages. */
  readonly files: readonly string[];
}

/** Opens the pictures of some files; how to decode them is for the program around to say. */
export type OpenPictures = (
  files: readonly string[],
  preparation: Preparation,
) => PictureSource;

/** Whether the pixels of a set are decoded when they are wanted. */
export function arePictures<S extends ImageSet>(set: S | PictureSet): set is PictureSet {
  return "source" in set;
}
