import config from "../deno.json" with { type: "json" };
import { readArguments, readTyped } from "./arguments.ts";
import type { BenchCommand } from "../bench/main.ts";
import { EXIT, exitCode } from "./exit.ts";
import { UsageError } from "../train/errors.ts";
import { printable } from "../data/printable.ts";
import { environment, goWhereTyped, quietDrivers } from "./environment.ts";
import { type Command, COMMAND_NAMES, COMMANDS, isGroup } from "./flags/commands.ts";
import { errorMessage } from "./error_message.ts";
import { commandHelp, generalHelp, groupHelp } from "./help.ts";
import { unusable } from "./option_value.ts";
import { compareRequest, searchRequest, trainRequest } from "./options.ts";
import { imagesOfRun, isFolder, savedNetworks } from "./run/run_images.ts";
import type { EvaluateReport } from "./evaluate.ts";
import { inRunFolder, saveWidths } from "./run/session.ts";
import { showingWork } from "./run/working.ts";
import { suggestion } from "../data/suggestion.ts";
import { summarize, summaryTable } from "./summary.ts";
import { readWidths } from "./run/weights_files.ts";
import { writer } from "./writer.ts";

const printError = writer(Deno.stderr, () => {});
const print = writer(Deno.stdout, ({ message }) => {
  throw new UsageError(`Cannot print the result: ${message}; make room or send it elsewhere`);
});

let silent = false;

/** Prints what a run goes on without: a network that was trained is worth more than its progress. */
const printProgress = writer(Deno.stdout, ({ message }) => {
  if (!silent) printError(`adjoin: Cannot print progress: ${message}; the run goes on without\n`);
  silent = true;
});

async function runTrain(args: readonly string[]): Promise<number> {
  const parsed = readArguments("train", args);
  const { widths, help: wantsHelp } = parsed.values;
  if (wantsHelp) return help("train");
  const request = trainRequest(parsed, widths === undefined ? undefined : await readWidths(widths));
  if (request.dryRun) {
    const { dryRun } = await import("./report/dry_run.ts");
    print(await dryRun(request.options));
    return EXIT.ok;
  }
  await inRunFolder(request, { print: printProgress, printError }, {
    kind: request.options.mode,
    run: async (options, reporter) => {
      const { train } = await import("../train/train.ts");
      const { openJob } = await import("./run/open_run.ts");
      return await train(await openJob(options), reporter);
    },
  });
  return EXIT.ok;
}

async function runSearch(args: readonly string[]): Promise<number> {
  const parsed = readArguments("search", args);
  if (parsed.values.help) return help("search");
  const { find, fromScratch, widthsOnly, ...request } = searchRequest(parsed);
  await inRunFolder(request, { print: printProgress, printError }, {
    kind: "search",
    run: async (options, reporter, folder) => {
      const { search } = await import("../train/search.ts");
      const { openSearch } = await import("./run/open_run.ts");
      const opened = await openSearch(options, find);
      const { trained } = await search(opened, {
        options,
        fromScratch,
        train: !widthsOnly,
        found: (found) => saveWidths(folder, found, reporter),
      }, reporter);
      return trained;
    },
  });
  return EXIT.ok;
}

async function runExport(args: readonly string[]): Promise<number> {
  const { values, positionals: [run] } = readArguments("export", args);
  if (values.help) return help("export");
  const { exportNetwork, exportText } = await import("./export.ts");
  const options = { run, ...values };
  const report = await showingWork(printError, (reporter) => exportNetwork(options, reporter));
  print(exportText(report));
  return EXIT.ok;
}

async function runEval(args: readonly string[]): Promise<number> {
  const { typed, positionals: [path] } = readTyped("eval", args);
  if (typed.help) return help("eval");
  const known = path === undefined ? {} : await imagesOfRun(path, typed);
  const { values } = readArguments("eval", args, known);
  const { evaluate, evaluateTable, evaluateText } = await import("./evaluate.ts");
  const reports: EvaluateReport[] = [];
  for (const { file } of savedNetworks(path)) {
    const options = { ...values, file };
    reports.push(await showingWork(printError, (reporter) => evaluate(options, reporter)));
  }
  const isRun = isFolder(path);
  if (values.json) {
    const byName = Object.fromEntries(reports.map((report) => [report.which, report]));
    print(JSON.stringify(isRun ? byName : reports[0], null, 2) + "\n");
  } else print(isRun ? evaluateTable(path, reports) : evaluateText(reports[0]));
  return EXIT.ok;
}

