import type { Dataset, DatasetPart } from "../dataset.ts";
import type { OpenPictures, PictureSet } from "../pictures.ts";
import type { Preparation } from "../preparation.ts";
import type { PictureFiles } from "./picture_files.ts";
import type { Half } from "./set_files.ts";

/** Where a set in files lies, what is known of its classes, and how its pictures are decoded. */
export interface FileOptions {
  /** The folder with the files. */
  readonly dataDir?: string;
  /** How many classes an IDX set has; other sets must have just that many. */
  readonly classes?: number;
  /** The classes of a network that the images are for: names of IDX sets, which have but numbers. */
  readonly classNames?: readonly string[];
  /** Pixels of a side that networks take; sets of images of one size must have just that. */
  readonly imageSize?: number;
  /** Bytes of a pixel that networks take of pictures: 1 or 3; 3 unless told. */
  readonly channels?: number;
  /** Decodes pictures; sets of pictures need it. */
  readonly openPictures?: OpenPictures;
  /** How pictures are prepared to train on, and to validate on; sets of pictures need it. */
  readonly prepare?: { readonly train: Preparation; readonly validation: Preparation };
}

/** One half of a set in files: its labels have been read. */
export interface HalfOfFiles {
  /** Which part of the set it is; as the half is called unless told. */
  readonly part?: DatasetPart;
  /** The class of each image. */
  readonly labels: ArrayLike<number>;
  /** Reads the images at some places, ascending, all unless told, to train or to validate on. */
  read(places: Uint32Array | undefined, part: DatasetPart): Promise<Dataset | PictureSet>;
}

/** The halves of a set that were asked for. */
export interface Halves extends Partial<Record<Half, HalfOfFiles>> {
  /** The part of `train` that is validated on unless told, where there is no `test`. */
  readonly split?: number;
  /** What there is to say of the files, a sentence each. */
  readonly notes?: readonly string[];
}

/**
 * A data set that lies in files. `open` reads the labels of the halves that are asked for, and
 * raises a {@link DataError} that names the folder, what was wanted and what was found.
 */
export interface FileSet {
  /** Whether a folder has the files of the set, by their names. */
  isIn(dataDir: string): Promise<boolean>;
  /** Opens some halves of the set; those with a `split` have `train` where `test` is asked for. */
  open(options: FileOptions, halves: readonly Half[]): Promise<Halves>;
  /** Finds the pictures of a set of pictures, and opens none; nothing for images of other files. */
  pictures?(dataDir: string, halves: readonly Half[]): Promise<PictureFiles | undefined>;
}
