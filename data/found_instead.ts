import { messageOf } from "./message_of.ts";
import { grantingFlag, missingPermission } from "./missing_permission.ts";
import { LOCK_FLAG } from "./not_locked.ts";
import { printable } from "./printable.ts";

/** The code of a system's error, as `ENOENT`; nothing for other errors. */
export function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Whether the system, or the process, has as many files open as it may: no fault of the one to open. */
export function tooManyOpen(error: unknown): boolean {
  if (["EMFILE", "ENFILE"].includes(String(errorCode(error)))) return true;
  // Packages that load others tell the code on a line of their own.
  return error instanceof Error && /^E[MN]FILE\b/m.test(error.message);
}

/** Deno's own words where it lets nobody read, whatever is allowed: below /dev, /proc and /sys. */
const SPECIAL = /^Requires all access/;

/** Whether an error is Deno's for files that it opens only with all permissions. */
export function isSpecial(error: unknown): boolean {
  return error instanceof Error && SPECIAL.test(error.message);
}

/** What there is in place of a file or folder to read, in words that go after "found". */
export function foundInstead(
  foreignPath: string,
  error: unknown,
  wanted: "file" | "folder" = "file",
): string {
  const path = printable(foreignPath, 300);
  const reason = messageOf(error);
  if (isSpecial(error)) {
    return `the special ${wanted} ${path}, which Deno opens only with all permissions: copy it ` +
      `elsewhere, or run deno run --allow-all ${LOCK_FLAG} cli/main.ts in place of deno task`;
  }
  const missing = missingPermission(error);
  if (missing) {
    return `${path}, which Deno was started without the permission to read: add ` +
      grantingFlag(missing);
  }
  if (tooManyOpen(error)) {
    return `too many files open to read ${path}: raise the limit of open files (ulimit -n)`;
  }
  switch (errorCode(error)) {
    case "ENOENT":
      return `no ${wanted} ${path}`;
    case "ENOTDIR":
      return wanted === "file" ? `no file ${path}` : `a file at ${path}`;
    case "EISDIR":
      return `a folder at ${path}`;
    case "EACCES":
    case "EPERM":
      return `no permission to read ${path}`;
  }
  return `${path}, which cannot be read: ${printable(reason, 200)}`;
}
