import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import type { Position, TrainingState } from "../train/resume/training_state.ts";
import type { EpochMetrics } from "../train/types.ts";

/** An epoch that never was, counted from 1. */
export function madeMetrics(epoch: number, epochs = 5): EpochMetrics {
  return {
    ...{ epoch, epochs, imagesPerSecond: 100, loss: 2 / epoch, crossEntropy: 1, kl: 1, lambda: 1 },
    ...{ lr: 1e-3, training: { base: 0.5 }, waiting: 0, etaSeconds: 0, seconds: 1 },
    validation: { base: { top1: 0.5, top5: 1, loss: 1 } },
  };
}

/** A state that is none of any network, of a run of `train` with some arguments. */
export function madeState(
  { phase = "train", args = [], ...position }: Position & {
    readonly phase?: string;
    readonly args?: readonly string[];
  },
): TrainingState {
  const { options, config } = trainRequest(readArguments("train", args));
  return {
    phase,
    position,
    tensors: new Map([
      ["parameters/w", Float32Array.of(position.epoch, position.step)],
      ["statistics/none", new Float32Array()],
    ]),
    numbers: { step: 3 },
    history: Array.from({ length: position.epoch }, (_, i) => madeMetrics(i + 1)),
    seconds: 1,
    run: {
      ...{ adapter: "test", options, config, classes: ["a", "b"], image: [32, 32, 3] },
      normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    },
  };
}
