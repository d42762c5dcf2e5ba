import { DataWait } from "./data_wait.ts";
import { Random } from "../data/random.ts";
import { plural } from "../data/words.ts";
import { MOST_LOST } from "../kernels/ops/guard_step.ts";
import { StoppedError, UsageError } from "./errors.ts";
import { demandFiniteScores, divergedSteps } from "./finite.ts";
import type { Lost } from "./guard.ts";
import { ImageWork } from "./image_work.ts";
import type { Job } from "./job.ts";
import { allEpochs, lastEpoch } from "./epochs_of_job.ts";
import { networksOf } from "./objective.ts";
import { Pace } from "./pace.ts";
import { Predictions } from "./predictions.ts";
import { isStopped } from "./resume/course.ts";
import type { Run } from "./run.ts";
import { sandwichOf } from "./sandwich.ts";
import { klWeightAt, type Rate, rateAt } from "./schedule.ts";
import type { EpochMetrics, Progress, Score, TrainOptions } from "./types.ts";
import { type ByNetwork, entriesOf } from "../nn/which.ts";

/** Steps between two waits: what is told of a fast run stays close to where it is. */
const MOST_STEPS = 64;

/** Numbers of a step. */
interface StepRates extends Rate {
  readonly lambda: number;
}

/** The weight of the divergence: scheduled where the teacher learns as well. */
function lambdaOf(step: number, stepsPerEpoch: number, options: TrainOptions): number {
  if (options.mode === "adjoined") return klWeightAt(step, stepsPerEpoch, options);
  return options.mode === "distill" ? options.klWeight : 1;
}

/** Numbers of a step of a fine-tuning, whose rates have a course of their own. */
function tuningRates(step: number, stepsPerEpoch: number, options: TrainOptions): StepRates {
  const { finetuneLr: lr = options.lr, finetuneEpochs: epochs, klWeight: lambda } = options;
  const own = { ...options, lr, epochs, warmupEpochs: 0 };
  return { ...rateAt(step, stepsPerEpoch, own), lambda };
}

/** The numbers of a step of an epoch, both counted from 0. */
function ratesAt(epoch: number, step: number, { job, saving }: Run): StepRates {
  const { options, steps, epochsBefore } = job;
  if (epochsBefore !== undefined) {
    const rates = tuningRates((epoch - epochsBefore) * steps + step, steps, options);
    return { ...rates, lr: rates.lr * saving.rate };
  }
  const at = epoch * steps + step;
  const { lr, momentum } = rateAt(at, steps, options);
  return { lr: lr * saving.rate, momentum, lambda: lambdaOf(at, steps, options) };
}

/** What batch `k` of an epoch drops at random: by seed, epoch and batch alone. */
function noiseOf({ seed }: { readonly seed: number }, epoch: number, k: number): [number, number] {
  const random = new Random(seed, `noise of epoch ${epoch}, batch ${k}`);
  return [random.bits(), random.bits()];
}

function top1(scores: ByNetwork<Score>): ByNetwork<number> {
  // By the sandwich rule, some may not have been trained yet.
  return Object.fromEntries(
    entriesOf(scores).filter(([which, { top1 }]) => which === "base" || Number.isFinite(top1))
      .map(([which, { top1 }]) => [which, top1]),
  );
}

/** Says which steps did not count, and raises a `DivergedError` for too many in a row. */
function watch({ inRow, all }: Lost, run: Run, done: number): void {
  const { position: { epoch }, reporter, job: { options } } = run;
  const when = `step ${done} of epoch ${epoch + 1}`;
  if (inRow >= MOST_LOST) throw divergedSteps({ inRow, when }, options);
  if (all <= run.lost) return;
  reporter.note(
    `left out ${
      plural(all - run.lost, "step")
    } up to ${when}: loss or gradients were infinite or NaN`,
  );
  run.lost = all;
}

/** The clock of an epoch, as far as it is trained at once. */
class EpochClock {
  readonly start = performance.now();
  readonly wait = new DataWait();
  readonly #first: number;
  #read: number;
  #since = this.start;

  /** `first` steps were done before. */
  constructor(first: number) {
    this.#first = this.#read = first;
  }

