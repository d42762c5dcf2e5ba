import { TrainingBatches, ValidationBatches } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import { openDataset } from "../data/folder.ts";
import { Random } from "../data/random.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import type { State } from "../nn/parameters.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import { demandWarmup } from "./effect.ts";
import type { Gates } from "./gates.ts";
import { type Given, loadGiven } from "./given.ts";
import { startFrom } from "./init.ts";
import { Learner, Weights } from "./learner.ts";
import { normalized } from "./pixel_normalization.ts";
import { networksOf, type Objective, specsOf } from "./objective.ts";
import { adjoinedOf, augmentation, loadTeacher, objectiveOf, optimizer } from "./setup.ts";
import { Evaluation } from "./evaluation.ts";
import { type Feed } from "./image_feed.ts";
import { type Teacher, TrainingStep } from "./step.ts";
import type { TrainOptions } from "./types.ts";

/** A run before it has anything on the GPU. */
export interface Job {
  readonly options: TrainOptions;
  readonly split: Split;
  readonly adjoined: Adjoined;
  readonly objective: Objective;
  /** Of mode `distill`. */
  readonly teacher?: Checkpoint;
  /** Weights to start from, instead of those drawn from the seed. */
  readonly start?: State;
  /** What there is to say of weights and images, a sentence each. */
  readonly notes: readonly string[];
  readonly batches: TrainingBatches;
  readonly validation: ValidationBatches;
  readonly feed: Feed;
  readonly validationFeed: Feed;
}

/** Reads data and teacher, and builds the networks. */
export async function openJob(options: TrainOptions): Promise<Job> {
  const { dataset, dataDir, seed, trainSize, valSize, valSplit, mode } = options;
  const given = await loadGiven(options);
  const opened = await openDataset(dataset, {
    dataDir,
    seed,
    trainCount: trainSize,
    validationCount: valSize,
    validationSplit: valSplit,
  });
  const { split, notes } = normalized(options, opened, given);
  const teacher = mode === "distill" && options.teacher
    ? await loadTeacher(options.teacher, split)
    : undefined;
  return jobOn(split, options, { teacher, given, notes: [...opened.notes, ...notes] });
}

/** What a run reads besides its images. */
export interface Read {
  /** Of mode `distill`. */
  readonly teacher?: Checkpoint;
  /** Weights to start from. */
  readonly given?: Given;
  /** What there is to say of the images. */
  readonly notes?: readonly string[];
}

/** Builds the networks for data that has been read. */
export function jobOn(split: Split, options: TrainOptions, read: Read = {}): Job {
  const { teacher, given, notes = [] } = read;
  const { seed, batchSize: batch } = options;
  const { train, validation, normalization } = split;
  const adjoined = adjoinedOf(options, split);
  const augment = augmentation(options, train);
  const image = { height: train.height, width: train.width };
  const feed = { dataset: train, normalization, batch, image };
  const objective = objectiveOf(options, adjoined, teacher);
  const batches = new TrainingBatches({ dataset: train, batch, seed, augment });
  demandWarmup(options, batches.length);
  const start = given && startFrom(given, options, { objective, adjoined });
  return {
    options,
    split,
    adjoined,
    objective,
    teacher,
    start: start?.state,
    notes: [...start?.notes ?? [], ...notes],
    batches,
    validation: new ValidationBatches({ dataset: validation, batch }),
    feed,
    validationFeed: { ...feed, dataset: validation },
  };
}

/** The weights that a run begins with: drawn from its seed, unless they are given. */
export function initialState({ options: { seed }, adjoined, objective, start }: Job): State {
  const normal = new Random(seed, "initial weights");
  const networks = networksOf(objective);
  const network = networks.base ?? networks.small ?? adjoined.base;
  const drawn = initialize(specsOf(objective), network, () => normal.normal());
  return new Map([...drawn, ...start ?? []]);
}

/** Weights of a run on the GPU. */
export interface JobWeights {
  readonly learner: Learner;
  readonly teacher?: Teacher;
  /** Of a search. */
  readonly gates?: Gates;
}

/** Takes memory for all weights, and writes `state` into those that learn. */
export function weightsOf(
  scope: Scope,
  { options, objective, teacher }: Job,
  state: State,
): JobWeights {
  const specs = specsOf(objective);
  return {
    learner: new Learner(scope, { specs, state, optimizer: optimizer(options) }),
    teacher: teacher && {
      weights: new Weights(scope, networkSpecs(teacher.network), teacher.state),
      normalization: teacher.normalization,
    },
  };
}

/** Traces the training step of a run. */
export function traceStep(
  scope: Scope,
  { options, objective, feed }: Job,
  weights: JobWeights,
): Promise<TrainingStep> {
  const labelSmoothing = options.smoothing;
  return TrainingStep.trace(scope, { ...weights, objective, feed, labelSmoothing });
}

/** Traces the evaluation of a run. */
export function traceEvaluation(
  scope: Scope,
  { objective, validationFeed: feed }: Job,
  { learner, gates }: JobWeights,
): Promise<Evaluation> {
  return Evaluation.trace(scope, { objective, weights: learner, gates, feed });
}
