import { augmentedBatch } from "./augmented_batch.ts";
import { DataWait } from "./data_wait.ts";
import { validationBatches } from "../data/picture_batches.ts";
import { plural } from "../data/words.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { DivergedError, UsageError } from "./errors.ts";
import type { Estimate } from "./estimate.ts";
import type { Evaluation } from "./evaluation.ts";
import { demandFiniteLoss, demandFiniteScores } from "./finite.ts";
import type { Gates } from "./gates.ts";
import { ImageWork } from "./image_work.ts";
import { type Job, type JobWeights, traceEvaluation, traceStep } from "./job.ts";
import { KernelSession } from "./kernel_session.ts";
import { networksOf } from "./objective.ts";
import { Pace } from "./pace.ts";
import { Predictions } from "./predictions.ts";
import { lambdaAt, rateAt } from "./schedule.ts";
import type { TrainingStep } from "./step.ts";
import type { EpochMetrics, Progress, Reporter, Score, Which } from "./types.ts";
import { workloads } from "./workloads.ts";

/** Steps between two waits: what is told of a fast run stays close to where it is. */
const MOST_STEPS = 64;

type Scores = Partial<Record<Which, Score>>;

/** What the networks do on the validation images after the last epoch. */
export interface Learned {
  readonly scores: Scores;
  readonly predictions: Partial<Record<Which, Predictions>>;
}

/** A run in progress. */
interface Run {
  readonly job: Job;
  readonly step: TrainingStep;
  readonly evaluation: Evaluation;
  readonly gates?: Gates;
  readonly reporter: Reporter;
  /** Has been told the work of this run. */
  readonly estimate: Estimate;
  readonly validationPace: Pace;
  readonly predictions: Learned["predictions"];
}

/** Trains one epoch, counted from 0. */
async function trainEpoch(epoch: number, run: Run): Promise<EpochMetrics> {
  const { job: { options, batches }, gates, reporter, estimate } = run;
  const wait = new DataWait();
  const { epochs, batchSize } = options;
  const steps = batches.length;
  const lambda = options.mode === "adjoined" ? lambdaAt(epoch, epochs) : 1;
  const start = performance.now();
  const pace = new Pace({ most: MOST_STEPS });
  let done = 0;
  let [read, since] = [0, start];
  let lr = 0;
  let progress: Progress | undefined;
  run.step.reset();
  for await (const batch of wait.over(batches.epoch(epoch))) {
    const rate = rateAt(epoch * steps + done, steps, options);
    lr = rate.lr;
    gates?.prepare((epoch * steps + done) / (epochs * steps));
    run.step.run(batch, { ...rate, lambda });
    done++;
    if (done < steps && !pace.due()) continue;
    const means = await run.step.read();
    const search = await gates?.read();
    pace.waited();
    const when = `step ${done} of epoch ${epoch + 1}`;
    demandFiniteLoss({ loss: means.loss, when }, options);
    const now = performance.now();
    const seconds = (now - start) / 1000;
    const first = epoch === 0 && done === 1;
    // The first step compiles kernels, and so tells nothing of the others.
    estimate.did(
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
      waiting: wait.seconds / seconds,
      etaSeconds: estimate.seconds,
      ...search ? { search } : {},
    };
    if (!first) reporter.progress(progress);
  }
  if (!progress) throw new UsageError("Cannot train: the training set has no batch");
  await gates?.choose();
  const validation = await validate(epoch, run);
  const { step: _, steps: __, ...rest } = progress;
  return { ...rest, seconds: (performance.now() - start) / 1000, validation };
}

/** Scores on the validation images after an epoch, counted from 0; of the last, predictions, too. */
async function validate(epoch: number, run: Run): Promise<Scores> {
  const { job: { options, split, validation }, evaluation, reporter, estimate } = run;
  const { part, length: total } = split.validation;
  const what = part === "test" ? "test" : "validation";
  const scores = await evaluation.scores(
    validation,
    new ImageWork({
      work: { what, total, epoch: epoch + 1, epochs: options.epochs },
      reporter,
      estimate: { of: estimate, stage: "validation" },
      pace: run.validationPace,
    }),
    // One at a time, so that a dry run can tell the memory of it.
    epoch + 1 === options.epochs ? { to: run.predictions, ahead: 1 } : undefined,
  );
  demandFiniteScores({ scores, epoch: epoch + 1 }, options);
  return scores;
}

function top1(scores: Partial<Record<Which, Score>>): Partial<Record<Which, number>> {
  return Object.fromEntries(Object.entries(scores).map(([which, score]) => [which, score.top1]));
}

/** Raises a {@link DivergedError} where a run has a teacher whose outputs are no numbers. */
async function demandFiniteTeacher(
  gpu: Gpu,
  { options: { teacher: path }, teacher: checkpoint, feed: { dataset, batch } }: Job,
  reporter: Reporter,
): Promise<void> {
  if (!checkpoint) return;
  using scope = gpu.scope();
  const session = await KernelSession.open(scope, { checkpoint, dataset, batch });
  const { loss } = await session.score(
    validationBatches({ dataset, batch }),
    new ImageWork({ work: { what: "evaluating the teacher", total: dataset.length }, reporter }),
  );
  if (Number.isFinite(loss)) return;
  throw new DivergedError(
    `Cannot distill from ${
      path ?? "the teacher"
    }: wanted finite outputs on ${dataset.name}, found ` +
      `a cross entropy of ${loss}; pass another --teacher`,
  );
}

/** Chooses the tiles of the training step, where the program around the run can. */
async function chooseTiles(
  gpu: Gpu,
  job: Job,
  { weights, reporter }: { weights: JobWeights; reporter: Reporter },
): Promise<void> {
  await job.chooseTiles?.(gpu, (rehearsal) => traceStep(rehearsal, job, weights), (done, total) => {
    if (done === 0) {
      reporter.note(`timing tiles for ${plural(total, "convolution")}, once for this GPU`);
    }
    reporter.work({ what: "timing tiles", done, total, unit: "convolutions" });
  });
}

/** Trains all epochs, and gives back the memory that took. */
export async function learn(
  gpu: Gpu,
  job: Job,
  { weights, reporter, estimate }: {
    weights: JobWeights;
    reporter: Reporter;
    estimate: Estimate;
  },
): Promise<Learned> {
  estimate.start(workloads(job));
  await chooseTiles(gpu, job, { weights, reporter });
  reporter.note("compiling kernels: the first step takes some seconds");
  if (reporter.batch) reporter.batch(await augmentedBatch(gpu, job));
  using scope = gpu.scope();
  const step = await traceStep(scope, job, weights);
  const evaluation = await traceEvaluation(scope, job, weights);
  const { gates } = weights;
  const classes = job.split.validation.classes.length;
  const predictions = Object.fromEntries(
    Object.keys(networksOf(job.objective)).map((which) => [which, new Predictions(classes)]),
  );
  const validationPace = new Pace();
  const run = { job, step, evaluation, gates, reporter, estimate, validationPace, predictions };
  let scores: Scores = {};
  for (let epoch = 0; epoch < job.options.epochs; epoch++) {
    const metrics = await trainEpoch(epoch, run).catch(async (error) => {
      if (error instanceof DivergedError) await demandFiniteTeacher(gpu, job, reporter);
      throw error;
    });
    scores = metrics.validation;
    reporter.epoch(metrics);
  }
  return { scores, predictions };
}
