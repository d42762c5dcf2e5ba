import { printable } from "./printable.ts";

/** What is done with a permission of each kind of Deno's, in words that go after "Cannot". */
const DONE = {
  read: "read",
  write: "write",
  net: "connect to",
  env: "read the environment variable",
  sys: "ask the system for",
  run: "run",
  ffi: "load",
  import: "import",
} as const;

/** A kind of permission. */
type Access = keyof typeof DONE;

/** A permission that Deno was started without. */
export interface MissingPermission {
  /** Its kind, as the flag `--allow-read` has it. */
  readonly access: Access;
  /** What it is needed for, as a path or the name of a variable; nothing where Deno does not say. */
  readonly what?: string;
}

/** Deno's own words; packages repeat them on a line of their own, or after the name of the error. */
const WORDS =
  /(?:^|NotCapable: )Requires (read|write|net|env|sys|run|ffi|import) access(?: to (?:"(.*)"|<.*>))?, run again/m;

function isAccess(text: string): text is Access {
  return Object.hasOwn(DONE, text);
}

/** The permission that a message of Deno's asks for; nothing in other messages. */
export function permissionIn(message: string): MissingPermission | undefined {
  const [, access, what] = WORDS.exec(message) ?? [];
  if (access === undefined || !isAccess(access)) return undefined;
  return { access, ...what ? { what } : {} };
}

/** The permission whose lack is behind an error, whatever has been made of it since. */
export function missingPermission(error: unknown): MissingPermission | undefined {
  for (let found = error; found instanceof Error; found = found.cause) {
    const missing = permissionIn(found.message);
    if (missing) return missing;
  }
}

/** The flag of Deno's that grants a permission, for no more than is needed. */
export function grantingFlag({ access, what }: MissingPermission): string {
  const flag = `--allow-${access}`;
  if (what === undefined) return flag;
  const value = printable(what, 300);
  return /\s/.test(value) ? `${flag}="${value}"` : `${flag}=${value}`;
}

/** What cannot be done without a permission, as `read a/b`. */
export function notPermitted({ access, what }: MissingPermission): string {
  if (what === undefined) return access === "env" ? "read the environment" : DONE[access];
  return `${DONE[access]} ${printable(what, 300)}`;
}
