import type { Dataset } from "../dataset.ts";
import type { Half } from "./set_files.ts";

/** Where a set in files lies, and what is known of its classes. */
export interface FileOptions {
  /** The folder with the files. */
  readonly dataDir?: string;
  /** How many classes an IDX set has; other sets must have just that many. */
  readonly classes?: number;
  /** The classes of a network that the images are for: names of IDX sets, which have but numbers. */
  readonly classNames?: readonly string[];
}

/** One half of a set in files: its labels have been read. */
export interface HalfOfFiles {
  /** The class of each image. */
  readonly labels: ArrayLike<number>;
  /** Reads the images at some places, ascending; all unless told. */
  read(places?: Uint32Array): Promise<Dataset>;
}

/** The halves of a set that were asked for. */
export type Halves = Partial<Record<Half, HalfOfFiles>>;

/**
 * A data set that lies in files. `open` reads the labels of the halves that are asked for, and
 * raises a {@link DataError} that names the folder, what was wanted and what was found.
 */
export interface FileSet {
  /** Opens some halves of the set. */
  open(options: FileOptions, halves: readonly Half[]): Promise<Halves>;
}
