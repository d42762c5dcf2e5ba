import type { Stem } from "../nn/resnet.ts";
import type { Augmentation, DatasetName, Optimizer, Schedule } from "./types.ts";

/** Defaults that depend on the data set. */
export const DEFAULTS: Readonly<
  Record<DatasetName, {
    readonly epochs: number;
    readonly batchSize: number;
    readonly lr: number;
    readonly augment: Augmentation;
    /** Default: the stem of the model's family. */
    readonly stem?: Stem;
  }>
> = {
  generated: { epochs: 6, batchSize: 64, lr: 4e-3, augment: "none", stem: "authors" },
  cifar10: { epochs: 100, batchSize: 32, lr: 4e-3, augment: "crop-flip" },
  cifar100: { epochs: 150, batchSize: 32, lr: 4e-3, augment: "crop-flip" },
  idx: { epochs: 10, batchSize: 64, lr: 4e-3, augment: "crop" },
};

/** Defaults that depend on the optimiser; its `lr` goes before that of the data set. */
export const OPTIMIZER_DEFAULTS: Readonly<
  Record<Optimizer, {
    readonly lr?: number;
    readonly weightDecay: number;
    readonly sched: Schedule;
  }>
> = {
  adamw: { weightDecay: 1e-2, sched: "onecycle" },
  sgd: { lr: 0.1, weightDecay: 1e-4, sched: "step" },
};

/** "a 1, b 2", or just the value where all have the same. */
function byName(rows: readonly (readonly [string, unknown])[]): string {
  const same = rows.every(([, value]) => value === rows[0][1]);
  return same && rows.length > 1
    ? String(rows[0][1])
    : rows.map(([name, value]) => `${name} ${value}`).join(", ");
}

/** A default of all data sets, for help. */
export function byDataset(key: keyof typeof DEFAULTS[DatasetName]): string {
  return byName(Object.entries(DEFAULTS).map(([name, values]) => [name, values[key]]));
}

/** A default of all optimisers that have one, for help. */
export function byOptimizer(key: keyof typeof OPTIMIZER_DEFAULTS[Optimizer]): string {
  return byName(
    Object.entries(OPTIMIZER_DEFAULTS)
      .flatMap(([name, values]) => values[key] === undefined ? [] : [[name, values[key]]]),
  );
}
