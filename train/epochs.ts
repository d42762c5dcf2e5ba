import { curable, cure } from "../data/cure.ts";
import { entriesOf } from "../nn/which.ts";
import { augmentedBatch } from "./augmented_batch.ts";
import { validationBatches } from "../data/picture_batches.ts";
import { plural } from "../data/words.ts";
import { tileChoices } from "../kernels/conv/choices.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { trainEpoch, validate } from "./epoch.ts";
import { lastEpoch } from "./epochs_of_job.ts";
import { DivergedError } from "./errors.ts";
import type { Estimate } from "./estimate.ts";
import { ImageWork } from "./image_work.ts";
import { type Job, type JobWeights, traceEvaluation, traceSnapshots, traceStep } from "./job.ts";
import { KernelSession } from "./kernel_session.ts";
import { networksOf } from "./objective.ts";
import { Pace } from "./pace.ts";
import type { Predictions } from "./predictions.ts";
import type { Course } from "./resume/course.ts";
import { bestEpoch, Saving, trainedEpochs } from "./resume/saving.ts";
import type { TrainingState } from "./resume/training_state.ts";
import type { Run } from "./run.ts";
import type { EpochMetrics, Reporter, Score, Which } from "./types.ts";
import type { ByNetwork } from "../nn/which.ts";
import { workloads } from "./workloads.ts";

/** Failures in one run, each of which goes back to the last checkpoint, but for the last one. */
const MOST_FAILURES = 3;

/** What training has come to. */
export interface Learned {
  /** What the networks do on the validation images. */
  readonly scores: ByNetwork<Score>;
  readonly predictions: ByNetwork<Predictions>;
  /** All epochs of the run, those of a search before those of the training after it. */
  readonly history: readonly EpochMetrics[];
}

/** What a run learns with. */
export interface Learning {
  readonly weights: JobWeights;
  readonly reporter: Reporter;
  readonly estimate: Estimate;
  readonly course: Course;
  /** The name of what is learned in its training states. */
  readonly phase: string;
  /** The state of this phase that it goes on from. */
  readonly from?: TrainingState;
  /** The epochs of what came before this phase. */
  readonly before?: readonly EpochMetrics[];
  /** Seconds that the run has taken so far, where it does not go on from a state. */
  readonly secondsBefore?: number;
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
  throw curable(
    DivergedError,
    `Cannot distill from ${
      path ?? "the teacher"
    }: wanted finite outputs on ${dataset.name}, found ` +
      `a cross entropy of ${loss}`,
    cure`pass another ${{ option: "teacher" }}`,
  );
}

/** Chooses the tiles of the training step, where the program around the run can. */
async function chooseTiles(gpu: Gpu, job: Job, { weights, reporter }: Learning): Promise<void> {
  await job.chooseTiles?.(gpu, (rehearsal) => traceStep(rehearsal, job, weights), (done, total) => {
    if (done === 0) {
      reporter.note(`timing tiles for ${plural(total, "convolution")}, once for this GPU`);
    }
    reporter.work({ what: "timing tiles", done, total, unit: "convolutions" });
  });
}

/** Puts a run where a state was saved. */
function goOn(run: Run, state: TrainingState): void {
  // The state says how many steps did not count, too.
  run.step.forget();
  run.saving.restore(state);
  run.position = state.position;
  run.lost = state.tensors.get("guard")?.[3] ?? 0;
}

/**
 * After values that are no numbers: goes back to the last state at half the learning rate. Raises
 * the error where that was done often enough, or there is nothing to go back to.
 */
async function goBack(run: Run, error: DivergedError): Promise<void> {
  const { course: { keeper }, saving, reporter, job: { options } } = run;
  await keeper.settled();
  const last = await keeper.last();
  // Of a comparison, the last may be that of a run before this one, done again.
  const state = last?.phase === run.phase ? last : run.from;
  if (saving.failures + 1 === MOST_FAILURES || !state) throw error;
  goOn(run, state);
  saving.failures++;
  reporter.history?.(state.history);
  const { epoch, step } = state.position;
  const where = step ? `step ${step} of epoch ${epoch + 1}` : `the beginning of epoch ${epoch + 1}`;
  const [problem] = error.message.replace(/^Cannot go on: /, "").split("; ");
  const half = `half the learning rate: lr ${options.lr * saving.rate} at most`;
  reporter.note(`${problem}; going back to ${where}, with ${half}`);
}

/** The network whose accuracy says which epoch is best: the small one, where it is trained. */
function judged({ job: { objective } }: Run): Which {
  const names = entriesOf(networksOf(objective)).map(([which]) => which);
  return names.find((which) => which !== "base") ?? "base";
}