  /** Takes note of a wait after `done` steps; tells the estimate unless they included compilation. */
  waited(done: number, { estimate, warm, job: { options: { batchSize } } }: Run): void {
    const now = performance.now();
    const images = (done - this.#read) * batchSize;
    estimate.did("training", images, warm ? (now - this.#since) / 1000 : undefined);
    [this.#read, this.#since] = [done, now];
  }

  /** Seconds so far. */
  get seconds(): number {
    return (performance.now() - this.start) / 1000;
  }

  /** Images a second, and the share of the time that batches were waited for. */
  pace(done: number, { batchSize }: { readonly batchSize: number }): {
    imagesPerSecond: number;
    waiting: number;
  } {
    const { seconds } = this;
    return {
      imagesPerSecond: (done - this.#first) * batchSize / seconds,
      waiting: this.wait.seconds / seconds,
    };
  }
}

/** Reads how an epoch goes after `done` steps; waits for them. */
async function readProgress(
  run: Run,
  done: number,
  { clock, rates }: { readonly clock: EpochClock; readonly rates: StepRates },
): Promise<Progress> {
  const { job, step, gates, estimate, position: { epoch } } = run;
  const { options, steps } = job;
  const means = await step.read();
  watch(means.lost, run, done);
  const search = await gates?.read();
  clock.waited(done, run);
  return {
    epoch: epoch + 1,
    epochs: allEpochs(job),
    step: done,
    steps,
    ...clock.pace(done, options),
    loss: means.loss,
    crossEntropy: means.crossEntropy,
    kl: means.kl,
    lambda: rates.lambda,
    lr: rates.lr,
    training: top1(means.scores),
    etaSeconds: estimate.seconds,
    ...search ? { search } : {},
  };
}

/** Raises a {@link StoppedError} where a run has to stop, once it is saved. */
async function stopIfTold(run: Run, step: number): Promise<void> {
  if (!isStopped(run.course)) return;
  await run.saving.save({ ...run.position, step });
  await run.course.keeper.settled();
  throw stopped(run, step);
}

function stopped({ position: { epoch }, job: { steps } }: Run, step: number): StoppedError {
  const when = step === steps ? "the training" : `step ${step}`;
  return new StoppedError(`Stopped after ${when} of epoch ${epoch + 1}`);
}

/** Trains the steps of an epoch that are left; gives how it went. */
async function trainSteps(run: Run, clock: EpochClock): Promise<Progress> {
  const { job: { batches, accumulation, steps }, gates, reporter, saving, step } = run;
  const { epoch, step: first } = run.position;
  const { epochs } = run.job.options;
  const pace = new Pace({ most: MOST_STEPS });
  let progress: Progress | undefined;
  let done = first;
  let rates = ratesAt(epoch, Math.max(0, first - 1), run);
  let begun = false;
  if (first === 0) step.reset();
  let k = first * accumulation;
  for await (const batch of clock.wait.over(batches.epoch(epoch, first * accumulation))) {
    // A step that would not have all of its batches.
    if (done === steps) break;
    if (!begun) {
      rates = ratesAt(epoch, done, run);
      gates?.prepare((epoch * steps + done) / (epochs * steps));
    }
    const noise = step.drops ? noiseOf(run.job.options, epoch, k) : undefined;
    k++;
    const sandwich = sandwichOf(run.job.options.seed, epoch, done, step.sandwiches.length);
    begun = !step.run(batch, { ...rates, noise, sandwich });
    if (begun) continue;
    done++;
    const due = saving.isDue(done);
    if (done < steps && !pace.due() && !due && !isStopped(run.course)) continue;
    progress = await readProgress(run, done, { clock, rates });
    pace.waited();
    if (run.warm && Number.isFinite(progress.loss)) reporter.progress(progress);
    run.warm = true;
    await stopIfTold(run, done);
    if (due && done < steps) await saving.save({ epoch, step: done });
  }
  if (done < steps) throw new UsageError("Cannot train: the training set has no batch");
  return progress ?? await readProgress(run, done, { clock, rates });
}

/**
 * Trains the epoch that a run is in, from the step that it is at on, measures the networks, and saves
 * the run. Raises a `DivergedError` for values that are no numbers, and a {@link StoppedError} where
 * the run was told to stop, when it is saved.
 */
export async function trainEpoch(run: Run): Promise<EpochMetrics> {
  const { job: { steps }, gates, saving } = run;
  const { epoch } = run.position;
  const clock = new EpochClock(run.position.step);
  const progress = await trainSteps(run, clock);
  await gates?.choose();
  const validation = await validate(epoch, run).catch(async (error) => {
    if (error instanceof StoppedError) await stopIfTold(run, steps);
    throw error;
  });
  const { step: _, steps: __, ...rest } = progress;
  const { frozen } = run;
  const metrics = { ...rest, seconds: clock.seconds, validation: { ...frozen, ...validation } };
  saving.history.push(metrics);
  await saving.save({ epoch: epoch + 1, step: 0 }, { ended: true });
  run.position = { epoch: epoch + 1, step: 0 };
  return metrics;
}

/** Predictions of each network of a run, before there are any. */
function noPredictions({ objective, split }: Job): Run["predictions"] {
  const classes = split.validation.classes.length;
  return Object.fromEntries(
    Object.keys(networksOf(objective)).map((which) => [which, new Predictions(classes)]),
  );
}

/**
 * Scores on the validation images after an epoch, counted from 0; of the last, or where they are
 * wanted, predictions, too.
 */
export async function validate(
  epoch: number,
  run: Run,
  predicting = epoch + 1 === lastEpoch(run.job),
): Promise<ByNetwork<Score>> {
  const { job: { options, split, validation }, evaluation, reporter, estimate, course } = run;
  const { part, length: total } = split.validation;
  const what = part === "test" ? "test" : "validation";
  if (predicting) run.predictions = noPredictions(run.job);
  const scores = await evaluation.scores(
    validation,
    new ImageWork({
      work: { what, total, epoch: epoch + 1, epochs: allEpochs(run.job) },
      reporter,
      estimate: { of: estimate, stage: "validation" },
      pace: run.validationPace,
    }),
    // One at a time, so that a dry run can tell the memory of it.
    predicting ? { to: run.predictions, ahead: 1 } : undefined,
    () => isStopped(course),
  );
  demandFiniteScores({ scores, epoch: epoch + 1 }, options);
  return scores;
}
