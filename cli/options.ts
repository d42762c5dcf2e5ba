import { type Arguments, unusable, type Values } from "./arguments.ts";
import { DEFAULTS, OPTIMIZER_DEFAULTS } from "../train/defaults.ts";
import type { Command } from "./flags/flag.ts";
import { refuseIdle } from "./idle.ts";
import type { FolderRequest } from "./run/output_folder.ts";
import type { SearchOptions } from "../train/search.ts";
import type { TrainOptions } from "../train/types.ts";
import type { GivenWidths } from "../export/widths_file.ts";

/** What a command line says of the run, and of its folder. */
export interface RunRequest extends FolderRequest {
  /** With the first choice of a run folder, unless it was given. */
  readonly options: TrainOptions;
  readonly quiet: boolean;
}

/** What a training command line asks for. */
export interface TrainRequest extends RunRequest {
  /** Whether only memory is wanted. */
  readonly dryRun: boolean;
}

/** What the command line of a search asks for. */
export interface SearchRequest extends RunRequest {
  readonly find: SearchOptions;
  readonly fromScratch: boolean;
  readonly widthsOnly: boolean;
}

/** What the command line of a comparison asks for. */
export interface CompareRequest extends RunRequest {
  readonly find: SearchOptions;
  /** Runs of each method. */
  readonly seeds: number;
}

/** The values of flags that all commands that train have. */
type Common = Pick<Values<"train">, Extract<keyof Values<"train">, keyof Values<"compare">>>;

type Pair = Pick<TrainOptions, "mode" | "which" | "compression" | "widths" | "teacher" | "init">;

/** The part of a request that these commands share, with all defaults filled in. */
function runRequest(
  command: "train" | "search" | "compare",
  { values, given }: { values: Common; given: ReadonlySet<string> },
  pair: Pair,
): RunRequest {
  const { model, variant, dataset, opt, seed } = values;
  const data = DEFAULTS[dataset];
  const optimizer = OPTIMIZER_DEFAULTS[opt];
  const sched = values.sched ?? optimizer.sched;
  const epochs = values.epochs ?? data.epochs;
  const warmupEpochs = values["warmup-epochs"];
  refuseIdle(command, given, { mode: pair.mode, which: pair.which, dataset, opt, sched });
  if (warmupEpochs > epochs) {
    throw unusable(`--warmup-epochs is at most --epochs ${epochs}, found ${warmupEpochs}`);
  }
  const kind = command === "train" ? pair.mode : command;
  const options: TrainOptions = {
    ...pair,
    model,
    variant,
    // That of the data set is one that torchvision does not have.
    stem: values.stem ?? (variant === "torchvision" ? undefined : data.stem),
    dataset,
    dataDir: values["data-dir"],
    trainSize: values["train-size"],
    valSize: values["val-size"],
    augment: values.augment ?? data.augment,
    normalization: values.normalization,
    epochs,
    batchSize: values["batch-size"] ?? data.batchSize,
    lr: values.lr ?? optimizer.lr ?? data.lr,
    opt,
    sched,
    warmupEpochs,
    decayRate: values["decay-rate"],
    momentum: values.momentum,
    nesterov: values.nesterov,
    weightDecay: values["weight-decay"] ?? optimizer.weightDecay,
    smoothing: values.smoothing,
    trunk: values.trunk,
    maskFrom: values["mask-from"],
    maskingFactor: values["masking-factor"],
    detach: values.detach,
    seed,
    output: values.output ?? `runs/${model}-${kind}-${dataset}-${seed}`,
  };
  const { overwrite, quiet } = values;
  const reads = { "--teacher": pair.teacher, "--init": pair.init };
  return { options, named: values.output !== undefined, overwrite, quiet, reads };
}

/** What the file of `--widths` says of the networks, where flags do not. */
function fromFile(
  { model, stem, variant, trunk, maskFrom }: GivenWidths,
  { values, given }: Arguments<"train">,
): Values<"train"> {
  const file = { model, stem, variant, trunk, "mask-from": maskFrom };
  const silent = Object.entries(file).filter(([name, value]) =>
    value !== undefined && !given.has(name)
  );
  return { ...values, ...Object.fromEntries(silent) };
}

