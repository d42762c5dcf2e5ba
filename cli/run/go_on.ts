import { printable } from "../../data/printable.ts";

/** A path as a shell reads it. */
function quoted(path: string): string {
  return /^[\w./+@%:,=-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** The command that goes on with a run. */
export function goOnCommand(command: string, path: string): string {
  return `deno task ${command} --resume ${printable(quoted(path), 300)}`;
}

/** The end of a sentence that says so; nothing where there is nothing to go on from. */
export function goOnWords(
  { config }: { readonly config: Readonly<Record<string, unknown>> },
  path: string | undefined,
): string {
  return path === undefined ? "" : `; go on with ${goOnCommand(String(config.command), path)}`;
}
