import type { EpochBatches, WholeBatches } from "../data/batch.ts";
import { balancedWeights } from "../data/order.ts";
import { trainingBatches, validationBatches } from "../data/picture_batches.ts";
import { curable, cure } from "../data/cure.ts";
import type { AnySplit } from "../data/dataset.ts";
import { demandBatch } from "../data/epoch_walk.ts";
import { Random } from "../data/random.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import { augmentationPlan } from "./augment/plan.ts";
import { demandWarmup } from "./effect.ts";
import { UsageError } from "./errors.ts";
import { Evaluation } from "./evaluation.ts";
import type { Gates } from "./gates.ts";
import type { Given } from "./given.ts";
import { drawsOf, type Feed } from "./image_feed.ts";
import type { FrozenBase } from "./frozen_base.ts";
import { startFrom } from "./init.ts";
import { Learner, type OptimizerOptions, Weights } from "./learner.ts";
import { networksOf, type Objective, specsOf } from "./objective.ts";
import { lossFor, taughtLossFor } from "./loss_of_options.ts";
import { pairsFor } from "./pair.ts";
import { precisionOn } from "./precision.ts";
import { Snapshots } from "./resume/snapshots.ts";
import { type Teacher, TrainingStep } from "./step.ts";
import type { TrainOptions } from "./types.ts";

/**
 * Chooses tiles for the convolutions that `rehearse` traces, out of what is known of a GPU or by
 * timing them; `progress` is told how many there are to time, before the first and after each.
 */
export type ChooseTiles = (
  gpu: Gpu,
  rehearse: (scope: Scope) => Promise<unknown>,
  progress: (done: number, all: number) => void,
) => Promise<void>;

/** Data that the program around a run has read for it. */
export interface RunInputs {
  /** The images, with the normalisation of the run. */
  readonly split: AnySplit;
  /** The teacher of mode `distill`. */
  readonly teacher?: Checkpoint;
  /** The base network, where a file has it; else the options describe it. */
  readonly network?: Network;
  /** Weights to start from. */
  readonly given?: Given;
  /** Of a search: how much each class of channels matters; else the first ones do. */
  readonly ranks?: readonly number[];
  /** Remarks on the images, a sentence each. */
  readonly notes?: readonly string[];
  /** Where it is missing, tiles are estimated. */
  readonly chooseTiles?: ChooseTiles;
}

/** A run before it has anything on the GPU. */
export interface Job {
  readonly options: TrainOptions;
  readonly split: AnySplit;
  /** The base network, where it is one of a file. */
  readonly network?: Network;
  /** A pair for each small network. */
  readonly pairs: readonly Adjoined[];
  /** The first of them: the one that is meant where one network is trained. */
  readonly adjoined: Adjoined;
  readonly objective: Objective;
  /** The teacher of mode `distill`. */
  readonly teacher?: Checkpoint;
  /** Of a fine-tuning: the epochs that were trained before it. */
  readonly epochsBefore?: number;
  /** Weights to start from, instead of those drawn from the seed. */
  readonly start?: State;
  /** Whether its small network is cut out of the weights to start from. */
  readonly isCut: boolean;
  /** Of a search: how much each class of channels matters; else the first ones do. */
  readonly ranks?: readonly number[];
  /** Remarks on weights and images, a sentence each. */
  readonly notes: readonly string[];
  /** Batches of a step, and how many there are of these in an epoch. */
  readonly accumulation: number;
  readonly steps: number;
  /** Batches that are computed at once: parts of a step where there is an accumulation. */
  readonly batches: EpochBatches;
  readonly validation: WholeBatches;
  readonly feed: Feed;
  readonly validationFeed: Feed;
  readonly chooseTiles?: ChooseTiles;
}

/** The optimiser that the options name. */
export function optimizer({ opt, weightDecay, nesterov }: TrainOptions): OptimizerOptions {
  return opt === "sgd"
    ? { name: "sgd", weightDecay, nesterov }
    : { name: "adamw", weightDecay, beta2: 0.99, eps: 1e-6 };
}

/** The objective of a run: networks, and what they are trained on. */
export function objectiveOf(
  options: TrainOptions,
  pairs: readonly Adjoined[],
  teacher?: Checkpoint,
): Objective {
  const [adjoined] = pairs;
  switch (options.mode) {
    case "adjoined":
      return { mode: "adjoined", adjoined: pairs, detach: options.detach, loss: lossFor(options) };
    case "plain":
      return { mode: "plain", which: options.which, network: adjoined[options.which] };
    case "distill":
      if (!teacher) {
        throw curable(
          UsageError,
          "Cannot distill: wanted a teacher, found none",
          cure`pass a ${{ option: "teacher" }}`,
        );
      }
      return {
        ...{ mode: "distill", which: "small", network: adjoined.small, teacher: teacher.network },
        loss: taughtLossFor(options),
      };
  }
}

/**
 * The batches of a step: 1 where as few as fit are wanted. Raises a `UsageError` where the batch cannot
 * be split into so many.
 */
