import { errorCode } from "../../data/found_instead.ts";
import { UsageError } from "../../train/errors.ts";

/** Why something cannot be written, in words. */
export function whyNot(error: unknown): string {
  switch (errorCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return "no space is left";
    case "EACCES":
    case "EPERM":
      return "there is no permission to write";
    case "EROFS":
      return "the disk cannot be written";
    case "EISDIR":
      return "a folder is in its place";
    case "EEXIST":
    case "ENOTDIR":
      return "a file is in the place of a folder";
    case "ENOENT":
      return "its folder is not there";
  }
  return error instanceof Error ? error.message : String(error);
}

/** The error for a file that cannot be written. */
export function unwritable(path: string, cause: unknown): UsageError {
  const cure = "make room or choose another --output";
  return new UsageError(`Cannot write ${path}: ${whyNot(cause)}; ${cure}`, { cause });
}
