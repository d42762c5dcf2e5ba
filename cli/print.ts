import { UsageError } from "../train/errors.ts";
import { writer } from "./writer.ts";

/** Prints to stderr; what cannot be printed there is lost. */
export const printError = writer(Deno.stderr, () => {});

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
