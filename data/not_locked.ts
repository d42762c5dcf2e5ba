/** Deno's own words where the lock file in use lacks a package, and may not be changed. */
const WORDS = "lockfile is out of date";

/** The flag of Deno's that names the lock file with all packages, as the tasks do. */
export const LOCK_FLAG = "--lock=packages.lock";

/** Whether a package was not loaded as the lock file that Deno was started with does not have it. */
export function notLocked(error: unknown): boolean {
  return error instanceof Error && error.message.includes(WORDS);
}
