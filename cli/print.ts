import { UsageError } from "../train/errors.ts";
import { paintFor } from "./colour.ts";
import { writer } from "./writer.ts";

const writeError = writer(Deno.stderr, () => {});

/** Prints to stderr; what cannot be printed there is lost. The name before an error is red. */
export function printError(text: string): void {
  writeError(text.replace(/^adjoin:/, (name) => paintFor(Deno.stderr)("red", name)));
}

/** Prints a result. Raises a {@link UsageError} where it cannot, as on a full disk. */
export const print = writer(Deno.stdout, ({ message }) => {
  throw new UsageError(`Cannot print the result: ${message}; make room or send it elsewhere`);
});

let silent = false;

/** Prints what a run goes on without: a network that was trained is worth more than its progress. */
export const printProgress = writer(Deno.stdout, ({ message }) => {
  if (!silent) printError(`adjoin: Cannot print progress: ${message}; the run goes on without\n`);
  silent = true;
});

/** Prints a result as JSON. Raises a {@link UsageError} as {@link print} does. */
export function printJson(found: unknown): void {
  print(JSON.stringify(found, null, 2) + "\n");
}

/** Where the text of a run goes: beside a result as JSON, nothing else is on stdout. */
export function outputOf({ json }: { readonly json: boolean }): {
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
} {
  return { print: json ? printError : printProgress, printError };
}

/** Says that a run has nothing left to do. */
export function printDone(done: string, { json }: { readonly json: boolean }): void {
  if (json) printJson({ nothingLeft: done });
  else print(`${done}\n`);
}