/** The options of a training run, with `widths` as the file says that was given. */
export function trainRequest(parsed: Arguments<"train">, widths?: GivenWidths): TrainRequest {
  const { given } = parsed;
  const values = widths ? fromFile(widths, parsed) : parsed.values;
  const { mode, teacher, compression, "dry-run": dryRun } = values;
  if (mode === "distill" && teacher === undefined) {
    throw unusable("--mode distill needs --teacher with the run folder of a trained base network");
  }
  if (widths && given.has("compression")) {
    throw unusable("--compression has no effect beside --widths; leave one of them out");
  }
  const request = runRequest("train", { values, given }, {
    mode,
    // A teacher teaches the small network.
    which: mode === "distill" ? "small" : values.which,
    // Convolutions that the file does not name are whole.
    compression: widths ? 1 : compression,
    widths: widths?.widths,
    teacher,
    init: values.init,
  });
  return { ...request, reads: { ...request.reads, "--widths": values.widths }, dryRun };
}

function divisorsOf(list: string): number[] {
  const divisors = list.split(",").map((text) => text.trim() === "" ? NaN : Number(text));
  if (divisors.length >= 2 && divisors.length <= 8 && divisors.every((d) => d >= 1)) {
    return divisors;
  }
  throw unusable(`--divisors is 2 to 8 numbers from 1 on with commas between, found ${list}`);
}

/** What the flags of a search say. */
function searchOptions(
  command: Command,
  values: Pick<
    Values<"search">,
    | "budget-macs"
    | "budget-params"
    | "divisors"
    | "search-epochs"
    | "search-lr"
    | "temperature"
    | "end-temperature"
  >,
): SearchOptions {
  const { "budget-macs": macs, "budget-params": params } = values;
  const budget = macs ?? params;
  if (budget === undefined || (macs !== undefined && params !== undefined)) {
    const found = budget === undefined ? "neither" : "both";
    throw unusable(`${command} needs --budget-macs or --budget-params, found ${found}`);
  }
  const { temperature, "end-temperature": end } = values;
  if (end > temperature) {
    throw unusable(`--end-temperature is at most --temperature ${temperature}, found ${end}`);
  }
  return {
    budgeted: macs === undefined ? "params" : "macs",
    budget,
    divisors: divisorsOf(values.divisors),
    epochs: values["search-epochs"],
    lr: values["search-lr"],
    temperature: [temperature, end],
  };
}

const WHOLE = { mode: "adjoined", which: "base", compression: 1 } as const;

/** The options of a search, and of the training after it. */
export function searchRequest({ values, given }: Arguments<"search">): SearchRequest {
  const fromScratch = values["from-scratch"];
  const widthsOnly = values["widths-only"];
  if (fromScratch && widthsOnly) {
    throw unusable("--from-scratch has no effect beside --widths-only; leave one of them out");
  }
  // What the search itself does not take.
  const idle = ["epochs", "masking-factor"].find((name) => widthsOnly && given.has(name));
  if (idle) throw unusable(`--${idle} has no effect beside --widths-only; leave one of them out`);
  const find = searchOptions("search", values);
  const pair = { ...WHOLE, init: values.init };
  return { ...runRequest("search", { values, given }, pair), find, fromScratch, widthsOnly };
}

/** The options of a comparison. */
export function compareRequest({ values, given }: Arguments<"compare">): CompareRequest {
  const find = searchOptions("compare", values);
  const { seed, seeds } = values;
  const last = Number.MAX_SAFE_INTEGER - seeds + 1;
  if (seed > last) {
    throw unusable(`--seed is at most ${last} beside --seeds ${seeds}, found ${seed}`);
  }
  return { ...runRequest("compare", { values, given }, WHOLE), find, seeds };
}
