import { printable } from "../data/printable.ts";
import { environment } from "./environment.ts";
import { errorMessage } from "./error_message.ts";
import { exitCode } from "./exit.ts";
import { printError } from "./print.ts";

/** Characters of an error that are printed: enough for all of ours. */
const LONGEST = 4000;

/** Says on stderr why a command failed, in one sentence, and sets the exit code of the process. */
export function fail(error: unknown, words: readonly string[]): void {
  const message = printable(errorMessage(error, words).replace(/\s+/g, " "), LONGEST);
  const stack = error instanceof Error && environment("ADJOIN_DEBUG") ? `${error.stack}\n` : "";
  printError(`adjoin: ${message}\n${stack}`);
  Deno.exitCode = exitCode(error);
}
