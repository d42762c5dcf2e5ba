import type { Batch, Batches } from "../data/batch.ts";
import type { Dataset } from "../data/dataset.ts";
import type { PictureSet } from "../data/pictures.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { networkSpecs } from "../nn/state.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import type { ImageWork } from "./image_work.ts";
import { Weights } from "./learner.ts";
import { Evaluation } from "./evaluation.ts";
import type { Predictions } from "./predictions.ts";
import type { Score } from "./types.ts";

/** Readings of logits that are under way at a time: each takes long, however little is read. */
const AHEAD = 8;

/** A saved network on our own kernels. */
export class KernelSession {
  readonly #checkpoint: Checkpoint;
  readonly #evaluation: Evaluation;

  private constructor(checkpoint: Checkpoint, evaluation: Evaluation) {
    this.#checkpoint = checkpoint;
    this.#evaluation = evaluation;
  }

  /** For batches of `batch` images of `dataset`. */
  static async open(
    scope: Scope,
    { checkpoint, dataset, batch }: {
      checkpoint: Checkpoint;
      dataset: Dataset | PictureSet;
      batch: number;
    },
  ): Promise<KernelSession> {
    const { network, state, which, normalization, image: [height, width] } = checkpoint;
    const evaluation = await Evaluation.trace(scope, {
      objective: { mode: "plain", which, network },
      weights: new Weights(scope, networkSpecs(network), state),
      feed: { dataset, normalization, batch, image: { height, width } },
    });
    return new KernelSession(checkpoint, evaluation);
  }

  /** Logits of a batch, `[batch, classes]`, row-major. */
  logits(batch: Batch): Promise<Float32Array> {
    return this.#evaluation.logits(batch, this.#checkpoint.which);
  }

  /** Accuracy and loss over batches. `work` is told how far they are; `predictions` are added to. */
  async score(batches: Batches, work?: ImageWork, predictions?: Predictions): Promise<Score> {
    const { which } = this.#checkpoint;
    const predicting = predictions && { to: { [which]: predictions }, ahead: AHEAD };
    const { [which]: score } = await this.#evaluation.scores(batches, work, predicting);
    if (!score) throw new TypeError(`Cannot score ${which}: it is not evaluated`);
    return score;
  }
}
