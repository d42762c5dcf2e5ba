import { errorCode } from "../../data/found_instead.ts";
import { UsageError } from "../../train/errors.ts";

/** Whether Deno keeps a program out of a place for which --allow-write is not enough. */
function isSpecial(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable && /\ball access\b/.test(error.message);
}

/** Why something cannot be written, in words. */
export function whyNot(error: unknown): string {
  switch (errorCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return "no space is left";
    case "EFBIG":
      return "files may not be so large there";
    case "EACCES":
    case "EPERM":
      return "there is no permission to write";
    case "EROFS":
      return "the disk is read-only";
    case "EISDIR":
      return "a folder is in its place";
    case "EEXIST":
    case "ENOTDIR":
      return "a file is in the place of a folder";
    case "ENOENT":
      return "its folder is not there";
    case "ENAMETOOLONG":
      return "the name is too long";
    case "ELOOP":
      return "links there lead in a circle";
  }
  if (isSpecial(error)) {
    return "Deno lets programs write to /dev, /proc and /sys with --allow-all only";
  }
  if (error instanceof Deno.errors.NotCapable) {
    return "Deno was started without --allow-write for it";
  }
  return error instanceof Error ? error.message : String(error);
}

/** What helps where something cannot be written. */
export function cureFor(error: unknown): string {
  const other = "choose another --output";
  if (["ENOSPC", "EDQUOT"].includes(String(errorCode(error)))) return `make room or ${other}`;
  const all = "type deno run --allow-all cli/main.ts in place of deno task";
  return isSpecial(error) ? `${other}, or ${all}` : other;
}

/** The error for a file that cannot be written. */
export function unwritable(path: string, cause: unknown): UsageError {
  return new UsageError(`Cannot write ${path}: ${whyNot(cause)}; ${cureFor(cause)}`, { cause });
}
