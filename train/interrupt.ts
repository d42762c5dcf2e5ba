import type { ProgressLine } from "./progress.ts";

const INTERRUPTED = 130;

/** On an interrupt, says what is kept and ends the process; gives what undoes this. */
export function onInterrupt(
  progress: ProgressLine,
  { kept, printError }: {
    readonly kept: () => string;
    readonly printError: (text: string) => void;
  },
): () => void {
  const stop = (): never => {
    const words = kept();
    progress.end();
    printError(`adjoin: interrupted; ${words}\n`);
    Deno.exit(INTERRUPTED);
  };
  Deno.addSignalListener("SIGINT", stop);
  return () => Deno.removeSignalListener("SIGINT", stop);
}
