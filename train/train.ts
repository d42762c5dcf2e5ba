import type { AnySplit } from "../data/dataset.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { precisionWords } from "./precision.ts";
import { count } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { entriesOf, networkWords } from "../nn/which.ts";
import { stemOf } from "../nn/families/mod.ts";
import { learn, type Learned } from "./epochs.ts";
import { isWhole } from "./effect.ts";
import { Estimate } from "./estimate.ts";
import { fineTune, isFineTuned, type Trained } from "./fine_tuning.ts";
import { finish } from "./finish.ts";
import { isFineTuning } from "./frozen_base.ts";
import { ImageWork } from "./image_work.ts";
import { initialState, inParts, type Job, weightsOf } from "./job.ts";
import { networksOf, type Objective, pairsOf } from "./objective.ts";
import { onOwnGpu } from "./own_gpu.ts";
import { estimateStatistics } from "./norm_statistics.ts";
import { rehearse } from "./rehearsal.ts";
import { type Course, courseInMemory, stateOf } from "./resume/course.ts";
import { trainedEpochs } from "./resume/saving.ts";
import type { TrainingState } from "./resume/training_state.ts";
import type {
  EpochMetrics,
  NetworkSummary,
  Reporter,
  Score,
  Summary,
  TrainOptions,
} from "./types.ts";

/** A finished run: its summary, and the files to save, by name. */
export interface TrainResult {
  readonly summary: Summary;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What the networks say of the validation images after the last epoch. */
  readonly predictions: Learned["predictions"];
  /** The validation images, which predictions name by their places. */
  readonly validation: AnySplit["validation"];
  /** The names of the classes. */
  readonly classes: readonly string[];
  /** All epochs, those of a search before the training and of a fine-tuning after it too. */
  readonly history: readonly EpochMetrics[];
}

function networkSummary(network: Network, score: Score, { train }: AnySplit): NetworkSummary {
  return { ...score, ...count(network, train) };
}

/** Whether networks are validated on the test images of their set. */
export function isTest({ validation }: Pick<AnySplit, "validation">): boolean {
  return validation.part === "test";
}

/** The mode, and how wide the small network is. */
function inWords(options: TrainOptions, objective: Objective): string {
  const { mode, compression, widths, importance = "first" } = options;
  if (entriesOf(networksOf(objective)).every(([which]) => which === "base")) return mode;
  const alpha = typeof compression === "number" ? compression : compression.join(", ");
  // Widths of a run that chose its filters are those of its compression, or as many as were given.
  if (importance !== "first") {
    return `${mode}, compression ${alpha}, filters by ${importance}`;
  }
  return `${mode}, ${widths ? "given widths" : `compression ${alpha}`}`;
}

/** Tells what is about to be trained. `what` says it in words. */
export function announce(
  gpu: Gpu,
  { options, split, objective, notes }: Job,
  reporter: Reporter,
  what = inWords(options, objective),
): void {
  const { height, width, channels, classes } = split.train;
  reporter.start({
    adapter: gpu.adapter,
    precision: precisionWords(gpu, options.precision),
    options,
    stem: stemOf(options.model, options),
    what,
    trainImages: split.train.length,
    validationImages: split.validation.length,
    test: isTest(split),
    height,
    width,
    channels,
    classes: classes.length,
    costs: Object.fromEntries(
      Object.entries(networksOf(objective)).flatMap(([which, network]) => {
        if (objective.mode === "search" && which !== "base") return [];
        const { params, macs } = count(network, split.train);
        return [[which, { params, macs }]];
      }),
    ),
  });
  for (const note of notes) reporter.note(note);
  const whole = objective.mode === "adjoined" ? pairsOf(objective).filter(isWhole) : [];
  for (const { which } of whole) {
    reporter.note(`the ${networkWords(which)} is as wide as the base network: nothing is removed`);
  }
  const { klSchedule, smallCe, finetuneEpochs } = options;
  const late = klSchedule === "authors" && smallCe === 0 && finetuneEpochs === 0;
  if (options.mode === "adjoined" && options.epochs === 1 && late) {
    reporter.note("the small network learns nothing in a single epoch, as lambda starts at 0");
  }
}

/** Batches that statistics are estimated on where it is not told. */
const STATISTICS_BATCHES = 16;

/**
 * What a run begins with: where its small network is cut out of given weights, or it is told, with
 * statistics that are estimated on its first batches.
 */
async function withStatistics(
  gpu: Gpu,
  { objective, feed, batches, isCut, options }: Job,
  { state, reporter }: { readonly state: State; readonly reporter: Pick<Reporter, "work"> },
): Promise<State> {
  const count = options.bnBatches ?? (isCut ? STATISTICS_BATCHES : 0);
  if (count === 0 || objective.mode === "search") return state;
  const work = new ImageWork({
    work: { what: "estimating batch norms", total: count * feed.batch },
    reporter,
  });
  return await estimateStatistics(gpu, state, { objective, feed, batches, count, work });
}