function accumulationOf({ gradAccumSteps, batchSize }: TrainOptions): number {
  const parts = gradAccumSteps === "auto" ? 1 : Number(gradAccumSteps);
  if (batchSize % parts === 0) return parts;
  throw curable(
    UsageError,
    `Cannot split a batch of ${batchSize} images into ${parts} parts of as many each`,
    cure`choose ${{ option: "gradAccumSteps" }} so that it divides ${{ option: "batchSize" }}`,
  );
}

/** What a job computes batches from. */
type Batching = Pick<
  Job,
  "accumulation" | "steps" | "batches" | "validation" | "feed" | "validationFeed"
>;

function batchingOf(
  options: TrainOptions,
  { train, validation, normalization }: AnySplit,
): Batching {
  const { seed, batchSize, sampler, interpolation } = options;
  const accumulation = accumulationOf(options);
  const batch = batchSize / accumulation;
  const image = { height: train.height, width: train.width };
  const plan = augmentationPlan(options, { ...image, normalization });
  const { crop: augment, stages, mixing } = plan;
  const draws = drawsOf({ stages, mixing });
  demandBatch(batchSize, train);
  const batches = trainingBatches({ dataset: train, batch, seed, sampler, augment, draws });
  return {
    accumulation,
    steps: Math.floor(batches.length / accumulation),
    batches,
    validation: validationBatches({ dataset: validation, batch }),
    feed: { dataset: train, normalization, batch, image, interpolation, stages, mixing },
    validationFeed: { dataset: validation, normalization, batch, image, interpolation },
  };
}

/** Builds the networks of a run, and all else that it needs before it has a GPU. */
export function jobOn(inputs: RunInputs, options: TrainOptions): Job {
  const { split, teacher, network, given, ranks, notes = [], chooseTiles } = inputs;
  const pairs = pairsFor(options, split.train, network);
  const [adjoined] = pairs;
  const objective = objectiveOf(options, pairs, teacher);
  const batching = batchingOf(options, split);
  demandWarmup(options, batching.steps);
  const start = given && startFrom(given, options, { objective, pairs });
  return {
    options,
    split,
    network,
    pairs,
    adjoined,
    objective,
    teacher,
    start: start?.state,
    ranks,
    isCut: start?.isCut ?? false,
    notes: [...start?.notes ?? [], ...notes],
    ...batching,
    chooseTiles,
  };
}

/** The same job with its batches computed in so many parts, which have to divide them. */
export function inParts(job: Job, parts: number): Job {
  const options = { ...job.options, gradAccumSteps: String(parts) };
  return { ...job, options, ...batchingOf(options, job.split) };
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
  /** Gates of a search. */
  readonly gates?: Gates;
  /** The base network of a fine-tuning. */
  readonly frozen?: FrozenBase;
}

/** Takes memory for what learns, and writes `state` there. */
export function learnerOf(scope: Scope, { options, objective }: Job, state: State): Learner {
  return new Learner(scope, {
    specs: specsOf(objective),
    state,
    optimizer: optimizer(options),
    normDecay: options.normDecay,
    // What a search finds are widths; its weights are a beginning.
    averageDecay: objective.mode === "search" ? undefined : options.modelEmaDecay,
  });
}

/** Takes memory for all weights, and writes `state` into those that learn. */
export function weightsOf(
  scope: Scope,
  job: Job,
  state: State,
): JobWeights {
  const { teacher } = job;
  return {
    learner: learnerOf(scope, job, state),
    teacher: teacher && {
      weights: new Weights(scope, networkSpecs(teacher.network), teacher.state),
      normalization: teacher.normalization,
    },
  };
}

/** Traces the training step of a run. */
export function traceStep(
  scope: Scope,
  { options, objective, feed, accumulation }: Job,
  weights: JobWeights,
): Promise<TrainingStep> {
  const { smoothing: labelSmoothing, clipGrad: clip } = options;
  const { labels, classes } = feed.dataset;
  const classWeights = options.classWeights === "balanced"
    ? Array.from(balancedWeights(labels, classes.length))
    : undefined;
  return TrainingStep.trace(scope, {
    ...{ learner: weights.learner, teacher: weights.teacher, gates: weights.gates },
    ...{ objective, feed, labelSmoothing, classWeights },
    ...{ accumulation, clip, sandwich: options.sandwich },
    precision: precisionOn(scope.gpu, options.precision),
  });
}

/** Traces the evaluation of a run. */
export function traceEvaluation(
  scope: Scope,
  { objective, validationFeed: feed }: Job,
  { learner, gates }: JobWeights,
): Promise<Evaluation> {
  return Evaluation.trace(scope, { objective, weights: learner.measured, gates, feed });
}

/** Traces what reads all that a run goes on from. */
export function traceSnapshots(
  scope: Scope,
  { learner, gates, frozen }: JobWeights,
  step: TrainingStep,
): Promise<Snapshots> {
  const more = [...gates ? [gates] : [], ...frozen ? [frozen] : []];
  return Snapshots.trace(scope, [learner, step, ...more]);
}
