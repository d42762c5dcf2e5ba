import type { ProgressLine } from "../report/progress.ts";

/** Signals that end a run, what they do to it, and its exit code: 128 and their number. */
export const SIGNALS = [
  { signal: "SIGINT", words: "interrupted", code: 130 },
  { signal: "SIGTERM", words: "ended by SIGTERM", code: 143 },
  { signal: "SIGHUP", words: "ended by SIGHUP, as when its terminal is closed", code: 129 },
] as const;

/** Calls `act` for each signal that is to end the process; gives what undoes this. */
export function onSignal(act: (signal: typeof SIGNALS[number]) => void): () => void {
  const listening = SIGNALS.flatMap((found) => {
    const { signal } = found;
    const listener = (): void => act(found);
    try {
      Deno.addSignalListener(signal, listener);
    } catch {
      // Not every system has every signal.
      return [];
    }
    return [{ signal, listener }];
  });
  return () => {
    for (const { signal, listener } of listening) Deno.removeSignalListener(signal, listener);
  };
}

/** When a signal is to end the process, says what is kept and ends it; gives what undoes this. */
export function onInterrupt(
  progress: ProgressLine,
  { kept, printError }: {
    readonly kept: () => string;
    readonly printError: (text: string) => void;
  },
): () => void {
  return onSignal(({ words, code }) => {
    const found = kept();
    progress.end();
    printError(`adjoin: ${words}; ${found}\n`);
    Deno.exit(code);
  });
}
