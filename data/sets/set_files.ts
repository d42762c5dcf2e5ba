import { curable, cure } from "../cure.ts";
import { readdir, stat } from "node:fs/promises";
import { DataError } from "../error.ts";
import { foundInstead, isSpecial, tooManyOpen } from "../found_instead.ts";
import { missingPermission } from "../missing_permission.ts";
import { printable } from "../printable.ts";
import { abridged, listed } from "../words.ts";

/** One file of a set, under any of the names that it may have. */
export interface SetFile {
  readonly name: string;
  readonly pattern: RegExp;
}

/** Files that make up one half of a set, or a part of it: all must be there. */
export interface Wanted {
  readonly files: readonly SetFile[];
  readonly words: string;
}

/** What the files of a set are called, and where they come from. */
export interface SetFiles {
  /** The folder that the published archive unpacks to. */
  readonly folder?: string;
  readonly cure: string;
  readonly train: readonly Wanted[];
  readonly test: readonly Wanted[];
}

/** Half of a set. */
export type Half = "train" | "test";

/** Files of just these names. */
export function named(names: readonly string[], words = names.join(", ")): Wanted {
  const files = names.map((name) => ({ name, pattern: new RegExp(`^${RegExp.escape(name)}$`) }));
  return { files, words };
}

/** The sorted names in a folder, or what is wrong with it. */
async function list(folder: string): Promise<string[] | string> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const found = foundInstead(folder, error, "folder");
    if (!isSpecial(error) && !missingPermission(error) && !tooManyOpen(error)) return found;
    throw new DataError(`Cannot open images: wanted a folder of a data set, found ${found}`, {
      cause: error,
    });
  }
}

/** Names in a folder that one file of a set may have. */
interface Match {
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

/** The files in a folder that are of a half, and the names of those that are not there. */
function match(
  { files }: Wanted,
  found: readonly string[],
): { there: Match[]; lacking: string[] } {
  const matches = files.map(({ pattern }) => ({
    pattern,
    names: found.filter((name) => pattern.test(name)),
  }));
  return {
    there: matches.filter(({ names }) => names.length > 0),
    lacking: files.filter((_, i) => matches[i].names.length === 0).map(({ name }) => name),
  };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** The number of dimensions that the name of an IDX file has; nothing for other names. */
function rankOf(name: string): string | undefined {
  return /idx(\d)-ubyte/.exec(name)?.[1];
}

/** The one that is meant of names that are all of one file of a set. */
async function choose(folder: string, { names, pattern }: Match, set: string): Promise<string> {
  const folders: string[] = [];
  const files: string[] = [];
  for (const name of names) {
    (await isFolder(`${folder}/${name}`) ? folders : files).push(name);
  }
  const [first, ...others] = files;
  const other = others.find((name) => rankOf(name) !== rankOf(first));
  if (other !== undefined) {
    throw new DataError(
      `Cannot open ${set} in ${printable(folder, 300)}: wanted one file of each kind, found ` +
        `${printable(first)} and ${printable(other)}; move the one that is not meant elsewhere`,
    );
  }
  if (first !== undefined) return `${folder}/${first}`;
  // As some archives unpack: a folder that is named as the file in it.
  for (const name of folders) {
    const inside = await list(`${folder}/${name}`);
    const found = Array.isArray(inside) ? inside.find((name) => pattern.test(name)) : undefined;
    if (found !== undefined) return `${folder}/${name}/${found}`;
  }
  return `${folder}/${names[0]}`;
}

/** Which files are looked for, and where. */
export interface Locating {
  readonly dataDir?: string;
  readonly halves: readonly Half[];
}

/** Where the files of a set are. */
export interface Located {
  /** The folder that they are in. */
  readonly folder: string;
  /** Paths in the order of the wanted files. */
  readonly paths: Readonly<Record<Half, string[]>>;
}

/**
 * Finds the files of a set. Raises a {@link DataError} that names the folder, what was wanted and
 * what was found.
 */
export async function locate(
  name: string,
  source: SetFiles,
  { dataDir, halves }: Locating,
): Promise<Located> {
  const wanted = halves.flatMap((half) => source[half]);
  const words = listed(wanted.map((wanted) => wanted.words));
  if (dataDir === undefined) {
    throw curable(
      DataError,
      `Cannot open ${name}: wanted a folder with ${words}, found none named`,
      cure`name it with ${{ option: "dataDir" }}, and ${source.cure}`,
    );
  }
  const names = await list(dataDir);
  const folders = [dataDir];
  if (source.folder !== undefined && Array.isArray(names) && names.includes(source.folder)) {
    folders.push(`${dataDir}/${source.folder}`);
  }
  for (const folder of folders) {
    const found = folder === dataDir ? names : await list(folder);
    if (typeof found === "string") continue;
    if (wanted.some((part) => match(part, found).lacking.length > 0)) continue;
    const paths: Record<Half, string[]> = { train: [], test: [] };
    for (const half of halves) {
      for (const part of source[half]) {
        for (const files of match(part, found).there) {
          paths[half].push(await choose(folder, files, name));
        }
      }
    }
    return { folder, paths };
  }
  // What was found is told of the folder closest to the wanted one.
  const closest = folders[folders.length - 1];
  throw new DataError(
    `Cannot open ${name} in ${printable(closest, 300)}: wanted ${words}, found ${
      tell(await list(closest), wanted)
    }; ${source.cure}`,
  );
}

/** Whether a folder has a file of a set, or the folder that its archive unpacks to, by their names. */
export async function hasFiles(source: SetFiles, dataDir: string): Promise<boolean> {
  const names: string[] = await readdir(dataDir).catch(() => []);
  const wanted = [...source.train, ...source.test];
  return (source.folder !== undefined && names.includes(source.folder)) ||
    wanted.some((part) => match(part, names).there.length > 0);
}

function tell(found: string[] | string, wanted: readonly Wanted[]): string {
  if (typeof found === "string") return found;
  if (found.length === 0) return "an empty folder";
  const names = abridged(found.map((name) => printable(name)), 8);
  const matches = wanted.map((part) => match(part, found));
  const lacking = matches.flatMap(({ lacking }) => lacking);
  return names + (matches.some(({ there }) => there.length) ? `, no ${lacking.join(", ")}` : "");
}
