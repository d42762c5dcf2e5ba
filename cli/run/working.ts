import { ProgressLine } from "../report/progress.ts";
import { paintFor } from "../colour.ts";
import { terminalWidth } from "./session.ts";

/**
 * Does something whose result is all that goes to the standard output: how far it is goes to the
 * standard error, as `printError` writes it; with `quiet` nowhere.
 */
export async function showingWork<T>(
  printError: (text: string) => void,
  { quiet }: { readonly quiet: boolean },
  work: (reporter: ProgressLine) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine({
    write: printError,
    terminal: Deno.stderr.isTerminal(),
    width: terminalWidth,
    paint: paintFor(Deno.stderr),
    now: () => performance.now(),
    quiet,
  });
  try {
    return await work(line);
  } finally {
    line.clear();
  }
}
