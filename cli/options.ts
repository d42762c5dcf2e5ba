import { resolve } from "node:path";
import { listed } from "../data/words.ts";
import { type RunWidths, widthsByName } from "../train/small_widths.ts";
import { areLists, type Limited } from "../export/widths_file.ts";
import { type Value, withDefaults } from "../train/options/option.ts";
import { isModelFile, modelName } from "../export/model_file_name.ts";
import { trainingValues } from "../train/options/train_options.ts";
import type { Importance } from "../nn/compress/importance.ts";
import { METHOD_NAMES, METHODS } from "../train/compare/methods.ts";
import type { SearchOptions } from "../train/limited_cost.ts";
import type { TrainOptions } from "../train/types.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./flags/commands.ts";
import { ABOUT, type CommandValues, flagOf, optionsOf } from "./flags/table.ts";
import { unusable } from "./option_value.ts";
import { either } from "./text.ts";
import type { Implementation } from "./webgpu/implementation_names.ts";
import type { FoundRun } from "./run/found_run.ts";
import type { FolderRequest } from "./run/output_folder.ts";
import { conflict } from "../train/options/conflict.ts";

/** A run that a command line asks for, and its folder. */
export interface RunRequest extends FolderRequest {
  /** With the first choice of a run folder, unless it was given. */
  readonly options: TrainOptions;
  readonly quiet: boolean;
  /** Whether it has a file of events for TensorBoard. */
  readonly tensorboard: boolean;
  /** Whether its page is served while it goes on. */
  readonly serve: boolean;
  /** Whether the result is printed as JSON, and all else on stderr, where it is not left out. */
  readonly json: boolean;
  /** Whether only the plan is wanted. */
  readonly dryRun: boolean;
  /** The implementation of WebGPU; by default what the environment names. */
  readonly webgpu?: Implementation;
  /** Folders of other runs, whose networks are drawn beside its own. */
  readonly beside: readonly string[];
  /** The run that it goes on with. */
  readonly from?: FoundRun;
  /** What is to be said at its start, a sentence each. */
  readonly notes?: readonly string[];
  /** Content of config.json: every option of the command, null where it has no value. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A run of `train`. */
export type TrainRequest = RunRequest;

/** A run of `search`. */
export interface SearchRequest extends RunRequest {
  readonly find: SearchOptions<Limited>;
  readonly fromScratch: boolean;
  readonly widthsOnly: boolean;
}

/** A run of `compare`. */
export interface CompareRequest extends RunRequest {
  readonly find: SearchOptions;
  /** The names of the methods. */
  readonly methods: readonly string[];
  /** What filters are pruned by. */
  readonly pruneBy: Importance;
  /** Runs of each method. */
  readonly seeds: number;
}

type TrainingCommand = "train" | "search" | "compare";

/** The values of options that all commands that train have. */
type Common = Pick<
  CommandValues<"train">,
  Extract<keyof CommandValues<"train">, keyof CommandValues<"compare">>
>;

/** Options that a command sets itself, or whose value differs from the text of its flag. */
type Own = Pick<TrainOptions, "mode" | "which" | "compression" | "widths" | "teacher" | "init">;

/** Options that config.json leaves out: a run that went on is no other run. */
export const APART: readonly string[] = [...ABOUT, "resume", "config", "serve"];

/** All options of a command by name; `own` goes before the text of flags. */
function configOf(
  command: Command,
  values: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const names = optionsOf(command).map(({ name }) => name).filter((name) => !APART.includes(name));
  return {
    command,
    ...Object.fromEntries(names.map((name) => [name, own[name] ?? values[name] ?? null])),
  };
}

/** The part of a request that these commands share. */
function runRequest(
  command: TrainingCommand,
  values: Common,
  own: Own,
): RunRequest {
  const { model, dataset, seed, overwrite, quiet, json, dryRun } = values;
  const { serve, tensorboard, webgpu } = values;
  const kind = command === "train" ? own.mode : command;
  const output = values.output ?? `runs/${modelName(model)}-${kind}-${dataset}-${seed}`;
  const options: TrainOptions = { ...trainingValues(values), ...own, output };
  const beside = (values.beside ?? "").split(",").filter(Boolean).map((path) => resolve(path));
  return {
    options,
    beside,
    named: values.output !== undefined,
    overwrite,
    serve,
    tensorboard,
    quiet: quiet || json,
    json,
    dryRun,
    webgpu,
    reads: {
      "--model": isModelFile(model) ? model : undefined,
      "--teacher": own.teacher,
      "--init": own.init,
    },
    config: configOf(command, values, {
      ...{ ...own, output },
      ...beside.length ? { beside: beside.join(",") } : {},
    }),
  };
}

/** Values with what the file of `--widths` says of the networks, where flags do not. */
function withFile(
  { model, stem, variant, trunk, maskFrom }: RunWidths,
  { values, given }: Arguments<"train">,
): CommandValues<"train"> {
  const named = Object.entries<Value | undefined>(values).filter(([name]) => given.has(name));
  const said = Object.entries({
    model,
    stem,
    variant,
    trunk,
    maskFrom,
    ...Object.fromEntries(named),
  })
    .flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const]);
  return withDefaults(optionsOf("train"), Object.fromEntries(said)) as CommandValues<"train">;
}

/** How many small networks are asked for. */
function small(compression: number | readonly number[], widths?: RunWidths): number {
  if (widths) return widthsByName(widths.widths).length;
  return typeof compression === "number" ? 1 : compression.length;
}

