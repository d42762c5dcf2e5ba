import { basename, dirname } from "node:path";
import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { printable } from "../../data/printable.ts";
import { findPictures } from "../../data/sets/picture_folder.ts";
import { plural } from "../../data/words.ts";

/** What stands for the standard input among paths. */
export const STANDARD_INPUT = "-";

/** The pictures that a command line names. */
export interface NamedPictures {
  /** Paths of files, {@link STANDARD_INPUT} among them. */
  readonly files: readonly string[];
  /** Remarks on what was passed over, a sentence each. */
  readonly notes: readonly string[];
}

/** The pictures in a folder and those in it, sorted; hidden entries are passed over. */
async function picturesIn(folder: string): Promise<NamedPictures> {
  const real = await Deno.realPath(folder);
  const path = folder.replace(/(?<=.)\/+$/, "");
  const { files: [found], others, loops } = await findPictures(dirname(real), [
    { name: basename(real), path },
  ]);
  const shown = printable(path, 300);
  if (found.length === 0) {
    throw new DataError(`Cannot predict: wanted pictures in ${shown}, found none`);
  }
  const named = (first: readonly string[]): string =>
    first.map((name) => printable(name)).join(", ");
  return {
    files: found,
    notes: [
      ...others.count
        ? [
          `passed over what is no picture, ${plural(others.count, "file")}: ${named(others.first)}`,
        ]
        : [],
      ...loops.count ? [`passed over links to folders that were read: ${named(loops.first)}`] : [],
    ],
  };
}

/**
 * The pictures that paths name: files, whatever they hold, and the pictures below folders. Raises a
 * {@link DataError} for a path that is not there, and for a folder without pictures.
 */
export async function namedPictures(paths: readonly string[]): Promise<NamedPictures> {
  const files: string[] = [];
  const notes: string[] = [];
  for (const path of paths) {
    const info = path === STANDARD_INPUT ? undefined : await Deno.stat(path).catch((cause) => {
      throw new DataError(
        `Cannot predict: wanted a picture or a folder of them, found ${foundInstead(path, cause)}`,
        { cause },
      );
    });
    if (!info?.isDirectory) {
      files.push(path);
      continue;
    }
    const inside = await picturesIn(path);
    for (const file of inside.files) files.push(file);
    notes.push(...inside.notes);
  }
  return { files, notes };
}
