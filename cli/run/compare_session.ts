import { compare } from "../../train/compare.ts";
import {
  type ComparedRun,
  type Comparison,
  METHODS,
  RUNS_OF_SEED,
} from "../../train/compared_runs.ts";
import { comparisonTable } from "../report/compare_table.ts";
import { UsageError } from "../../train/errors.ts";
import { dataFact, type Fact, headerLines, modelFact, recipeWords } from "../report/header.ts";
import { onInterrupt } from "./interrupt.ts";
import type { CompareRequest } from "../options.ts";
import { removeRuns, saveComparison, saveOutcomes, saveRun } from "./compare_files.ts";
import { readInputs } from "./open_run.ts";
import { openRunPictures } from "./run_pictures.ts";
import { checkFolder, takeFolder } from "./output_folder.ts";
import { runConfig } from "./run_config.ts";
import { ProgressLine } from "../report/progress.ts";
import { type Output, terminalWidth } from "./session.ts";
import { budgetName, percent, plural } from "../../data/words.ts";
import { duration } from "../text.ts";
import type { Reporter, RunStart } from "../../train/types.ts";

/** The header of a comparison. */
function facts(info: RunStart, { find, seeds, options }: CompareRequest, output: string): Fact[] {
  const { seed } = options;
  const last = seed + seeds - 1;
  return [
    ["adapter", info.adapter],
    modelFact({ ...info, what: "" }),
    dataFact(info),
    [
      "compare",
      `${METHODS.length} methods at ${percent(find.budget)} of the ${budgetName(find.budgeted)}, ` +
      `${seeds === 1 ? `seed ${seed}` : `seeds ${seed} to ${last}`}: ` +
      plural(seeds * RUNS_OF_SEED, "run"),
    ],
    ["run", recipeWords(options)],
    ["output", output],
  ];
}

/**
 * Compares methods, with progress on the console. What there is after each method is in
 * compare.json of the run folder, and its networks in folders beside it; at the end compare.svg lies
 * there as well.
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
      if (folder === undefined) {
        // Before the first method is trained.
        folder = takeFolder(output, request);
        const config = runConfig(request.config, { output: folder });
        Deno.writeTextFileSync(`${folder}/config.json`, config);
        if (!quiet) print(headerLines(facts(info, request, folder)).join("\n") + "\n");
      }
      line.start(info);
    },
    progress: (found) => line.progress(found),
    work: (work) => line.work(work),
    epoch: (metrics) => line.epoch(metrics),
    note: (text) => line.note(text),
  };
  let results = 0;
  let begun = false;
  /** Goes on where something cannot be written: the other methods can be trained all the same. */
  const tolerant = async (write: () => Promise<void>): Promise<void> => {
    line.clear();
    try {
      await write();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      print(`${error.message}\n`);
    }
  };
  const trained = (run: ComparedRun): Promise<void> =>
    tolerant(async () => {
      if (!begun) await removeRuns(folder ?? output);
      begun = true;
      await saveRun(folder ?? output, run);
    });
  const saved = async (comparison: Comparison): Promise<void> => {
    await tolerant(async () => {
      await saveOutcomes(folder ?? output, comparison);
      results = comparison.outcomes.length;
    });
    const last = comparison.outcomes.at(-1);
    if (!last || quiet) return;
    const { seed, top1, method } = last;
    const after = duration(comparison.seconds);
    print(`seed ${seed}  ${percent(top1).padStart(7)}  ${method}, after ${after}\n`);
  };
  const kept = (): string =>
    results === 0
      ? "nothing was written"
      : `${folder} keeps compare.json with ${plural(results, "result")}, and the networks`;
  const stopListening = onInterrupt(line, { kept, printError });
  try {
    using pictures = await openRunPictures(request.options, reporter.note);
    const comparison = await compare(request.options, {
      read: (options) => readInputs(options, pictures.open),
      ...{ find, seeds },
      ...{ reporter, trained, saved },
    });
    line.clear();
    print(`${quiet ? "" : "\n"}${comparisonTable(comparison)}`);
    const note = (text: string): void => print(`${text}\n`);
    const names = await saveComparison(folder ?? output, comparison, { note });
    const runs = plural(seeds * RUNS_OF_SEED, "run");
    const networks = new Set(comparison.outcomes.map(({ file }) => file.split("/")[0]));
    print(
      `${[...names, ...networks].join(", ")} in ${folder}, ${runs} after ` +
        `${duration(comparison.seconds)}\n`,
    );
  } finally {
    line.end();
    stopListening();
  }
}
