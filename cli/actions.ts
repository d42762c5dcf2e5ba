import { printable } from "../data/printable.ts";
import { listed } from "../data/words.ts";
import { isWhich, type Which } from "../nn/which.ts";
import type { BenchCommand } from "../bench/main.ts";
import { readArguments, readTyped } from "./arguments.ts";
import type { EvaluateReport } from "./evaluate.ts";
import { UsageError } from "../train/errors.ts";
import { EXIT } from "./exit.ts";
import type { Command } from "./flags/commands.ts";
import { unusable } from "./option_value.ts";
import { compareRequest, searchRequest, trainRequest } from "./options.ts";
import { comparedAll, nothingLeft, readRequest } from "./resuming.ts";
import { print, printError, printProgress } from "./print.ts";
import { recognizedDataset } from "./run/recognized.ts";
import {
  imagesOfRun,
  isFolder,
  openCheckpoint,
  savedNetworks,
  smallNetworksOf,
} from "./run/run_images.ts";
import { inRunFolder, saveWidths } from "./run/session.ts";
import { showingWork } from "./run/working.ts";
import { pairOf, summarize, type SummaryOptions, summaryTable } from "./summary.ts";
import type { SummaryLatency } from "./summary_latency.ts";
import { summaryOptions } from "./summary_file.ts";

async function runTrain(args: readonly string[]): Promise<number> {
  const request = await readRequest("train", args, trainRequest);
  if (request.dryRun) {
    const { dryRun } = await import("./report/dry_run.ts");
    print(await dryRun(request.options));
    return EXIT.ok;
  }
  const done = await nothingLeft(request);
  if (done) return said(done);
  await inRunFolder(request, { print: printProgress, printError }, {
    kind: request.options.mode,
    run: async (options, reporter, _, course) => {
      const { train } = await import("../train/train.ts");
      const { openJob } = await import("./run/open_run.ts");
      const { openRunPictures } = await import("./run/run_pictures.ts");
      using pictures = await openRunPictures(options, reporter.note);
      const job = await openJob(options, pictures.open, course.from, reporter);
      return await train(job, reporter, course);
    },
  });
  return EXIT.ok;
}

async function runSearch(args: readonly string[]): Promise<number> {
  const { find, fromScratch, widthsOnly, ...request } = await readRequest(
    "search",
    args,
    searchRequest,
  );
  const done = await nothingLeft(request);
  if (done) return said(done);
  await inRunFolder(request, { print: printProgress, printError }, {
    kind: "search",
    run: async (options, reporter, folder, course) => {
      const { search } = await import("../train/search.ts");
      const { openSearch } = await import("./run/open_run.ts");
      const { openRunPictures } = await import("./run/run_pictures.ts");
      using pictures = await openRunPictures(options, reporter.note);
      const opened = await openSearch(options, find, {
        openPictures: pictures.open,
        from: course.from,
        reporter,
      });
      const { trained } = await search(opened, {
        options,
        fromScratch,
        train: !widthsOnly,
        found: (found, which) => saveWidths(folder, found, { which, reporter }),
        course,
      }, reporter);
      return trained;
    },
  });
  return EXIT.ok;
}

function said(text: string): number {
  print(`${text}\n`);
  return EXIT.ok;
}

/** The network that `--which` names. */
function whichOf({ which }: { readonly which?: string }): Which | undefined {
  return isWhich(which) ? which : undefined;
}

/** Raises a {@link UsageError} for an output of several networks that is no folder. */
function demandFolder(output: string, networks: readonly string[]): void {
  if (isFolder(output) || output.endsWith("/")) return;
  throw unusable(
    `--output is a folder for several networks, found ${printable(output, 300)} for ` +
      `${listed(networks)}; pass --which`,
  );
}

async function runExport(args: readonly string[]): Promise<number> {
  const { values, positionals: [run] } = readArguments("export", args);
  const precision = values.int8 ? "int8" : values.fp16 ? "fp16" : undefined;
  const which = whichOf(values);
  const small = smallNetworksOf(run);
  const several = which === undefined && small.length > 1 ? small : undefined;
  if (several && values.output !== undefined) demandFolder(values.output, several);
  for (const one of several ?? [which]) {
    const options = { run, ...values, which: one };
    if (precision === undefined) {
      const { exportNetwork, exportText } = await import("./export.ts");
      print(
        exportText(await showingWork(printError, (reporter) => exportNetwork(options, reporter))),
      );
    } else {
      const { compactText, exportCompact } = await import("./export_compact.ts");
      const exported = await showingWork(
        printError,
        (reporter) => exportCompact(precision, options, reporter),
      );
      print(compactText(exported));
    }
  }
  return EXIT.ok;
}

