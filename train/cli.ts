import config from "../deno.json" with { type: "json" };
import { readArguments, suggestion, unusable } from "./arguments.ts";
import type { BenchCommand } from "./bench.ts";
import { EXIT, exitCode } from "./errors.ts";
import { type Command, COMMANDS } from "./flag.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { trainRequest } from "./options.ts";
import { ProgressLine } from "./progress.ts";
import { chooseFolder, RunFolder } from "./run_folder.ts";
import { summarize, summaryTable } from "./summary.ts";
import type { Reporter } from "./types.ts";

const INTERRUPTED = 130;

/** Writes to a stream; a reader that has gone away (`| head`) is no error. */
function writer(stream: { writeSync(bytes: Uint8Array): number }): (text: string) => void {
  return (text) => {
    let bytes = new TextEncoder().encode(text);
    try {
      while (bytes.length) bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  };
}

const print = writer(Deno.stdout);
const printError = writer(Deno.stderr);

/** Columns of the terminal, 80 where they cannot be told. */
function width(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** On an interrupt, says what is kept and ends the process. */
function onInterrupt(folder: RunFolder, progress: ProgressLine): () => void {
  const stop = (): void => {
    progress.end();
    const epochs = folder.metrics.length;
    const kept = folder.started
      ? `${folder.path} keeps config.json and metrics.jsonl with ${epochs} ` +
        `epoch${epochs === 1 ? "" : "s"}, but no weights`
      : "nothing was written";
    printError(`adjoin: interrupted; ${kept}\n`);
    Deno.exit(INTERRUPTED);
  };
  Deno.addSignalListener("SIGINT", stop);
  return () => Deno.removeSignalListener("SIGINT", stop);
}

/** Draws curves.svg; a run without the picture is still a good one. */
async function curvesOf(
  folder: RunFolder,
  title: string,
  reporter: Reporter,
): Promise<[string, string][]> {
  try {
    const { drawCurves } = await import("./curves.ts");
    return [["curves.svg", await drawCurves(folder.metrics, title)]];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    reporter.note(`Cannot draw curves.svg: ${reason}`);
    return [];
  }
}

async function runTrain(args: readonly string[]): Promise<number> {
  const parsed = readArguments("train", args);
  if (parsed.values.help) return help("train");
  const request = trainRequest(parsed);
  if (request.dryRun) {
    const { dryRun } = await import("./dry_run.ts");
    print(await dryRun(request.options));
    return EXIT.ok;
  }
  const output = await chooseFolder(request.options.output, request);
  const options = { ...request.options, output };
  const folder = new RunFolder(output, request);
  const progress = new ProgressLine({
    write: print,
    terminal: Deno.stdout.isTerminal(),
    width,
    now: () => performance.now(),
    quiet: request.quiet,
  });
  const reporter: Reporter = {
    start: (info) => {
      folder.start(options);
      progress.start(info);
    },
    progress: (found) => progress.progress(found),
    epoch: (metrics) => {
      folder.append(metrics);
      progress.epoch(metrics);
    },
    note: (text) => progress.note(text),
  };
  const listening = onInterrupt(folder, progress);
  try {
    const { train } = await import("./train.ts");
    const { summary, files } = await train(options, reporter);
    const { model, mode, dataset, seed } = options;
    const title = `${model}, ${mode}, ${dataset}, seed ${seed}`;
    const curves = await curvesOf(folder, title, reporter);
    await folder.finish(new Map<string, Uint8Array | string>([...files, ...curves]), summary);
    progress.finish(summary, { files: await folder.sizes(), folder: output });
  } finally {
    progress.end();
    listening();
  }
  return EXIT.ok;
}

async function runExport(args: readonly string[]): Promise<number> {
  const { values, positionals: [run] } = readArguments("export", args);
  if (values.help) return help("export");
  const { "include-normalization": includeNormalization, "data-dir": dataDir, ...rest } = values;
  if (includeNormalization && rest.format !== "onnx") {
    throw unusable(`--include-normalization goes with --format onnx, found ${rest.format}`);
  }
  const { exportNetwork, exportText } = await import("./export.ts");
  print(exportText(await exportNetwork({ run, includeNormalization, dataDir, ...rest })));
  return EXIT.ok;
}

async function runEval(args: readonly string[]): Promise<number> {
  const { values, positionals: [file] } = readArguments("eval", args);
  if (values.help) return help("eval");
  const { evaluate, evaluateText } = await import("./evaluate.ts");
  const report = await evaluate({
    file,
    dataset: values.dataset,
    dataDir: values["data-dir"],
    valSize: values["val-size"],
    seed: values.seed,
    batchSize: values["batch-size"],
  });
  print(values.json ? JSON.stringify(report, null, 2) + "\n" : evaluateText(report));
  return EXIT.ok;
}

function runSummary(args: readonly string[]): number {
  const { values } = readArguments("summary", args);
  if (values.help) return help("summary");
  const { "image-size": imageSize, "mask-from": maskFrom, json, ...rest } = values;
  const options = { ...rest, imageSize, maskFrom };
  print(json ? JSON.stringify(summarize(options), null, 2) + "\n" : summaryTable(options));
  return EXIT.ok;
}

async function runParity(args: readonly string[]): Promise<number> {
  const { values, positionals: [dir] } = readArguments("parity", args);
  if (values.help) return help("parity");
  const { parity } = await import("./parity.ts");
  if (await parity(dir, (line) => print(`${line}\n`))) return EXIT.ok;
  printError(`adjoin: some results are not equal to those in ${dir}\n`);
  return EXIT.verification;
}

function runBench(command: BenchCommand): (args: readonly string[]) => Promise<number> {
  return async (args) => {
    if (readArguments(command, args).values.help) return help(command);
    const { bench } = await import("./bench.ts");
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
  export: runExport,
  eval: runEval,
  summary: runSummary,
  parity: runParity,
  "bench conv": runBench("bench conv"),
  "bench step": runBench("bench step"),
  "bench peers": runBench("bench peers"),
};

async function main(words: readonly string[]): Promise<number> {
  const [name, ...args] = joinNames(words);
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

function wantsStack(): boolean {
  const name = { name: "env", variable: "ADJOIN_DEBUG" } as const;
  return Deno.permissions.querySync(name).state === "granted" && !!Deno.env.get(name.variable);
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ");
    const stack = error instanceof Error && wantsStack() ? `${error.stack}\n` : "";
    printError(`adjoin: ${message}\n${stack}`);
    Deno.exitCode = exitCode(error);
  }
}
