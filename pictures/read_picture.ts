import { BrokenPictureError } from "../data/broken_picture.ts";
import { DataError } from "../data/error.ts";
import { errorCode, foundInstead, isSpecial, tooManyOpen } from "../data/found_instead.ts";
import { missingPermission } from "../data/missing_permission.ts";
import { printable } from "../data/printable.ts";
import { decode } from "./decode.ts";
import { entryOf, readEntry, writeEntry } from "./disk_cache.ts";
import type { Decoded, PictureRequest } from "./picture_request.ts";

/** Bytes of the largest file that is read. */
const LARGEST = 2 ** 29;

/** Codes of the system where a file, or a folder above it, is not there any more. */
const MISSING: readonly unknown[] = ["ENOENT", "ENOTDIR", "ESTALE", "ENOTCONN", "EIO", "ENODEV"];

/** Why there is no picture. */
type NotDecoded = Exclude<Decoded, { readonly kind: "picture" }>;

/**
 * Why a file could not be read, after its name; nothing where it was the program's fault. Raises a
 * {@link DataError} for what keeps the program from reading any.
 */
export function unread(path: string, error: unknown): NotDecoded | undefined {
  if (error instanceof BrokenPictureError) return { kind: "broken", reason: error.message };
  if (missingPermission(error) || isSpecial(error) || tooManyOpen(error)) {
    throw new DataError(`Cannot read pictures: found ${foundInstead(path, error)}`, {
      cause: error,
    });
  }
  const code = errorCode(error);
  if (typeof code !== "string") return undefined;
  if (code === "EACCES" || code === "EPERM") {
    return { kind: "broken", reason: "no permission to read it" };
  }
  const words = code === "ENOENT" ? "no such file any more" : `cannot be read (${code})`;
  return { kind: MISSING.includes(code) ? "missing" : "broken", reason: printable(words) };
}

/** What the system says of a file. Raises a {@link BrokenPictureError} for what is not to be read. */
export async function statPicture(path: string): Promise<Deno.FileInfo> {
  const info = await Deno.stat(path);
  // A pipe would be waited for until somebody writes to it.
  if (!info.isFile) throw new BrokenPictureError("not a file");
  if (info.size > LARGEST) {
    throw new BrokenPictureError(`${info.size} bytes, more than ${LARGEST}`);
  }
  return info;
}

/**
 * Reads and decodes the picture in a file, or tells why that cannot be done; only what is no fault of
 * the file is raised. Takes from the cache what it has, and adds what it has not.
 */
export async function readPicture(
  { path, preparation, cache }: Omit<PictureRequest, "id">,
): Promise<Decoded> {
  try {
    const { size, mtime } = await statPicture(path);
    const entry = cache && await entryOf(cache, { path, size, mtime, preparation });
    const kept = entry && await readEntry(entry, preparation);
    if (kept) return { kind: "picture", picture: kept };
    const picture = await decode(await Deno.readFile(path), preparation);
    if (entry) await writeEntry(entry, picture);
    return { kind: "picture", picture };
  } catch (error) {
    const found = unread(path, error);
    if (!found) throw error;
    return found;
  }
}
