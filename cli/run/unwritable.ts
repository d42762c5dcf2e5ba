import { messageOf } from "../../data/message_of.ts";
import { dirname } from "node:path";
import { curable, type Cure, cure, curesInWords } from "../../data/cure.ts";
import { errorCode, tooManyOpen } from "../../data/found_instead.ts";
import { grantingFlag, missingPermission } from "../../data/missing_permission.ts";
import { LOCK_FLAG } from "../../data/not_locked.ts";
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
    case "EIO":
      return "the disk fails";
    case "ENAMETOOLONG":
      return "the name is too long";
    case "ELOOP":
      return "links there lead in a circle";
  }
  if (tooManyOpen(error)) return "too many files are open";
  if (isSpecial(error)) {
    return "Deno lets programs write to /dev, /proc and /sys with --allow-all only";
  }
  const missing = missingPermission(error);
  if (missing) return `Deno was started without the permission to ${missing.access} there`;
  return messageOf(error);
}

/** What helps where something cannot be written in a folder: one of these. */
function curesFor(error: unknown, folder: string): Cure[] {
  const code = String(errorCode(error));
  const other = cure`choose another ${{ option: "output", words: "--output" }}`;
  if (["ENOSPC", "EDQUOT"].includes(code)) return [cure`make room`, other];
  if (tooManyOpen(error)) return [cure`raise the limit of open files (ulimit -n)`];
  const missing = missingPermission(error);
  // Files are written under names of their own, and renamed: the folder is what has to be granted.
  if (missing) return [other, cure`add ${grantingFlag({ ...missing, what: folder })}`];
  if (isSpecial(error)) {
    return [other, cure`type deno run --allow-all ${LOCK_FLAG} cli/main.ts in place of deno task`];
  }
  return code === "EISDIR" ? [cure`move that folder away`, other] : [other];
}

/** What helps where something cannot be written in a folder, in words. */
export function cureFor(error: unknown, folder: string): string {
  return curesInWords(curesFor(error, folder));
}

/** The error for a file that cannot be written. */
export function unwritable(path: string, cause: unknown): UsageError {
  const cures = curesFor(cause, dirname(path));
  return Object.assign(curable(UsageError, `Cannot write ${path}: ${whyNot(cause)}`, ...cures), {
    cause,
  });
}
