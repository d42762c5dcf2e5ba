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

/** The pictures at some places, in that order, from the same source. */
export function pickPictures(set: PictureSet, places: Uint32Array): PictureSet {
  const { source, files, labels } = set;
  return {
    ...set,
    length: places.length,
    labels: Uint16Array.from(places, (place) => labels[place]),
    files: Array.from(places, (place) => files[place]),
    source: {
      area: source.area,
      varied: source.varied,
      read(place) {
        const from = places[place];
        if (from !== undefined) return source.read(from);
        const { length } = places;
        return Promise.reject(
          new RangeError(`Cannot read picture ${place} of ${set.name}: it has ${length}`),
        );
      },
    },
  };
}
