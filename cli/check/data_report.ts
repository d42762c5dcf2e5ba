// What is found out about a set of pictures, as data.
import { BROKEN_PART, tooManyBroken } from "../../data/broken_limit.ts";
import { DataError } from "../../data/error.ts";
import { median } from "../../data/median.ts";
import { printable } from "../../data/printable.ts";
import type { PictureFiles, PictureSide } from "../../data/sets/picture_files.ts";
import { countClasses } from "../../data/stratified.ts";
import { percent } from "../../data/words.ts";
import { findDuplicates, type PlacedFile } from "./duplicates.ts";
import { type CheckedPictures, kindAt } from "./picture_check.ts";

/** The smallest, the middle and the largest of some numbers. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

/** A broken picture. */
export interface BrokenFile {
  readonly file: string;
  readonly reason: string;
}

/** What is found out about the pictures of one side. */
export interface SideReport {
  /** Its folder or list. */
  readonly name: string;
  readonly pictures: number;
  /** Bytes of all files. */
  readonly bytes: number;
  /** Pictures of each format. */
  readonly formats: Readonly<Record<string, number>>;
  readonly grey: number;
  /** Pixels; nothing where all are broken. */
  readonly width?: Spread;
  readonly height?: Spread;
  readonly broken: readonly BrokenFile[];
  /** Files that are no pictures, which are passed over. */
  readonly others: number;
}

/** What is found out about a set. */
export interface DataReport {
  readonly dataset: string;
  readonly folder: string;
  /** Pictures of each class on each side. */
  readonly classes: readonly {
    readonly name: string;
    readonly train: number;
    readonly validation?: number;
  }[];
  readonly train: SideReport;
  readonly validation?: SideReport;
  /** The part of the training pictures that is validated on, where there are no others. */
  readonly split?: number;
  /** Groups of files with the same bytes on one side. */
  readonly duplicates: readonly (readonly string[])[];
  /** Groups of files with the same bytes on both sides. */
  readonly leaks: readonly (readonly string[])[];
  /** Groups of files with the same bytes under two classes or more. */
  readonly twoClasses: readonly (readonly string[])[];
  /** Of the folder, a sentence each. */
  readonly notes: readonly string[];
  /** The sheet with some pictures of each class. */
  readonly sheet: string;
}

/** One side, with what was found in its files. */
export interface CheckedSide {
  readonly side: PictureSide;
  readonly checked: CheckedPictures;
}

function spread(values: Uint32Array): Spread | undefined {
  const known = values.filter((value) => value > 0).sort();
  if (!known.length) return undefined;
  return { least: known[0], median: median([...known]), most: known[known.length - 1] };
}

function sideReport({ side, checked }: CheckedSide, named: (file: string) => string): SideReport {
  const { files, bytes, widths, heights, grey, broken } = checked;
  const formats: Record<string, number> = {};
  for (let place = 0; place < files.length; place++) {
    const kind = kindAt(checked, place);
    if (kind) formats[kind] = (formats[kind] ?? 0) + 1;
  }
  return {
    name: side.name,
    pictures: files.length,
    bytes: bytes.reduce((sum, size) => sum + size, 0),
    formats,
    grey: grey.reduce((sum, one) => sum + one, 0),
    width: spread(widths),
    height: spread(heights),
    broken: [...broken].map(([place, reason]) => ({ file: named(files[place]), reason })),
    others: side.others,
  };
}

function* placed(sides: readonly CheckedSide[]): Generator<PlacedFile> {
  for (const { side: { name, labels }, checked: { files, digests } } of sides) {
    for (const [i, file] of files.entries()) {
      yield { file, side: name, label: labels[i], digest: digests[i] };
    }
  }
}

/** All that was found out. Files are named from the folder on. */
export function reportOn(
  { name, classes, split, notes }: PictureFiles,
  { train, validation }: { readonly train: CheckedSide; readonly validation?: CheckedSide },
  { folder, sheet }: { readonly folder: string; readonly sheet: string },
): DataReport {
  const root = `${folder.replace(/(?<=.)\/+$/, "")}/`;
  const named = (file: string): string => file.startsWith(root) ? file.slice(root.length) : file;
  const counts = countClasses(train.side.labels, classes.length);
  const others = validation && countClasses(validation.side.labels, classes.length);
  const duplicates = findDuplicates(placed([train, ...validation ? [validation] : []]));
  const names = (groups: readonly (readonly PlacedFile[])[]): string[][] =>
    groups.map((group) => group.map(({ file }) => named(file)));
  return {
    dataset: name,
    folder,
    classes: classes.map((name, label) => ({
      name,
      train: counts[label],
      ...others && { validation: others[label] },
    })),
    train: sideReport(train, named),
    ...validation && { validation: sideReport(validation, named) },
    ...split !== undefined && { split },
    duplicates: names(duplicates.within),
    leaks: names(duplicates.leaks),
    twoClasses: names(duplicates.twoClasses),
    notes: [
      ...notes,
      ...[train, validation].flatMap((checked) => checked?.side.notes ?? []),
    ],
    sheet,
  };
}

/** What a run would end with: more broken pictures than it leaves out. Nothing where it would not. */
export function stopOf(report: DataReport): DataError | undefined {
  const { folder, train, validation } = report;
  for (const side of [train, ...validation ? [validation] : []]) {
    const { name, broken, pictures } = side;
    if (!tooManyBroken(broken.length, pictures)) continue;
    return new DataError(
      `Cannot train on the pictures in ${printable(folder, 300)}: wanted at most ${
        percent(BROKEN_PART)
      } ` +
        `broken, found ${broken.length} of the ${pictures} in ${name}; remove or replace them`,
    );
  }
}