async function runEval(args: readonly string[]): Promise<number> {
  const { typed, positionals: [path] } = readTyped("eval", args);
  const checkpoint = path === undefined ? undefined : await openCheckpoint(path);
  const ofRun = path === undefined ? {} : await imagesOfRun(path, typed, checkpoint?.state);
  const found = await recognizedDataset({ ...ofRun, ...typed });
  const { values } = readArguments("eval", args, { ...ofRun, ...found });
  const { evaluate, evaluateTable, evaluateText } = await import("./evaluate.ts");
  const { output } = values;
  const isRun = checkpoint !== undefined || isFolder(path);
  const folder = output ?? (isFolder(path) ? path : undefined);
  const { makeEvaluationFolder, writeEvaluation } = await import("./run/evaluation_files.ts");
  if (output !== undefined) makeEvaluationFolder(output);
  const reports: EvaluateReport[] = [];
  const networks = checkpoint?.networks.map((network) => ({ file: path, network })) ??
    savedNetworks(path).map(({ file }) => ({ file }));
  for (const network of networks) {
    const options = { ...values, ...network };
    reports.push(
      await showingWork(printError, (reporter) =>
        evaluate(options, reporter, async (seen) => {
          if (folder === undefined) return;
          const { which } = seen.report;
          // The only small network of a run is the one that is meant.
          const isMeant = networks.length === 1 || which === "small";
          const prefix = isMeant ? "" : `${which}-`;
          try {
            await writeEvaluation(seen, { folder, prefix });
          } catch (error) {
            if (output !== undefined || !(error instanceof UsageError)) throw error;
            reporter.note(`${error.message}; the evaluation goes on without`);
          }
        })),
    );
  }
  if (values.json) {
    const byName = Object.fromEntries(reports.map((report) => [report.which, report]));
    print(JSON.stringify(isRun ? byName : reports[0], null, 2) + "\n");
  } else print(isRun ? evaluateTable(path, reports) : evaluateText(reports[0]));
  return EXIT.ok;
}

async function runPredict(args: readonly string[]): Promise<number> {
  const { values, positionals: [run, ...pictures] } = readArguments("predict", args);
  const { predict } = await import("./predict.ts");
  const { broken } = await predict({ run, pictures, ...values, which: whichOf(values) }, {
    print,
    printError,
  });
  return broken ? EXIT.data : EXIT.ok;
}

async function runCompare(args: readonly string[]): Promise<number> {
  const request = await readRequest("compare", args, compareRequest);
  const done = await comparedAll(request);
  if (done) return said(done);
  const { compareInFolder } = await import("./run/compare_session.ts");
  await compareInFolder(request, { print: printProgress, printError });
  return EXIT.ok;
}

/** What the layers of a summary take. */
async function latencyOf(options: SummaryOptions): Promise<SummaryLatency> {
  const { summaryLatency } = await import("./summary_latency.ts");
  const { imageSize } = options;
  return await summaryLatency(pairOf(options), { height: imageSize, width: imageSize });
}

async function runSummary(args: readonly string[]): Promise<number> {
  const { values, given } = readArguments("summary", args);
  if (values.json && given.has("trunk")) {
    throw unusable("--trunk has no effect beside --json; leave one of them out");
  }
  const options = await summaryOptions({ values, given });
  const latency = values.latency ? await latencyOf(options) : undefined;
  print(
    values.json
      ? JSON.stringify({ ...summarize(options), latency }, null, 2) + "\n"
      : summaryTable(options),
  );
  if (!values.json && latency) {
    const { latencyText } = await import("./summary_latency.ts");
    print(`\n${latencyText(latency)}`);
  }
  return EXIT.ok;
}

async function runData(args: readonly string[]): Promise<number> {
  const { values: { json, ...options }, positionals: [folder] } = readArguments("data", args);
  const { checkData } = await import("./check/check_data.ts");
  const { stopOf } = await import("./check/data_report.ts");
  const { dataTable } = await import("./report/data_table.ts");
  const report = await showingWork(
    printError,
    (reporter) => checkData({ folder, ...options }, reporter),
  );
  print(json ? JSON.stringify(report, null, 2) + "\n" : dataTable(report));
  const stop = stopOf(report);
  if (stop) throw stop;
  return EXIT.ok;
}

async function runParity(args: readonly string[]): Promise<number> {
  const { positionals: [dir] } = readArguments("parity", args);
  const { parity } = await import("../tests/parity/main.ts");
  if (await parity(dir, (line) => print(`${line}\n`))) return EXIT.ok;
  printError(`adjoin: some results are not equal to those in ${dir}\n`);
  return EXIT.verification;
}

async function runWgsl(args: readonly string[]): Promise<number> {
  const { values, positionals: [op] } = readArguments("wgsl", args);
  const { wgslText } = await import("./wgsl.ts");
  print(await wgslText({ op, ...values }));
  return EXIT.ok;
}

function runBench(command: BenchCommand): (args: readonly string[]) => Promise<number> {
  return async (args) => {
    const { bench } = await import("../bench/main.ts");
    await bench(command, args, print);
    return EXIT.ok;
  };
}

/** What each command does with what follows its name; gives the exit code. */
export const ACTIONS: Readonly<
  Record<Command, (args: readonly string[]) => number | Promise<number>>
> = {
  train: runTrain,
  search: runSearch,
  compare: runCompare,
  export: runExport,
  eval: runEval,
  data: runData,
  predict: runPredict,
  summary: runSummary,
  parity: runParity,
  wgsl: runWgsl,
  "bench conv": runBench("bench conv"),
  "bench step": runBench("bench step"),
  "bench data": runBench("bench data"),
  "bench peers": runBench("bench peers"),
};
