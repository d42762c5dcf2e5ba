import type { TrainingBatches, ValidationBatches } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import { demandFiniteLoss, demandFiniteScores } from "./finite.ts";
import { UsageError } from "./errors.ts";
import type { Estimate } from "./estimate.ts";
import type { Gates } from "./gates.ts";
import { ImageWork } from "./image_work.ts";
import { Pace } from "./pace.ts";
import { lambdaAt, rateAt } from "./schedule.ts";
import type { Evaluation } from "./evaluation.ts";
import type { TrainingStep } from "./step.ts";
import type { EpochMetrics, Progress, Reporter, Score, TrainOptions, Which } from "./types.ts";

/** Steps between two waits: what is told of a fast run stays close to where it is. */
const MOST_STEPS = 64;

/** A run in progress, epoch by epoch. */
export class Epochs {
  readonly #options: TrainOptions;
  readonly #reporter: Reporter;
  readonly #batches: TrainingBatches;
  readonly #step: TrainingStep;
  readonly #evaluation: Evaluation;
  readonly #validation: ValidationBatches;
  readonly #validated: Split["validation"];
  readonly #gates: Gates | undefined;
  readonly #estimate: Estimate;
  readonly #validationPace = new Pace();

  constructor(parts: {
    options: TrainOptions;
    reporter: Reporter;
    batches: TrainingBatches;
    step: TrainingStep;
    evaluation: Evaluation;
    validation: ValidationBatches;
    split: Split;
    gates?: Gates;
    /** Has been told the work of this run. */
    estimate: Estimate;
  }) {
    this.#options = parts.options;
    this.#reporter = parts.reporter;
    this.#batches = parts.batches;
    this.#step = parts.step;
    this.#evaluation = parts.evaluation;
    this.#validation = parts.validation;
    this.#validated = parts.split.validation;
    this.#gates = parts.gates;
    this.#estimate = parts.estimate;
  }

  /** Trains one epoch, counted from 0. */
  async epoch(epoch: number): Promise<EpochMetrics> {
    const { epochs, batchSize } = this.#options;
    const steps = this.#batches.length;
    const lambda = this.#options.mode === "adjoined" ? lambdaAt(epoch, epochs) : 1;
    const start = performance.now();
    const pace = new Pace({ most: MOST_STEPS });
    let done = 0;
    let [read, since] = [0, start];
    let lr = 0;
    let progress: Progress | undefined;
    this.#step.reset();
    for (const batch of this.#batches.epoch(epoch)) {
      const rate = rateAt(epoch * steps + done, steps, this.#options);
      lr = rate.lr;
      this.#gates?.prepare((epoch * steps + done) / (epochs * steps));
      this.#step.run(batch, { ...rate, lambda });
      done++;
      if (done < steps && !pace.due()) continue;
      const means = await this.#step.read();
      const search = await this.#gates?.read();
      pace.waited();
      const when = `step ${done} of epoch ${epoch + 1}`;
      demandFiniteLoss({ loss: means.loss, when }, this.#options);
      const now = performance.now();
      const seconds = (now - start) / 1000;
      const first = epoch === 0 && done === 1;
      // The first step compiles kernels, and so tells nothing of the others.
      this.#estimate.did(
        "training",
        (done - read) * batchSize,
        first ? undefined : (now - since) / 1000,
      );
      [read, since] = [done, now];
      progress = {
        epoch: epoch + 1,
        epochs,
        step: done,
        steps,
        imagesPerSecond: done * batchSize / seconds,
        loss: means.loss,
        crossEntropy: means.crossEntropy,
        kl: means.kl,
        lambda,
        lr,
        training: top1(means.scores),
        etaSeconds: this.#estimate.seconds,
        ...search ? { search } : {},
      };
      if (!first) this.#reporter.progress(progress);
    }
    if (!progress) throw new UsageError("Cannot train: the training set has no batch");
    await this.#gates?.choose();
    const what = this.#validated.part === "test" ? "test" : "validation";
    const validation = await this.#evaluation.scores(
      this.#validation,
      new ImageWork({
        work: { what, total: this.#validated.length, epoch: epoch + 1, epochs },
        reporter: this.#reporter,
        estimate: { of: this.#estimate, stage: "validation" },
        pace: this.#validationPace,
      }),
    );
    demandFiniteScores({ scores: validation, epoch: epoch + 1 }, this.#options);
    const { step: _, steps: __, ...rest } = progress;
    return { ...rest, seconds: (performance.now() - start) / 1000, validation };
  }
}

function top1(scores: Partial<Record<Which, Score>>): Partial<Record<Which, number>> {
  return Object.fromEntries(Object.entries(scores).map(([which, score]) => [which, score.top1]));
}
