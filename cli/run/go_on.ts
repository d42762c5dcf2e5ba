import { printable } from "../../data/printable.ts";
import { shellWord } from "./shell_word.ts";

/** The command that goes on with a run. */
export function goOnCommand(command: string, path: string): string {
  return `deno task ${command} --resume ${printable(shellWord(path), 300)}`;
}

/** The end of a sentence that says so; nothing where there is nothing to go on from. */
export function goOnWords(
  { config }: { readonly config: Readonly<Record<string, unknown>> },
  path: string | undefined,
): string {
  return path === undefined ? "" : `; go on with ${goOnCommand(String(config.command), path)}`;
}
