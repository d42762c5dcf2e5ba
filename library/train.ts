import type { Checkpoint } from "../export/checkpoint.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import type { ByNetwork } from "../nn/which.ts";
import { withImportance } from "../train/importance.ts";
import { jobOn } from "../train/job.ts";
import type { Predictions } from "../train/predictions.ts";
import { train as trainJob, type TrainResult } from "../train/train.ts";
import type { Summary, Verification } from "../train/types.ts";
import { entriesOf } from "../nn/which.ts";
import { begun } from "./begun.ts";
import { demandData } from "./demand_given.ts";
import { inputsOf } from "./inputs.ts";
import type { NetworksOf } from "./networks_of.ts";
import type { Mode, TrainSettings } from "./run_settings.ts";
import { TrainingRun } from "./training_run.ts";
import { deviceOf } from "./device_of.ts";

/** What a training came to. */
export interface Trained<Networks = Readonly<ByNetwork<Checkpoint>>> {
  /**
   * The networks, physically small, with their weights: `base` and `small`, or of several small ones
   * `small-2` and so on.
   */
  readonly networks: Networks;
  /** What the proof found that each small network is the one that was measured. */
  readonly verification: Readonly<ByNetwork<Verification>>;
  /** Accuracy, cost and time; content of the command line's summary.json. */
  readonly summary: Summary;
  /** The files that the command line saves, by name: `base.safetensors`, `small.safetensors`, ... */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What the networks say of the validation images. */
  readonly predictions: Readonly<ByNetwork<Predictions>>;
}

/** The networks in the files of a result, and what is known of them. */
export function trainedOf<Networks>(
  { summary, files, predictions }: TrainResult,
): Trained<Networks> {
  const networks = entriesOf(summary).map(([which]) => {
    const name = `${which}.safetensors`;
    return [which, parseCheckpoint(files.get(name) ?? new Uint8Array(), name)] as const;
  });
  const proofs = entriesOf(summary).flatMap(([which, { verify }]) =>
    verify ? [[which, verify] as const] : []
  );
  return {
    // Which ones there are follows from the options, as their type does.
    networks: Object.fromEntries(networks) as Networks,
    verification: Object.fromEntries(proofs),
    ...{ summary, files, predictions },
  };
}

/**
 * Trains a network and its compressed twin together on shared weights, as `deno task train` does, and
 * cuts out the small one.
 *
 * The run begins at once, on a GPU of its own unless one is given. Where that is lost, it goes on from
 * its last state on another; memory that it does not have raises an `OutOfMemoryError` that says what
 * would fit.
 *
 * ```ts
 * import { generatedSplit, train } from "@adjoin/adjoin";
 *
 * const data = generatedSplit({ train: 64, validation: 32, size: 16, seed: 1 });
 * const run = train({ data, model: "resnet8", compression: 4, epochs: 2, batchSize: 32 });
 * for await (const { epoch, validation } of run) {
 *   console.log(epoch, validation.base?.top1, validation.small?.top1);
 * }
 * const { networks, verification } = await run;
 * console.log(networks.small.top1, verification.small?.maxDifference);
 * ```
 *
 * @param options Images, networks, and the options of the command line in camelCase.
 * @returns The run, to be awaited for its result, and iterated over for its epochs.
 * @throws {TypeError} For options that there are not, and values of another kind, at once.
 * @throws {RangeError} For values out of range, at once.
 * @throws {DataError} For images, networks and checkpoints that do not fit, at once.
 */
export function train<
  const M extends Mode = "adjoined",
  const W extends "base" | "small" = "base",
  const C extends number | readonly number[] = number,
>(options: TrainSettings<M, W, C>): TrainingRun<Trained<NetworksOf<M, W, C>>> {
  demandData("Cannot train", options);
  const { signal } = options;
  const device = deviceOf(options);
  const { from, resolved } = begun("train", options);
  const inputs = inputsOf(options, resolved, from);
  return new TrainingRun(async ({ reporter, course }) => {
    const given = from ? resolved : await withImportance(inputs, resolved, { reporter, ...device });
    const result = await trainJob(jobOn(inputs, given), reporter, course, device);
    return trainedOf<NetworksOf<M, W, C>>(result);
  }, { signal, from });
}
