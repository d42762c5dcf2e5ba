import { dirname, isAbsolute, relative, sep } from "node:path";
import { printable } from "../../data/printable.ts";
import { UsageError } from "../../train/errors.ts";
import { holdsRun } from "./holds_run.ts";
import { refuseMixed } from "./replacing.ts";
import { tryWriting } from "./whole_file.ts";
import { cureFor, whyNot } from "./unwritable.ts";

/** What a command line says of the folder that it writes to. */
export interface FolderRequest {
  /** Whether it was given; else it is a default, to which a number may be appended. */
  readonly named: boolean;
  /** Whether to replace what is in it. */
  readonly overwrite: boolean;
  /** What is read before anything is written, by the flag that names it. */
  readonly reads?: Readonly<Record<string, string | undefined>>;
}

/** The error for a folder that cannot be one for a run. */
export function unusable(path: string, why: string, cure = "choose another --output"): UsageError {
  return new UsageError(`Cannot use ${path} as the run folder: ${why}; ${cure}`);
}

/** Whether a path lies in a folder, or is the folder. */
function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way.split(sep)[0] !== "..";
}

/** The one true path of what is there under a path; nothing where there is nothing. */
export function realPath(path: string): Promise<string | undefined> {
  return Deno.realPath(path).catch(() => undefined);
}

/** Whether a folder holds what is read at `path`: a file, or the folder of a run. */
async function holds(folder: string, path: string): Promise<boolean> {
  const whole = await realPath(folder);
  if (whole === undefined) return false;
  const read = ["", "/base.safetensors", "/small.safetensors"].map((name) => realPath(path + name));
  return (await Promise.all(read)).some((file) => file !== undefined && isWithin(whole, file));
}

/** Whether there is something in a folder. */
async function isTaken(path: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(path)) return true;
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw unusable(path, whyNot(error), cureFor(error, path));
  }
}

/**
 * Raises a {@link UsageError} for a folder that cannot be written to without loss: one that holds
 * what is read, one that was named, is not empty and is not to be overwritten, and one to be
 * overwritten that holds files but no run.
 */
export async function checkFolder(
  output: string,
  { named, overwrite, reads = {} }: FolderRequest,
): Promise<void> {
  // A default name gives way to what is there.
  const meant = named || overwrite;
  for (const [flag, path] of Object.entries(reads)) {
    if (path === undefined) continue;
    refuseMixed(path);
    if (!meant || !await holds(output, path)) continue;
    throw unusable(output, `${flag} reads from it, found ${path}`);
  }
  if (!meant || !await isTaken(output)) return;
  if (!overwrite) {
    throw unusable(output, "it is not empty", "choose another --output or pass --overwrite");
  }
  const other = holdsRun(output);
  if (other !== undefined) {
    throw unusable(
      output,
      `--overwrite replaces a run, and it holds none, but ${printable(other)}`,
    );
  }
}

/** Makes the first folder that is not there yet, of a name and this name with -2, -3 and so on. */
function makeNext(output: string): string {
  Deno.mkdirSync(dirname(output), { recursive: true });
  for (let n = 1;; n++) {
    const path = n === 1 ? output : `${output}-${n}`;
    try {
      // Of runs that start at once, one makes it and the others go on.
      Deno.mkdirSync(path);
      return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/** Makes the folder, and makes sure of writing to it: by its name, or if it was not named a free one. */
export function takeFolder(output: string, { named, overwrite }: FolderRequest): string {
  try {
    if (named || overwrite) Deno.mkdirSync(output, { recursive: true });
    const path = named || overwrite ? output : makeNext(output);
    tryWriting(path);
    return path;
  } catch (error) {
    throw unusable(output, whyNot(error), cureFor(error, output));
  }
}
