/**
 * Stands in for `@std/fs` where its registry cannot be reached: the part this project uses, with
 * the same signatures.
 *
 * @module
 */
import { basename, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

function toPath(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : path;
}

/** Makes a directory and those above it, unless they are there. */
export async function ensureDir(dir: string | URL): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
}

/** Options of {@link exists}. */
export interface ExistsOptions {
  isDirectory?: boolean;
  isFile?: boolean;
}

/** Whether there is something at `path`, of the kind asked for if any. */
export async function exists(path: string | URL, options: ExistsOptions = {}): Promise<boolean> {
  try {
    const info = await Deno.stat(path);
    return !(options.isDirectory && !info.isDirectory) && !(options.isFile && !info.isFile);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Options of {@link walk}. */
export interface WalkOptions {
  maxDepth?: number;
  includeFiles?: boolean;
  includeDirs?: boolean;
  /** Endings of the files wanted, with or without the leading dot. */
  exts?: string[];
  /** Only paths that match one of these. */
  match?: RegExp[];
  /** No paths that match one of these, nor what is below them. */
  skip?: RegExp[];
}

/** Something that {@link walk} found. */
export interface WalkEntry extends Deno.DirEntry {
  path: string;
}

/** Everything below `root` and `root` itself; symbolic links are not followed. */
export async function* walk(
  root: string | URL,
  options: WalkOptions = {},
): AsyncIterableIterator<WalkEntry> {
  const { maxDepth = Infinity, includeFiles = true, includeDirs = true, match, skip } = options;
  const exts = options.exts?.map((ext) => ext.startsWith(".") ? ext : `.${ext}`);
  const path = toPath(root);
  const wanted = (path: string) =>
    (!exts || exts.includes(extname(path))) && (!match || match.some((r) => r.test(path)));
  if (maxDepth < 0 || skip?.some((r) => r.test(path))) return;
  const { isFile, isDirectory, isSymlink } = await Deno.lstat(path);
  const name = basename(normalize(path));
  if (!isDirectory) {
    if (includeFiles && wanted(path)) yield { path, name, isFile, isDirectory, isSymlink };
    return;
  }
  if (includeDirs && wanted(path)) yield { path, name, isFile, isDirectory, isSymlink };
  if (maxDepth < 1) return;
  for await (const entry of Deno.readDir(path)) {
    yield* walk(join(path, entry.name), { ...options, maxDepth: maxDepth - 1 });
  }
}
