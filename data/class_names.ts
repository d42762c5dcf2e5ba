import { DataError } from "./error.ts";
import { openBytes } from "./byte_source.ts";
import { numbered } from "./idx.ts";
import { errorCode, foundInstead } from "./found_instead.ts";
import { printable } from "./printable.ts";
import { unfitName } from "./unfit_name.ts";
import { stat } from "node:fs/promises";

/** The file with names of classes, beside images that have only numbers. */
const FILE = "classes.txt";

/** Bytes that it has at most. */
const LARGEST = 1 << 20;

/**
 * The names in the file classes.txt of a folder, one a line; `undefined` where there is none. Raises
 * a {@link DataError} for lines without a name, names that occur twice, and paths.
 */
export async function readClassNames(folder: string): Promise<string[] | undefined> {
  const path = `${folder}/${FILE}`;
  try {
    await stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new DataError(
      `Cannot read the names of classes: wanted one a line, found ${foundInstead(path, error)}`,
      { cause: error },
    );
  }
  const fail = (found: string) =>
    new DataError(
      `Cannot read ${printable(path, 300)}: wanted a name of a class in each line, found ${found}`,
    );
  await using source = await openBytes(path);
  const bytes = new Uint8Array(LARGEST + 1);
  const filled = await source.fill(bytes);
  if (filled > LARGEST) throw fail(`more than ${LARGEST} bytes`);
  const text = new TextDecoder().decode(bytes.subarray(0, filled)).trimEnd();
  const names = text.split("\n").map((line) => line.trim());
  const empty = names.indexOf("");
  if (empty >= 0) throw fail(`none in line ${empty + 1}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw fail(`${printable(twice)} twice`);
  for (const name of names) {
    const why = unfitName(name);
    if (why) throw fail(`${printable(name)}, ${why}`);
  }
  return names;
}

/** What names of classes are made from. */
export interface Naming {
  /** The largest label of the images. */
  readonly largest: number;
  /** How many classes there are, where that is said. */
  readonly count?: number;
  /** The names in classes.txt. */
  readonly names?: readonly string[];
  /** Those of a network for which the images are opened. */
  readonly known?: readonly string[];
}

/**
 * The names of the classes of images with numbers: those of the network that they are for, if their
 * labels are within its classes; else those of the file; else the numbers.
 */
export function nameClasses({ largest, count, names, known }: Naming): readonly string[] {
  if (names && largest >= names.length) {
    throw new DataError(
      `Cannot name the classes: wanted ${largest + 1} names in ${FILE}, as labels go up to ` +
        `${largest}, found ${names.length}`,
    );
  }
  const isNumbered = known?.every((name, label) => name === String(label));
  if (
    known && largest < known.length && (!names || (isNumbered && names.length === known.length))
  ) {
    return known;
  }
  return names ?? numbered(Math.max(count ?? largest + 1, 1));
}
