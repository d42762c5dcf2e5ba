import { median } from "../data/median.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { Snapshots } from "../train/resume/snapshots.ts";
import type { Stateful } from "../train/resume/stateful.ts";
import { encodeTrainingState } from "../train/resume/training_state.ts";
import type { TrainOptions } from "../train/types.ts";

/** What a checkpoint costs, but for the disk, which is written to while training goes on. */
export interface CheckpointTimes {
  /** Bytes of the file. */
  readonly bytes: number;
  /** Time in which training waits: everything is read from the GPU and encoded. */
  readonly ms: number;
}

const REPEATS = 5;

/** Times checkpoints of parts of a run. Nothing is written. */
export async function benchCheckpoint(
  scope: Scope,
  parts: readonly Stateful[],
): Promise<CheckpointTimes> {
  const snapshots = await Snapshots.trace(scope, parts);
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i <= REPEATS; i++) {
    await scope.gpu.idle();
    const started = performance.now();
    const { tensors, numbers } = await snapshots.take();
    const pieces = encodeTrainingState({
      ...{ phase: "train", position: { epoch: 0, step: 0 }, tensors, numbers },
      ...{ history: [], seconds: 0 },
      run: {
        adapter: scope.gpu.adapter,
        options: {} as TrainOptions,
        ...{ classes: [], image: [1, 1, 1], normalization: { mean: [0], std: [1] } },
      },
    });
    // The first one compiles.
    if (i > 0) times.push(performance.now() - started);
    bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  }
  return { bytes, ms: median(times) };
}
