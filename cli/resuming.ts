// What a command line that may go on with a run comes to.
import type { RunWidths } from "../train/small_widths.ts";
import { basename } from "node:path";
import { parseJson } from "../data/json.ts";
import { printable } from "../data/printable.ts";
import { plural } from "../data/words.ts";
import { folderOf } from "../train/compare/methods.ts";
import { Plan } from "../train/compare/plan.ts";
import { epochsOfRun } from "../train/epochs_of_job.ts";
import { type Arguments, readArguments, readTyped } from "./arguments.ts";
import { readConfigFile } from "./config_file.ts";
import type { CompareRequest, RunRequest } from "./options.ts";
import { resumedOptions } from "./resumed_options.ts";
import { LAST } from "./run/checkpoint_names.ts";
import { earlierRuns } from "./run/earlier_runs.ts";
import {
  findRun,
  type FoundRun,
  hasCheckpoints,
  hasOnlyBegun,
  newestRun,
} from "./run/found_run.ts";
import { readText } from "./run/read_file.ts";
import { recognizedDataset } from "./run/recognized.ts";
import { readAllWidths } from "./run/widths_files.ts";
import { runFilesIn } from "./run/replacing.ts";

/** A run as it is with other epochs, whose rows of metrics.jsonl say how many there are. */
function withEpochs(found: FoundRun, epochs: number): FoundRun {
  const { state, state: { run } } = found;
  if (run.options.epochs === epochs || state.phase !== "train") return found;
  const history = state.history.map((row) => row.search ? row : { ...row, epochs });
  const options = { ...run.options, epochs };
  return { ...found, history, state: { ...state, history, run: { ...run, options } } };
}

/**
 * The run that a command line asks for: with `--resume`, one that goes on. Raises a `UsageError` or
 * a `DataError` where there is no such run, or where options would change its course.
 */
export async function readRequest<
  C extends "train" | "search" | "compare",
  Request extends RunRequest,
>(
  command: C,
  args: readonly string[],
  build: (parsed: Arguments<C>, widths?: RunWidths) => Request,
): Promise<Request> {
  const { typed } = readTyped(command, args);
  const { resume } = typed;
  const inFile = typeof typed.config === "string"
    ? await readConfigFile(command, typed.config)
    : { values: {} };
  const asked = inFile.values;
  const said = { ...asked, ...typed };
  const widths = typeof said.widths === "string" ? await readAllWidths(said.widths) : inFile.widths;
  const goOn = async (path: string): Promise<Request> => {
    const found = await findRun(path);
    const { parsed, widths: own, notes } = resumedOptions(command, args, found, {
      widths,
      asked,
    });
    const request = build(parsed, own);
    const options = { ...request.options, output: found.path };
    return { ...request, options, notes, from: withEpochs(found, options.epochs) };
  };
  if (typeof resume === "string" && resume !== "auto") return await goOn(resume);
  const { values, given, positionals } = readArguments(command, args, {
    ...asked,
    ...await recognizedDataset(said),
  });
  const parsed = { values, given: new Set([...given, ...Object.keys(asked)]), positionals };
  // The folder that a file names is that of a run: it is taken as a default name is.
  const request = { ...build(parsed, widths), named: typed.output !== undefined };
  if (resume === undefined) return request;
  const { options: { output }, named } = request;
  const path = newestRun({ output, named });
  if (path !== undefined) return await goOn(path);
  // Says which there are.
  if (named && hasCheckpoints(output)) return await goOn(output);
  const none = `there is no run ${printable(output, 300)} with a checkpoint: one begins anew`;
  // A folder that was named is taken again where nothing of a run is in it yet.
  const overwrite = request.overwrite || (named && hasOnlyBegun(output));
  return { ...request, overwrite, notes: [none] };
}

async function readSummary(folder: string): Promise<{ readonly epochs?: unknown } | undefined> {
  try {
    const found: unknown = parseJson(await readText(`${folder}/summary.json`));
    if (typeof found === "object" && found !== null) return found;
  } catch { /* The run has not ended. */ }
}

/** What to say of a run that has nothing left to do; nothing of one that has. */
export async function nothingLeft(
  { from, options, config: { widthsOnly } }: RunRequest,
): Promise<string | undefined> {
  const { patience } = options;
  const epochs = epochsOfRun(options);
  if (!from || from.path !== from.work) return undefined;
  const { path, file, config, state: { position } } = from;
  // Who names an earlier checkpoint wants what came after it once more.
  if (basename(file) !== LAST && position.epoch < epochs) return undefined;
  const ended = `${printable(path, 300)} has nothing left to do`;
  if (widthsOnly === true) {
    const { budgetMacs, budgetParams, budgetLatency } = config;
    const budgets = [budgetMacs ?? budgetParams ?? budgetLatency].flat().length;
    const found = runFilesIn(path).filter((name) => name.endsWith("widths.json"));
    return found.length >= budgets ? `${ended}: its widths are found` : undefined;
  }
  const trained = Number((await readSummary(path))?.epochs);
  if (trained >= epochs) return `${ended}: it has trained all ${plural(epochs, "epoch")}`;
  const early = position.epoch === trained && position.step === 0 &&
    config.epochs === options.epochs && (config.patience ?? undefined) === patience;
  return early ? `${ended}: it has stopped after ${plural(trained, "epoch")}` : undefined;
}

/** What to say of a comparison that has nothing left to do; nothing of one that has. */
export async function comparedAll(
  { from, options: { seed }, methods, seeds }: CompareRequest,
): Promise<string | undefined> {
  if (!from) return undefined;
  const { outcomes } = await earlierRuns(from);
  const plan = new Plan({ methods, seed, seeds }, from.state);
  if (basename(from.file) !== LAST) return undefined;
  const runs = plan.seeds.flatMap((seed) => plan.methods.map((method) => ({ method, seed })));
  const rows = plan.seeds.flatMap((seed) => plan.rows.map((row) => ({ ...row, seed })));
  const left = runs.some(({ method, seed }) =>
    !plan.hasEnded(method, seed) && folderOf(method.name, seed) !== from.state.phase
  );
  const known = rows.every(({ method, which, seed }) =>
    outcomes.some((o) => o.method === method && o.which === which && o.seed === seed)
  );
  const drawn = await Deno.stat(`${from.path}/compare.svg`).then(() => true, () => false);
  if (left || !known || !drawn) return undefined;
  return `${printable(from.path, 300)} has nothing left to do: it has done all ${
    plural(runs.length, "run")
  }`;
}
