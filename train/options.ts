import { type Arguments, flagsOf, unusable } from "./arguments.ts";
import { DEFAULTS, OPTIMIZER_DEFAULTS } from "./defaults.ts";
import type { Condition } from "./flag.ts";
import { either } from "./text.ts";
import type { TrainOptions } from "./types.ts";

/** What a training command line asks for. */
export interface TrainRequest {
  /** With the first choice of a run folder, unless it was given. */
  readonly options: TrainOptions;
  /** Whether the run folder was given. */
  readonly named: boolean;
  readonly overwrite: boolean;
  readonly quiet: boolean;
  /** Whether only the memory is asked for. */
  readonly dryRun: boolean;
}

/** Raises a {@link UsageError} for flags that would have no effect. */
function refuseIdle(given: ReadonlySet<string>, found: Record<keyof Condition, string>): void {
  for (const { name, only = {} } of flagsOf("train")) {
    if (!given.has(name)) continue;
    for (const key of ["mode", "opt", "sched"] as const) {
      const wanted = only[key];
      if (!wanted || wanted.includes(found[key])) continue;
      throw unusable(`--${name} goes with --${key} ${either(wanted)}, found ${found[key]}`);
    }
  }
}

/** The options of a training run, with all defaults filled in. */
export function trainRequest({ values, given }: Arguments<"train">): TrainRequest {
  const { mode, model, variant, dataset, opt, seed, teacher } = values;
  const data = DEFAULTS[dataset];
  const optimizer = OPTIMIZER_DEFAULTS[opt];
  const sched = values.sched ?? optimizer.sched;
  const epochs = values.epochs ?? data.epochs;
  const warmupEpochs = values["warmup-epochs"];
  refuseIdle(given, { mode, opt, sched });
  if (mode === "distill" && teacher === undefined) {
    throw unusable("--mode distill needs --teacher with the run folder of a trained base network");
  }
  if (warmupEpochs > epochs) {
    throw unusable(`--warmup-epochs is at most --epochs ${epochs}, found ${warmupEpochs}`);
  }
  const options: TrainOptions = {
    mode,
    // A teacher teaches the small network.
    which: mode === "distill" ? "small" : values.which,
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
    compression: values.compression,
    trunk: values.trunk,
    maskFrom: values["mask-from"],
    maskingFactor: values["masking-factor"],
    detach: values.detach,
    teacher,
    init: values.init,
    seed,
    output: values.output ?? `runs/${model}-${mode}-${dataset}-${seed}`,
  };
  const { overwrite, quiet, "dry-run": dryRun } = values;
  return { options, named: values.output !== undefined, overwrite, quiet, dryRun };
}
