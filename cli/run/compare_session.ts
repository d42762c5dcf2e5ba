import { compare } from "../../train/compare/compare.ts";
import type { ComparedRun, Comparison } from "../../train/compare/comparison.ts";
import type { Method } from "../../train/compare/method.ts";
import { rowsOf, withNeeds } from "../../train/compare/methods.ts";
import { endedBefore } from "../../train/compare/plan.ts";
import { comparisonTable } from "../report/compare_table.ts";
import { UsageError } from "../../train/errors.ts";
import {
  adapterFact,
  dataFact,
  type Fact,
  headerLines,
  modelFact,
  recipeWords,
} from "../report/header.ts";
import { writeReport } from "../report_page/write_report.ts";
import type { CompareRequest } from "../options.ts";
import { paintFor, remark } from "../colour.ts";
import { printJson } from "../print.ts";
import { removeRuns, saveComparison, saveOutcomes, saveRun } from "./compare_files.ts";
import { networkOfRun } from "../../train/model_file.ts";
import { readInputs } from "./open_run.ts";
import { openRunPictures } from "./run_pictures.ts";
import { ComparisonFolder } from "./comparison_folder.ts";
import { earlierRuns } from "./earlier_runs.ts";
import { goOnWords } from "./go_on.ts";
import { checkFolder } from "./output_folder.ts";
import { pointsBeside } from "./pareto_points_of.ts";
import { ProgressLine } from "../report/progress.ts";
import { courseOf, notesOf, type Output, terminalWidth } from "./session.ts";
import { Stopping } from "./stopping.ts";
import { budgetName, listed, percent, plural } from "../../data/words.ts";
import { duration } from "../text.ts";
import { LiveRun } from "../serve/live_run.ts";
import type { Reporter, RunStart } from "../../train/types.ts";

/** Names of methods in words. */
function namesOf(methods: readonly Method[]): string {
  return listed(methods.map(({ name }) => name));
}

