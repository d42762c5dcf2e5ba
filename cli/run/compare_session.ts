import { compare, type Comparison } from "../../train/compare.ts";
import { comparisonTable, summaries } from "../report/compare_table.ts";
import { UsageError } from "../../train/errors.ts";
import { onInterrupt } from "./interrupt.ts";
import type { CompareRequest } from "../options.ts";
import { checkFolder, takeFolder } from "./output_folder.ts";
import { runConfig } from "./run_config.ts";
import { ProgressLine } from "../report/progress.ts";
import { type Output, picture, terminalWidth } from "./session.ts";
import { percent, plural } from "../text.ts";
import type { Reporter } from "../../train/types.ts";
import { writeWhole } from "./whole_file.ts";

async function write(folder: string, name: string, text: string): Promise<void> {
  await writeWhole(`${folder}/${name}`, new TextEncoder().encode(text));
}

async function writeOutcomes(folder: string, comparison: Comparison): Promise<void> {
  const all = { ...comparison, summary: summaries(comparison) };
  await write(folder, "compare.json", JSON.stringify(all, null, 2) + "\n");
}

async function drawn(comparison: Comparison): Promise<string> {
  const { drawComparison } = await import("../report/compare_picture.ts");
  return await drawComparison(comparison);
}

/** Saves a comparison and, if it can be drawn, its picture; gives the names of the files. */
export async function saveComparison(
  folder: string,
  comparison: Comparison,
  { note, draw = drawn }: { note: (text: string) => void; draw?: typeof drawn },
): Promise<string[]> {
  await writeOutcomes(folder, comparison);
  const pictures = await picture("compare.svg", () => draw(comparison), note);
  // That of a comparison before does not belong to this one.
  await Deno.remove(`${folder}/compare.svg`).catch(() => {});
  for (const [name, content] of pictures) await write(folder, name, content);
  return ["compare.json", ...pictures.map(([name]) => name)];
}

/**
 * Compares methods, with progress on the console. What there is after each method is in
 * compare.json of the run folder; at the end compare.svg lies beside it.
 */
export async function compareInFolder(
  request: CompareRequest,
  { print, printError }: Output,
): Promise<void> {
  const { options: { output }, find, seeds, quiet } = request;
  await checkFolder(output, request);
  let folder: string | undefined;
  const line = new ProgressLine({
    write: print,
    terminal: Deno.stdout.isTerminal(),
    width: terminalWidth,
    now: () => performance.now(),
    quiet,
    brief: true,
  });
  const reporter: Reporter = {
    start: (info) => {
      // Before the first method is trained.
      if (folder === undefined) {
        folder = takeFolder(output, request);
        const config = runConfig(request.config, { output: folder });
        Deno.writeTextFileSync(`${folder}/config.json`, config);
      }
      line.start(info);
    },
    progress: (found) => line.progress(found),
    epoch: (metrics) => line.epoch(metrics),
    note: (text) => line.note(text),
  };
  let results = 0;
  const saved = async (comparison: Comparison): Promise<void> => {
    line.end();
    try {
      await writeOutcomes(folder ?? output, comparison);
      results = comparison.outcomes.length;
    } catch (error) {
      // The other methods can be trained all the same; at the end it is written again.
      if (!(error instanceof UsageError)) throw error;
      print(`${error.message}\n`);
    }
    const last = comparison.outcomes.at(-1);
    if (!last || quiet) return;
    print(`seed ${last.seed}  ${percent(last.top1).padStart(7)}  ${last.method}\n`);
  };
  const kept = (): string =>
    results === 0
      ? "nothing was written"
      : `${folder} keeps compare.json with ${plural(results, "result")}`;
  const stopListening = onInterrupt(line, { kept, printError });
  try {
    const comparison = await compare(request.options, { find, seeds, reporter, saved });
    line.end();
    print(`${quiet ? "" : "\n"}${comparisonTable(comparison)}`);
    const note = (text: string): void => print(`${text}\n`);
    const names = await saveComparison(folder ?? output, comparison, { note });
    print(`${names.join(", ")} in ${folder}\n`);
  } finally {
    line.end();
    stopListening();
  }
}