async function runCompare(args: readonly string[]): Promise<number> {
  const parsed = readArguments("compare", args);
  if (parsed.values.help) return help("compare");
  const request = compareRequest(parsed);
  const { compareInFolder } = await import("./run/compare_session.ts");
  await compareInFolder(request, { print: printProgress, printError });
  return EXIT.ok;
}

function runSummary(args: readonly string[]): number {
  const { values, given } = readArguments("summary", args);
  if (values.help) return help("summary");
  if (values.json && given.has("trunk")) {
    throw unusable("--trunk has no effect beside --json; leave one of them out");
  }
  print(values.json ? JSON.stringify(summarize(values), null, 2) + "\n" : summaryTable(values));
  return EXIT.ok;
}

async function runParity(args: readonly string[]): Promise<number> {
  const { values, positionals: [dir] } = readArguments("parity", args);
  if (values.help) return help("parity");
  const { parity } = await import("../tests/parity/main.ts");
  if (await parity(dir, (line) => print(`${line}\n`))) return EXIT.ok;
  printError(`adjoin: some results are not equal to those in ${dir}\n`);
  return EXIT.verification;
}

async function runWgsl(args: readonly string[]): Promise<number> {
  const { values, positionals: [op] } = readArguments("wgsl", args);
  if (values.help) return help("wgsl");
  const { wgslText } = await import("./wgsl.ts");
  print(await wgslText({ op, ...values }));
  return EXIT.ok;
}

function runBench(command: BenchCommand): (args: readonly string[]) => Promise<number> {
  return async (args) => {
    if (readArguments(command, args).values.help) return help(command);
    const { bench } = await import("../bench/main.ts");
    await bench(command, args, print);
    return EXIT.ok;
  };
}

/** Takes `bench conv` for one name; `bench --peers` is `bench peers`. */
function joinNames([name, ...args]: readonly string[]): readonly string[] {
  if (name === "help") return [name, args.join(" ")];
  if (name !== "bench") return [name, ...args];
  if (args.includes("--peers")) return ["bench peers", ...args.filter((arg) => arg !== "--peers")];
  const [what, ...flags] = args;
  return what === undefined || what.startsWith("-")
    ? [name, ...args]
    : [`${name} ${what}`, ...flags];
}

function isCommand(name: string): name is Command {
  return Object.hasOwn(COMMANDS, name);
}

/** The help of a command, of the commands that begin with a word, or of all. */
function helpText(name?: string): string {
  if (name === undefined) return generalHelp();
  if (isCommand(name)) return commandHelp(name);
  if (isGroup(name)) return groupHelp(name);
  throw unknownCommand(name);
}

function help(name?: string): number {
  print(helpText(name));
  return EXIT.ok;
}

function unknownCommand(name: string): Error {
  return unusable(
    `${printable(name)} is no command; the commands are ${COMMAND_NAMES.join(", ")} and help${
      suggestion(name, COMMAND_NAMES)
    }`,
  );
}

const RUN: Readonly<Record<Command, (args: readonly string[]) => number | Promise<number>>> = {
  train: runTrain,
  search: runSearch,
  compare: runCompare,
  export: runExport,
  eval: runEval,
  summary: runSummary,
  parity: runParity,
  wgsl: runWgsl,
  "bench conv": runBench("bench conv"),
  "bench step": runBench("bench step"),
  "bench peers": runBench("bench peers"),
};

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) {
    printError(generalHelp());
    return EXIT.usage;
  }
  if (["help", "--help", "-h"].includes(name)) return help(args[0] || undefined);
  const asks = (...flags: string[]): boolean => [name, ...args].some((arg) => flags.includes(arg));
  if (asks("--version", "-V")) {
    print(`adjoin ${config.version}\n`);
    return EXIT.ok;
  }
  if (asks("--help", "-h")) return help(name);
  if (isGroup(name)) {
    printError(groupHelp(name));
    return EXIT.usage;
  }
  if (!isCommand(name)) throw unknownCommand(name);
  return await RUN[name](args);
}

/** Characters of an error that are printed: enough for all of ours. */
const LONGEST_ERROR = 4000;

/** Does what the process's arguments say, and sets its exit code. */
export async function commandLine(): Promise<void> {
  const words = joinNames(Deno.args);
  try {
    goWhereTyped();
    quietDrivers();
    Deno.exitCode = await main(words);
  } catch (error) {
    const message = printable(errorMessage(error, words).replace(/\s+/g, " "), LONGEST_ERROR);
    const stack = error instanceof Error && environment("ADJOIN_DEBUG") ? `${error.stack}\n` : "";
    printError(`adjoin: ${message}\n${stack}`);
    Deno.exitCode = exitCode(error);
  }
}

if (import.meta.main) await commandLine();