/** The epochs of a history that a run has trained itself; a fine-tuning not those before it. */
function ownEpochs(
  { job: { epochsBefore = 0 } }: Run,
  history: readonly EpochMetrics[],
): EpochMetrics[] {
  return trainedEpochs(history).slice(epochsBefore);
}

/** Whether all epochs are trained, or too many went by without a better network. */
function hasEnded(run: Run): boolean {
  const { patience } = run.job.options;
  const { position: { epoch, step }, saving } = run;
  if (epoch >= lastEpoch(run.job)) return true;
  if (run.gates || patience === undefined || step > 0) return false;
  const own = ownEpochs(run, saving.history);
  return own.length - 1 - bestEpoch(own, judged(run)) >= patience && own.length > 0;
}

/** Says that a run ends before its last epoch, if it does. */
function tellEarlyEnd(run: Run): void {
  const { job, saving, position, reporter } = run;
  const { options: { patience }, epochsBefore = 0 } = job;
  if (position.epoch >= lastEpoch(job) || patience === undefined) return;
  const best = epochsBefore + bestEpoch(ownEpochs(run, saving.history), judged(run)) + 1;
  reporter.note(
    `stopping after epoch ${position.epoch}: the ${judged(run)} network was never better than ` +
      `after epoch ${best}, ${plural(patience, "epoch")} ago`,
  );
}

/**
 * Puts the run at the end of the epoch whose networks are the result, and gives what they do on the
 * validation images.
 */
async function conclude(run: Run): Promise<Learned> {
  const { job: { options, objective, epochsBefore = 0 }, saving, course, reporter } = run;
  const { keeper } = course;
  const history = saving.history.slice();
  const trained = trainedEpochs(history);
  const last = trained.at(-1)?.validation ?? {};
  if (objective.mode === "search") return { scores: last, predictions: {}, history };
  const which = judged(run);
  const best = epochsBefore + bestEpoch(ownEpochs(run, history), which);
  let chosen = trained.length - 1;
  if (options.select === "best" && best >= epochsBefore && best < chosen) {
    await keeper.settled();
    const state = await keeper.best(which);
    if (state?.phase === run.phase && state.position.epoch === best + 1) {
      goOn(run, state);
      reporter.note(`taking the networks of epoch ${best + 1}, the best of the ${which} network`);
      chosen = best;
    } else reporter.note(`the checkpoint of epoch ${best + 1} is lost: taking the last networks`);
  }
  const isThere = Object.keys(run.predictions).length > 0;
  const scores = isThere && chosen === trained.length - 1
    ? last
    : await validate(chosen, run, true);
  return { scores, predictions: run.predictions, history };
}

/** Takes the work off an estimate that was done before a run went on. */
function skipDone({ job, estimate, position: { epoch, step } }: Run): void {
  const { steps, options: { batchSize }, split, epochsBefore = 0 } = job;
  const epochs = epoch - epochsBefore;
  estimate.did("training", (epochs * steps + step) * batchSize);
  estimate.did("validation", epochs * split.validation.length);
}

/** Trains all epochs, or those that are left, and gives back the memory that took. */
export async function learn(gpu: Gpu, job: Job, learning: Learning): Promise<Learned> {
  const { weights, reporter, estimate, course, phase, from, before = [] } = learning;
  estimate.start(workloads(job));
  if (from?.run.tiles) tileChoices.of(gpu).load(gpu.adapter, from.run.tiles);
  await chooseTiles(gpu, job, learning);
  reporter.note("compiling kernels: the first step takes some seconds");
  if (reporter.batch && !from && job.epochsBefore === undefined) {
    reporter.batch(await augmentedBatch(gpu, job));
  }
  using scope = gpu.scope();
  const step = await traceStep(scope, job, weights);
  const evaluation = await traceEvaluation(scope, job, weights);
  const { gates, frozen } = weights;
  const snapshots = await traceSnapshots(scope, weights, step);
  const run: Run = {
    ...{ job, course, phase, from, step, evaluation, gates, reporter, estimate },
    frozen: frozen && { base: frozen.before.base },
    validationPace: new Pace(),
    predictions: {},
    saving: new Saving({
      ...{ gpu, job, phase, course, snapshots },
      history: before,
      secondsBefore: from?.seconds ?? learning.secondsBefore ?? 0,
      failures: from?.numbers.failures ?? 0,
    }),
    position: { epoch: job.epochsBefore ?? 0, step: 0 },
    lost: 0,
    warm: false,
  };
  if (from) goOn(run, from);
  else await run.saving.save(run.position);
  skipDone(run);
  while (!hasEnded(run)) {
    try {
      reporter.epoch(await trainEpoch(run));
    } catch (error) {
      if (!(error instanceof DivergedError)) throw error;
      await demandFiniteTeacher(gpu, job, reporter);
      await goBack(run, error);
    }
  }
  tellEarlyEnd(run);
  return await conclude(run);
}
