// States of runs that nothing was trained for.
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import type { State } from "../nn/parameters.ts";
import { initialState, type Job, jobOn } from "../train/job.ts";
import { specsOf } from "../train/objective.ts";
import { pairsFor } from "../train/pair.ts";
import type { TrainingState } from "../train/resume/training_state.ts";
import type { EpochMetrics, TrainOptions } from "../train/types.ts";

/** Epochs of the runs here. */
const EPOCHS = 2;

/** The last epoch of a run, whose base network is right about three images of four. */
function lastEpoch(): EpochMetrics {
  return {
    ...{ epoch: EPOCHS, epochs: EPOCHS, imagesPerSecond: 100, loss: 1, crossEntropy: 1, kl: 0 },
    ...{ lambda: 1, lr: 1e-3, training: {}, waiting: 0, etaSeconds: 0, seconds: 1 },
    validation: {
      base: { top1: 0.75, top5: 1, loss: 1 },
      small: { top1: 0.5, top5: 1, loss: 1 },
    },
  };
}

/** A state, and what it is of. */
export interface StateOfRun {
  readonly state: TrainingState;
  readonly job: Job;
  /** Weights and statistics. */
  readonly values: State;
}

/**
 * The state at the end of a run of `train` with some arguments, on generated images of 16x16 pixels;
 * values are drawn.
 */
export function stateOfRun(
  args: readonly string[],
  { phase = "train", widths }: { phase?: string; widths?: TrainOptions["widths"] } = {},
): StateOfRun {
  const short = ["--epochs", `${EPOCHS}`, "--val-size", "8", "--batch-size", "8"];
  const { options: typed } = trainRequest(readArguments("train", [...short, ...args]));
  const options = { ...typed, ...widths ? { widths } : {} };
  const split = generatedSplit({ train: 16, validation: 8, size: 16, seed: options.seed });
  const images = split.train;
  const network = pairsFor(options, images)[0].base;
  const info = { which: "base", classes: images.classes, image: [16, 16, 3] } as const;
  const { normalization } = split;
  const teacher = { network, state: new Map(), ...info, normalization };
  const job = jobOn({ split, teacher }, options);
  const random = new Random(9, "state of a run");
  const values: State = new Map(
    [...initialState(job)].map((
      [name, own],
    ) => [name, own.map((x) => x + 0.1 * random.uniform())]),
  );
  const { parameters, statistics } = specsOf(job.objective);
  const kept = (kind: string, specs: readonly { readonly name: string }[]) =>
    specs.map(({ name }) => [`${kind}/${name}`, values.get(name)!] as const);
  const state: TrainingState = {
    phase,
    position: { epoch: EPOCHS, step: 0 },
    tensors: new Map([
      ...kept("parameters", parameters),
      ...kept("statistics", statistics),
      ...parameters.map(({ name }) => [`velocity/${name}`, new Float32Array(1)] as const),
    ]),
    numbers: { steps: 4 },
    history: [lastEpoch()],
    seconds: 2,
    run: {
      ...{ adapter: "none", options, classes: images.classes, image: [16, 16, 3] },
      normalization,
    },
  };
  return { state, job, values };
}

/** A line for each of some values: where they differ, all of them would be too much to show. */
export function digest(values: ReadonlyMap<string, ArrayLike<number>>): string[] {
  return [...values].map(([name, own]) => {
    const sum = Array.from(own).reduce((sum, x, i) => sum + x * (1 + i % 7), 0);
    return `${name}: ${own.length} with ${sum}`;
  }).sort();
}

/** A network with a line for each of its values. */
export function digested({ state, ...rest }: Checkpoint): unknown {
  return { ...rest, state: digest(state) };
}
