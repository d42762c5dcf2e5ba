import type { ImageSet } from "./image_set.ts";
import type { Picture } from "./picture.ts";
import type { Preparation } from "./preparation.ts";

/** Gives pictures by their place in a set, decoded and prepared. */
export interface PictureSource {
  /** Pixels of the largest picture that it gives. */
  readonly area: number;
  /** Whether pictures have sizes of their own, as levels have; all others have that of their set. */
  readonly varied: boolean;
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
