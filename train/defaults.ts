import type { Augmentation, DatasetName, Optimizer, Schedule } from "./types.ts";

/** Defaults that depend on the data set. */
export const DEFAULTS: Readonly<
  Record<DatasetName, {
    readonly epochs: number;
    readonly batchSize: number;
    readonly lr: number;
    readonly augment: Augmentation;
  }>
> = {
  generated: { epochs: 8, batchSize: 64, lr: 4e-3, augment: "none" },
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

/** A default of all data sets, for help. */
export function byDataset(key: keyof typeof DEFAULTS[DatasetName]): string {
  return Object.entries(DEFAULTS).map(([name, values]) => `${name} ${values[key]}`).join(", ");
}

/** A default of all optimisers that have one, for help. */
export function byOptimizer(key: keyof typeof OPTIMIZER_DEFAULTS[Optimizer]): string {
  return Object.entries(OPTIMIZER_DEFAULTS)
    .flatMap(([name, values]) => values[key] === undefined ? [] : [`${name} ${values[key]}`])
    .join(", ");
}
