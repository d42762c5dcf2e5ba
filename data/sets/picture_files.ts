import type { DatasetPart } from "../dataset.ts";
import { DataError } from "../error.ts";
import { printable } from "../printable.ts";
import { unfitName } from "../unfit_name.ts";
import { abridged, plural } from "../words.ts";
import type { FoundFiles } from "./picture_folder.ts";

/** The pictures of one side of a set, before any is opened. */
export interface PictureSide {
  /** What the side is called where it is from, as `train` or `val`. */
  readonly name: string;
  readonly part: DatasetPart;
  /** Paths. */
  readonly files: readonly string[];
  /** The class of each. */
  readonly labels: Uint16Array;
  /** What was passed over on the way, a sentence each. */
  readonly notes: readonly string[];
  /** Files beside the pictures that are none. */
  readonly others: number;
}

/** The pictures of a set, before any is opened: the sides that were asked for. */
export interface PictureFiles {
  /** The name of the set. */
  readonly name: string;
  readonly classes: readonly string[];
  readonly train?: PictureSide;
  /** Where there is none, some training pictures are validated on. */
  readonly validation?: PictureSide;
  /** The part of the training pictures that is validated on unless told, where there are no others. */
  readonly split?: number;
  /** What there is to say of the folder as a whole, a sentence each. */
  readonly notes: readonly string[];
}

/** Classes of a set at most: labels have 16 bits. */
const MOST_CLASSES = 65536;

/** The side that the pictures of class folders make up, their labels being the order of the folders. */
export function sideOf(
  side: Pick<PictureSide, "name" | "part">,
  { files, others, loops }: FoundFiles,
): PictureSide {
  const length = files.reduce((sum, { length }) => sum + length, 0);
  const labels = new Uint16Array(length);
  let at = 0;
  files.forEach((ofClass, label) => labels.fill(label, at, at += ofClass.length));
  const first = (paths: readonly string[], count: number) =>
    abridged([...paths.map((path) => printable(path, 200)), ...Array(count - paths.length)], 3);
  const notes = [
    ...others.count
      ? [
        `${plural(others.count, "file")} of ${side.name} that ${
          others.count === 1 ? "is no picture is" : "are no pictures are"
        } passed over: ${first(others.first, others.count)}`,
      ]
      : [],
    ...loops.count
      ? [
        `${plural(loops.count, "link")} of ${side.name} to folders that are read already ${
          loops.count === 1 ? "is" : "are"
        } passed over: ${first(loops.first, loops.count)}`,
      ]
      : [],
  ];
  return { ...side, files: files.flat(), labels, notes, others: others.count };
}

/** Raises a {@link DataError} for more classes than labels can tell, and for names that mislead. */
export function checkClasses(name: string, classes: readonly string[]): void {
  if (classes.length > MOST_CLASSES) {
    throw new DataError(
      `Cannot open ${name}: wanted at most ${MOST_CLASSES} classes, found ${classes.length}`,
    );
  }
  for (const label of classes) {
    const why = unfitName(label);
    if (!why) continue;
    throw new DataError(
      `Cannot open ${name}: wanted names of classes, found ${printable(label)}, ${why}; rename it`,
    );
  }
}
