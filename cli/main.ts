import { dirname } from "node:path";
import config from "../deno.json" with { type: "json" };
import { readArguments } from "./arguments.ts";
import type { BenchCommand } from "../bench/main.ts";
import { EXIT, exitCode, UsageError } from "../train/errors.ts";
import { type Command, COMMANDS } from "./flags/commands.ts";
import { errorMessage } from "./error_message.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { unusable } from "./option_value.ts";
import { compareRequest, searchRequest, trainRequest } from "./options.ts";
import { inRunFolder, saveWidths } from "./run/session.ts";
import { showingWork } from "./run/working.ts";
import { suggestion } from "../data/suggestion.ts";
import { summarize, summaryTable } from "./summary.ts";
import { readWidths } from "../export/widths_file.ts";
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
      return await train(options, reporter);
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
      const { trained } = await search(options, {
        find,
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
  const { values, positionals: [file] } = readArguments("eval", args);
  if (values.help) return help("eval");
  const { evaluate, evaluateText } = await import("./evaluate.ts");
  const options = { file, ...values };
  const report = await showingWork(printError, (reporter) => evaluate(options, reporter));
  print(values.json ? JSON.stringify(report, null, 2) + "\n" : evaluateText(report));
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
  if (what === "--help" || what === "-h") return [what];
  return [what === undefined ? name : `${name} ${what}`, ...flags];
}

function isCommand(name: string): name is Command {
  return Object.hasOwn(COMMANDS, name);
}

function help(name?: string): number {
  if (name === undefined) print(generalHelp());
  else if (isCommand(name)) print(commandHelp(name));
  else throw unknownCommand(name);
  return EXIT.ok;
}

function unknownCommand(name: string): Error {
  const names = Object.keys(COMMANDS);
  return unusable(
    `${name} is no command; the commands are ${names.join(", ")} and help${
      suggestion(name, names)
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
  if (["--version", "-V"].includes(name)) {
    print(`adjoin ${config.version}\n`);
    return EXIT.ok;
  }
  if (!isCommand(name)) throw unknownCommand(name);
  return await RUN[name](args);
}

/** An environment variable; nothing where it is not set, or may not be read. */
function environment(variable: "ADJOIN_DEBUG" | "INIT_CWD"): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) || undefined : undefined;
}

/**
 * Goes back to the folder that `deno task` was typed in, as it moves to that of deno.json, and paths
 * are meant from where they are typed.
 */
function goWhereTyped(): void {
  const typed = environment("INIT_CWD");
  const mayRead = Deno.permissions.querySync({ name: "read" }).state === "granted";
  // Elsewhere the variable is not about this process, but left by a task around it.
  if (typed && mayRead && Deno.cwd() === dirname(import.meta.dirname ?? "")) Deno.chdir(typed);
}

/** Does what the process's arguments say, and sets its exit code. */
export async function commandLine(): Promise<void> {
  const words = joinNames(Deno.args);
  try {
    goWhereTyped();
    Deno.exitCode = await main(words);
  } catch (error) {
    const message = errorMessage(error, words).replace(/\s+/g, " ");
    const stack = error instanceof Error && environment("ADJOIN_DEBUG") ? `${error.stack}\n` : "";
    printError(`adjoin: ${message}\n${stack}`);
    Deno.exitCode = exitCode(error);
  }
}

if (import.meta.main) await commandLine();