/** The header of a comparison. */
function facts(info: RunStart, request: CompareRequest, output: string): Fact[] {
  const { find, seeds, methods, options, options: { seed } } = request;
  const last = seed + seeds - 1;
  const trained = withNeeds(methods);
  const besides = trained.filter(({ name }) => !methods.includes(name));
  const needing = trained.filter(({ needs }) => needs?.some((method) => besides.includes(method)));
  return [
    adapterFact(info),
    modelFact({ ...info, what: "" }),
    dataFact(info),
    [
      "compare",
      `${plural(methods.length, "method")} at ${percent(find.budget)} of the ` +
      `${budgetName(find.budgeted)}, ` +
      `${seeds === 1 ? `seed ${seed}` : `seeds ${seed} to ${last}`}: ` +
      plural(seeds * trained.length, "run"),
    ],
    ["methods", listed(methods)],
    ...besides.length
      ? [
        [
          "besides",
          `${namesOf(besides)}, which ${namesOf(needing)} ${
            needing.length === 1 ? "starts" : "start"
          } from`,
        ] as const,
      ]
      : [],
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
  const { options, options: { output }, find, methods, pruneBy, seeds, quiet, from } = request;
  if (!from) await checkFolder(output, request);
  const beside = await pointsBeside(request.beside);
  const paint = paintFor(Deno.stdout);
  const line = new ProgressLine({
    write: print,
    terminal: Deno.stdout.isTerminal(),
    width: terminalWidth,
    paint,
    now: () => performance.now(),
    quiet,
    brief: true,
  });
  const said = new Set<string>();
  /** Runs have many remarks in common. */
  const note = (text: string): void => {
    if (quiet || said.has(text)) return;
    said.add(text);
    line.clear();
    print(`${remark(text, paint)}\n`);
  };
  using folder = new ComparisonFolder(output, request, { note, keep: options.keep });
  const live = new LiveRun(folder, { serve: request.serve, note });
  await live.demand();
  const earlier = from && await earlierRuns(from);
  // Networks of an earlier comparison go when there are the first of this one.
  let begun = false;
  if (from) {
    folder.resume(from, request.config);
    begun = endedBefore(from.state).length > 0;
    folder.results = begun ? earlier?.outcomes.length ?? 0 : 0;
  }
  /** What is there, and the command that goes on with it. */
  const kept = (): string => folder.kept() + goOnWords(request, folder.resumable);
  /** Keeps what there is of a comparison that has not come to its end; gives whether elsewhere. */
  const settle = async (): Promise<boolean> => {
    const rescued = await folder.settle();
    if (folder.started && !rescued) {
      await writeReport(folder.path, { beside: request.beside, note });
    }
    return rescued;
  };
  using stopping = new Stopping(line, {
    ...{ kept, printError },
    settled: async () => void await settle(),
    minutes: options.timeLimit,
  });
  let announced = false;
  const reporter: Reporter = {
    start: (info) => {
      stopping.between();
      // Before the first method is trained.
      if (!folder.started) folder.start(request.config);
      if (!announced && !quiet) {
        print(headerLines(facts(info, request, folder.path)).join("\n") + "\n");
      }
      if (!announced && !quiet) {
        for (const text of notesOf(request, info.adapter)) print(`${remark(text, paint)}\n`);
      }
      announced = true;
      live.begin();
      line.start(info);
    },
    progress: (found) => {
      live.tell({ progress: found });
      line.progress(found);
    },
    work: (work) => {
      stopping.during(work);
      live.tell({ work });
      line.work(work);
    },
    epoch: (metrics) => line.epoch(metrics),
    note,
  };
  /** Goes on where something cannot be written: the other methods can be trained all the same. */
  const tolerant = async (write: () => Promise<void>): Promise<void> => {
    line.clear();
    try {
      await write();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      print(`${remark(error.message, paint)}\n`);
    }
  };
  const trained = (run: ComparedRun): Promise<void> =>
    tolerant(async () => {
      if (!begun) await removeRuns(folder.path);
      begun = true;
      await saveRun(folder.path, run, { note, tensorboard: request.tensorboard });
    });
  const saved = async (comparison: Comparison): Promise<void> => {
    await tolerant(async () => {
      await saveOutcomes(folder.path, comparison);
      folder.results = comparison.outcomes.length;
    });
    const last = comparison.outcomes.at(-1);
    if (!last || quiet) return;
    const { seed, top1, method, which } = last;
    const text = rowsOf([method]).find((row) => row.which === which)?.text;
    const after = duration(comparison.seconds);
    print(`seed ${seed}  ${percent(top1).padStart(7)}  ${text}, after ${after}\n`);
  };
  const course = courseOf(request, { keeper: folder.keeper, stopping });
  try {
    using pictures = await openRunPictures(request.options, reporter.note);
    // Seeds after that of the state have the same base network.
    const network = from && networkOfRun(from.state.run);
    const comparison = await compare(request.options, {
      read: (options, state) => readInputs(options, pictures.open, state, network),
      ...{ find, methods, pruneBy, seeds, course, earlier },
      ...{ reporter, trained, saved },
    });
    line.clear();
    if (!request.json) print(`${quiet ? "" : "\n"}${comparisonTable(comparison)}`);
    const told = (text: string): void => print(`${remark(text, paint)}\n`);
    const names = await saveComparison(folder.path, comparison, { note: told, beside });
    names.push(...await writeReport(folder.path, { beside: request.beside, note: told }));
    const runs = plural(seeds * withNeeds(methods).length, "run");
    const networks = new Set(comparison.outcomes.map(({ file }) => file.split("/")[0]));
    if (request.json) printJson({ ...comparison, folder: folder.path });
    else {
      print(
        `${[...names, ...networks].join(", ")} in ${folder.path}, ${runs} after ` +
          `${duration(comparison.seconds)}\n`,
      );
    }
    await folder.keeper.settled();
  } catch (error) {
    throw await stopping.endedBy(error, { settle, note });
  } finally {
    line.end();
    await live.end();
  }
}