/** How a job is done. */
interface Doing {
  /** Weights to start from. Default: those of the job. */
  readonly state?: State;
  /** What estimates the time that is left; knows what follows this job. */
  readonly estimate?: Estimate;
  /** What is trained, in words. */
  readonly what?: string;
  /** How it is kept from loss. Default: its states are kept in memory. */
  readonly course?: Course;
  /** The name of this run in its states. */
  readonly phase?: string;
  /** The epochs of the search before it. */
  readonly before?: readonly EpochMetrics[];
  /** Whether it was begun before on another device: then it is not announced. */
  readonly again?: boolean;
}

/** Trains the networks of a job together, and gives back the memory that took. */
async function trainTogether(
  gpu: Gpu,
  job: Job,
  { state, from, before, reporter, estimate, course, phase }: Pick<Doing, "state" | "before"> & {
    readonly from?: TrainingState;
    readonly reporter: Reporter;
    readonly estimate: Estimate;
    readonly course: Course;
    readonly phase: string;
  },
): Promise<Trained & { readonly state?: State }> {
  using scope = gpu.scope();
  const begun = state ?? initialState(job);
  const weights = weightsOf(
    scope,
    job,
    from ? begun : await withStatistics(gpu, job, { state: begun, reporter }),
  );
  const learned = await learn(gpu, job, {
    ...{ weights, reporter, estimate },
    ...{ course, phase, from, before },
  });
  const verifying = (): ImageWork =>
    new ImageWork({
      work: { what: "verification", total: job.split.validation.length },
      reporter,
      estimate: { of: estimate, stage: "verification" },
    });
  const { scores } = learned;
  const finished = await finish(gpu, job, { ...weights, scores, verifying });
  const values = isFineTuned(job) ? await weights.learner.measured.read() : undefined;
  return { ...learned, ...finished, state: values };
}

/** Does a job on a GPU: the training, and the fine-tuning of small networks after it, if any. */
export async function runJob(
  gpu: Gpu,
  job: Job,
  reporter: Reporter,
  {
    state,
    estimate = new Estimate(),
    what,
    course = courseInMemory(),
    phase = "train",
    before,
    again = false,
  }: Doing = {},
): Promise<TrainResult> {
  const { options, split, objective } = job;
  const { mode, model, dataset, seed } = options;
  const from = stateOf(course, phase);
  const started = performance.now() - (from?.seconds ?? 0) * 1000;
  if (!again) announce(gpu, job, reporter, what);
  const doing = { reporter, estimate, course, phase };
  let trained: Trained;
  if (from && isFineTuning(from)) trained = await fineTune(gpu, job, { ...doing, from });
  else {
    const { state: values, ...together } = await trainTogether(gpu, job, {
      ...{ ...doing, state, from, before },
    });
    const { scores: { base }, history, verify } = together;
    const epochs = trainedEpochs(history).length;
    const secondsBefore = (performance.now() - started) / 1000;
    trained = values && base
      ? await fineTune(gpu, job, {
        ...doing,
        begun: { state: values, before: { epochs, base, verify }, history, secondsBefore },
      })
      : together;
  }
  const { scores, predictions, history, files, verify } = trained;
  const networks = networksOf(objective);
  const summaries = entriesOf(networks).flatMap(([which, network]) => {
    const score = scores[which];
    if (!score) return [];
    const proof = verify[which];
    return [[which, { ...networkSummary(network, score, split), ...proof && { verify: proof } }]];
  });
  const summary: Summary = {
    mode,
    model,
    dataset,
    seed,
    adapter: gpu.adapter,
    epochs: trainedEpochs(history).length,
    ...isFineTuned(job) && { finetuneEpochs: options.finetuneEpochs },
    seconds: (performance.now() - started) / 1000,
    ...Object.fromEntries(summaries),
  };
  await course.keeper.settled();
  const { train: { classes }, validation } = split;
  return { summary, files, predictions, validation, classes, history };
}

/** The device of a run: one that is there, or how it is opened. Default: that of the fastest adapter. */
export interface OnDevice {
  /** Stays open. */
  readonly gpu?: Gpu;
  readonly open?: () => Promise<Gpu>;
}

/**
 * Does a job on a GPU of its own: see {@link onOwnGpu}. Raises one of the errors of `errors.ts`; then
 * there are no results, but what the course has kept.
 */
export async function train(
  job: Job,
  reporter: Reporter,
  course: Course = courseInMemory(),
  { gpu, open }: OnDevice = {},
): Promise<TrainResult> {
  return await onOwnGpu(
    {
      ...{ options: job.options, course, reporter, gpu, open },
      rehearse: (gpu, parts) => rehearse(gpu, inParts(job, parts)),
    },
    ({ gpu, parts, from, again }) =>
      runJob(gpu, inParts(job, parts), reporter, { course: { ...course, from }, again }),
  );
}
