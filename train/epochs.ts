import type { TrainingBatches, ValidationBatches } from "../data/batches.ts";
import { demandFiniteLoss, demandFiniteScores } from "./finite.ts";
import { UsageError } from "./errors.ts";
import type { Gates } from "./gates.ts";
import { lambdaAt, rateAt } from "./schedule.ts";
import type { Evaluation, TrainingStep } from "./step.ts";
import type { EpochMetrics, Progress, Reporter, Score, TrainOptions, Which } from "./types.ts";

/** Waits for the GPU about once a second: rarely enough to cost nothing, often enough to report. */
class Pace {
  #every = 1;
  #steps = 0;
  #since = performance.now();

  /** Whether to wait after this step. */
  due(): boolean {
    return ++this.#steps >= this.#every;
  }

  waited(): void {
    const seconds = (performance.now() - this.#since) / 1000;
    this.#every = Math.min(64, Math.max(1, Math.round(this.#steps / Math.max(seconds, 1e-3))));
    this.#steps = 0;
    this.#since = performance.now();
  }
}

/** A run in progress, epoch by epoch. */
export class Epochs {
  readonly #options: TrainOptions;
  readonly #reporter: Reporter;
  readonly #batches: TrainingBatches;
  readonly #step: TrainingStep;
  readonly #evaluation: Evaluation;
  readonly #validation: ValidationBatches;
  readonly #gates: Gates | undefined;
  /** When the first step was done, which compiles the kernels and so tells nothing of the others. */
  #warm = NaN;

  constructor(parts: {
    options: TrainOptions;
    reporter: Reporter;
    batches: TrainingBatches;
    step: TrainingStep;
    evaluation: Evaluation;
    validation: ValidationBatches;
    gates?: Gates;
  }) {
    this.#options = parts.options;
    this.#reporter = parts.reporter;
    this.#batches = parts.batches;
    this.#step = parts.step;
    this.#evaluation = parts.evaluation;
    this.#validation = parts.validation;
    this.#gates = parts.gates;
  }

  /** Trains one epoch, counted from 0. */
  async epoch(epoch: number): Promise<EpochMetrics> {
    const { epochs, batchSize } = this.#options;
    const steps = this.#batches.length;
    const lambda = this.#options.mode === "adjoined" ? lambdaAt(epoch, epochs) : 1;
    const start = performance.now();
    const pace = new Pace();
    let done = 0;
    let lr = 0;
    let progress: Progress | undefined;
    this.#step.reset();
    if (epoch === 0) this.#reporter.note("compiling kernels: the first step takes some seconds");
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
      const total = epoch * steps + done;
      if (total === 1) this.#warm = now;
      const perStep = (now - this.#warm) / 1000 / (total - 1);
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
        etaSeconds: total > 1 ? perStep * (epochs * steps - total) : 0,
        ...search ? { search } : {},
      };
      if (total > 1) this.#reporter.progress(progress);
    }
    if (!progress) throw new UsageError("Cannot train: the training set has no batch");
    await this.#gates?.choose();
    const validation = await this.#evaluation.scores(this.#validation);
    demandFiniteScores({ scores: validation, epoch: epoch + 1 }, this.#options);
    const { step: _, steps: __, ...rest } = progress;
    return { ...rest, seconds: (performance.now() - start) / 1000, validation };
  }
}

function top1(scores: Partial<Record<Which, Score>>): Partial<Record<Which, number>> {
  return Object.fromEntries(Object.entries(scores).map(([which, score]) => [which, score.top1]));
}
