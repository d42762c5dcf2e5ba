import type { ProgressLine } from "./progress.ts";
import type { RunFolder } from "./run_folder.ts";

const INTERRUPTED = 130;

/** "1 epoch", "2 epochs". */
function epochs(lines: string): string {
  const count = lines.split("\n").length - 1;
  return `${count} epoch${count === 1 ? "" : "s"}`;
}

/** What a run has left in its folder so far, in words. */
export async function keptOfRun(folder: RunFolder): Promise<string> {
  if (!folder.started) return "nothing was written";
  const names = [...(await folder.sizes()).keys()];
  const words = await Promise.all(names.map(async (name) => {
    if (!name.endsWith(".jsonl")) return name;
    return `${name} with ${epochs(await Deno.readTextFile(`${folder.path}/${name}`))}`;
  }));
  const list = words.length < 2
    ? words.join()
    : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
  const weights = names.some((name) => name.endsWith(".safetensors"));
  return `${folder.path} keeps ${list}${weights ? "" : ", but no weights"}`;
}

/** On an interrupt, says what is kept and ends the process; gives what undoes this. */
export function onInterrupt(
  progress: ProgressLine,
  { kept, printError }: {
    readonly kept: () => string | Promise<string>;
    readonly printError: (text: string) => void;
  },
): () => void {
  const stop = async (): Promise<void> => {
    const words = await kept();
    progress.end();
    printError(`adjoin: interrupted; ${words}\n`);
    Deno.exit(INTERRUPTED);
  };
  const listener = (): void => void stop();
  Deno.addSignalListener("SIGINT", listener);
  return () => Deno.removeSignalListener("SIGINT", listener);
}
