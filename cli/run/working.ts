import { ProgressLine } from "../report/progress.ts";
import { terminalWidth } from "./session.ts";

/**
 * Does something whose result is all that goes to the standard output: how far it is goes to the
 * standard error, as `printError` writes it.
 */
export async function showingWork<T>(
  printError: (text: string) => void,
  work: (reporter: ProgressLine) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine({
    write: printError,
    terminal: Deno.stderr.isTerminal(),
    width: terminalWidth,
    now: () => performance.now(),
    quiet: false,
  });
  try {
    return await work(line);
  } finally {
    line.clear();
  }
}
