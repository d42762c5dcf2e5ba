import type { ProgressLine } from "../report/progress.ts";

/** Signals that end a run, what they do to it, and its exit code: 128 and their number. */
export const SIGNALS = [
  { signal: "SIGINT", words: "interrupted", code: 130 },
  { signal: "SIGTERM", words: "ended by SIGTERM", code: 143 },
  { signal: "SIGHUP", words: "ended by SIGHUP, as when its terminal is closed", code: 129 },
] as const;

/** When a signal is to end the process, says what is kept and ends it; gives what undoes this. */
export function onInterrupt(
  progress: ProgressLine,
  { kept, printError }: {
    readonly kept: () => string;
    readonly printError: (text: string) => void;
  },
): () => void {
  const listening = SIGNALS.flatMap(({ signal, words, code }) => {
    const stop = (): never => {
      const found = kept();
      progress.end();
      printError(`adjoin: ${words}; ${found}\n`);
      Deno.exit(code);
    };
    try {
      Deno.addSignalListener(signal, stop);
    } catch {
      // Not every system has every signal.
      return [];
    }
    return [{ signal, stop }];
  });
  return () => {
    for (const { signal, stop } of listening) Deno.removeSignalListener(signal, stop);
  };
}