/** Raises a `UsageError` for options of a command that do not go together. */
function refuseConflict(
  values: Readonly<Record<string, Value | undefined>>,
  { given, networks = 1 }: { readonly given: ReadonlySet<string>; readonly networks?: number },
): void {
  const { init, model } = values;
  const hasWeights = init !== undefined || isModelFile(String(model));
  const why = conflict(values, { given, networks, hasWeights, nameOf: flagOf });
  if (why) throw unusable(why);
}

/** The options of a training run, with `widths` as the file says that was given. */
export function trainRequest(parsed: Arguments<"train">, widths?: RunWidths): TrainRequest {
  const values = widths ? withFile(widths, parsed) : parsed.values;
  const { mode, teacher, init, compression } = values;
  if (mode === "distill" && teacher === undefined) {
    throw unusable("--mode distill needs --teacher with the run folder of a trained base network");
  }
  refuseConflict(values, { given: parsed.given, networks: small(compression, widths) });
  if (
    parsed.given.has("importance") && widthsByName(widths?.widths).some(([, of]) => areLists(of))
  ) {
    throw unusable(
      "--importance has no effect beside the --widths of a run that has chosen its filters; leave " +
        "one of them out",
    );
  }
  const request = runRequest("train", values, {
    mode,
    // A teacher teaches the small network.
    which: mode === "distill" ? "small" : values.which,
    // Convolutions that the file does not name are whole.
    compression: widths ? 1 : compression,
    widths: widths?.widths,
    teacher,
    init,
  });
  return { ...request, reads: { ...request.reads, "--widths": values.widths } };
}

/** The one cost that is limited, and its limits. */
function budgetOf<Cost extends Limited>(
  command: "search" | "compare",
  budgets: Readonly<Record<Cost, number | readonly number[] | undefined>>,
): { readonly budgeted: Cost; readonly budgets: readonly number[] } {
  const all = Object.keys(budgets) as Cost[];
  const given = all.flatMap((budgeted) => {
    const budget = budgets[budgeted];
    return budget === undefined ? [] : [{ budgeted, budgets: [budget].flat() }];
  });
  if (given.length === 1) return given[0];
  const flag = (budgeted: Cost): string => `--budget-${budgeted}`;
  const found = given.map(({ budgeted }) => flag(budgeted));
  throw unusable(
    `${command} needs one of ${listed(all.map(flag), "or")}, found ${listed(found) || "none"}`,
  );
}

/** The options of a search for a budget out of its flags. */
function searchOptions<Cost extends Limited>(
  { budgeted, budgets: [budget, ...more] }: ReturnType<typeof budgetOf<Cost>>,
  values: Pick<
    CommandValues<"search">,
    "divisors" | "searchEpochs" | "searchLr" | "temperature" | "endTemperature"
  >,
): SearchOptions<Cost> {
  const { temperature, endTemperature: end } = values;
  return {
    budgeted,
    budget,
    ...more.length ? { more } : {},
    divisors: values.divisors,
    epochs: values.searchEpochs,
    lr: values.searchLr,
    temperature: [temperature, end],
  };
}

const WHOLE = { mode: "adjoined", which: "base", compression: 1 } as const;

/** The options of a search, and of the training after it. */
export function searchRequest(parsed: Arguments<"search">): SearchRequest {
  const { values } = parsed;
  const { fromScratch, widthsOnly, init } = values;
  refuseConflict(values, parsed);
  const { budgetMacs: macs, budgetParams: params, budgetLatency: latency } = values;
  const find = searchOptions(budgetOf("search", { macs, params, latency }), values);
  return { ...runRequest("search", values, { ...WHOLE, init }), find, fromScratch, widthsOnly };
}

/** Raises a `UsageError` for options that have a value of their own, and act on no method. */
function refuseWithoutMethod(
  values: Readonly<Record<string, Value | undefined>>,
  methods: readonly string[],
): void {
  const usual = withDefaults(optionsOf("compare"), values.recipe ? { recipe: values.recipe } : {});
  const taking = (name: string): string[] =>
    METHODS.filter(({ takes }) => takes?.includes(name)).map((method) => method.name);
  for (const name of new Set(METHODS.flatMap(({ takes = [] }) => takes))) {
    if (JSON.stringify(values[name]) === JSON.stringify(usual[name])) continue;
    const of = taking(name);
    if (of.some((method) => methods.includes(method))) continue;
    throw unusable(`${flagOf(name)} acts on ${either(of)} alone, which --methods leaves out`);
  }
}

/** The options of a comparison. */
export function compareRequest({ values, given }: Arguments<"compare">): CompareRequest {
  refuseConflict(values, { given });
  const { budgetMacs: macs, budgetParams: params } = values;
  const find = searchOptions(budgetOf("compare", { macs, params }), values);
  const { seed, seeds, pruneBy } = values;
  const last = Number.MAX_SAFE_INTEGER - seeds + 1;
  if (seed > last) {
    throw unusable(`--seed is at most ${last} beside --seeds ${seeds}, found ${seed}`);
  }
  const methods = METHOD_NAMES.filter((name) => values.methods?.includes(name) ?? true);
  refuseWithoutMethod(values, methods);
  const request = runRequest("compare", values, WHOLE);
  return { ...request, config: { ...request.config, methods }, find, methods, pruneBy, seeds };
}
