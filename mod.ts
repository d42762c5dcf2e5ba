/**
 * Trains a convolutional network and its compressed twin together, on shared weights, with WebGPU:
 * adjoined networks, arXiv 2006.05624. The small network comes out physically small, and is
 * compared with the one that was measured.
 *
 * {@link train} trains, {@link search} learns widths within a budget first, {@link evaluate} measures,
 * {@link predict} says what pictures show, and {@link exportOnnx} gives a file for others.
 *
 * ```ts
 * import { exportOnnx, generatedSplit, train } from "@adjoin/adjoin";
 *
 * const data = generatedSplit({ train: 32, validation: 16, size: 16, seed: 0 });
 * const { networks } = await train({ data, model: "resnet8", epochs: 1, batchSize: 16 });
 * console.log(networks.small.top1, exportOnnx(networks.small).length);
 * ```
 *
 * A network is data: {@link model} gives one of a family, {@link network} one of one's own.
 *
 * ```ts
 * import { adjoin, count, model } from "@adjoin/adjoin";
 *
 * const { base, small } = adjoin(model("resnet50", { classes: 1000 }), { compression: 4 });
 * const image = { height: 224, width: 224 };
 * console.log(count(base, image).params, count(small, image).params); // 25603976 2280584
 * ```
 *
 * Training by hand takes a {@link Gpu}, a {@link Learner} with the weights, and a {@link TrainingStep}
 * that is traced once and replayed for each batch; a search {@link Gates} besides.
 *
 * Nothing here reads files, prints, or needs a permission; it runs in Deno and in browsers.
 *
 * @module
 */

// What one calls: training, searching, measuring, asking and exporting in one function each.
export { evaluate, type Evaluated, type EvaluateSettings } from "./library/evaluate.ts";
export type { BySmall, NetworksOf, Together } from "./library/networks_of.ts";
export { predict, type PredictSettings } from "./library/predict.ts";
export { type FoundWidths, search, type Searched, type SearchedOf } from "./library/search.ts";
export type { CommonSettings, SearchOnlySettings, TrainOnlySettings } from "./library/settings.ts";
export { train, type Trained } from "./library/train.ts";
export type { RunEvent, TrainingRun } from "./library/training_run.ts";
export type {
  CostOf,
  Mode,
  RunSettings,
  SearchSettings,
  TrainSettings,
} from "./library/run_settings.ts";

// Parts, which are also exported by themselves.
export * from "./parts/kernels.ts";
export * from "./parts/nn.ts";
export * from "./parts/data.ts";
export * from "./parts/onnx.ts";

// Training: the weights, one step, schedules, the proof, and files.
export type { Limited, NetworkWidths, WidthsFile } from "./export/widths_file.ts";
export { encodeCheckpoint, parseCheckpoint } from "./export/checkpoint.ts";
export { picturePreparation } from "./export/picture_preparation.ts";
export type { Described, Mistake, NamedScore } from "./train/described.ts";
export type { SearchedNetwork } from "./train/limited_cost.ts";
export type { WidthsByName } from "./train/small_widths.ts";
export type {
  EpochMetrics,
  NetworkSummary,
  Progress,
  Summary,
  Work as RunWork,
} from "./train/types.ts";
export { parseNetworks } from "./train/resume/state_networks.ts";
export { DivergedError, StoppedError, UsageError, VerificationError } from "./train/errors.ts";
export { Gates, type GatesSchedule } from "./train/gates.ts";
export type { Mixing, Stage } from "./train/augment/stage.ts";
export type { Feed, ImageShape } from "./train/image_feed.ts";
export {
  applying,
  Learner,
  type LearnerOptions,
  type OptimizerOptions,
  Weights,
} from "./train/learner.ts";
export {
  type Logits,
  logitsOf,
  type LossInputs,
  lossOf,
  networksOf,
  type Objective,
  type SmallLearning,
  specsOf,
} from "./train/objective.ts";
export {
  KL_SCHEDULES,
  type KlScheduleOptions,
  klWeightAt,
  lambdaAt,
  type Rate,
  rateAt,
  type ScheduleOptions,
  SCHEDULES,
} from "./train/schedule.ts";
export {
  DIVERGENCE_PARTS,
  DIVERGENCES,
  isPapers,
  type PairLoss,
  PAPER_LOSS,
} from "./train/divergences.ts";
export {
  type Loss,
  type LossOperands,
  recordPairLoss,
  recordTaughtLoss,
} from "./train/pair_loss.ts";
export { type ClassScore, classScores, macroScore } from "./train/class_scores.ts";
export { Evaluation, type Predicting } from "./train/evaluation.ts";
export { type Labelled, type Prediction, Predictions } from "./train/predictions.ts";
export { type ScoredOn, taylorScores } from "./train/filter_scores.ts";
export { type EstimatedOn, estimateStatistics } from "./train/norm_statistics.ts";
export type { ImageWork } from "./train/image_work.ts";
export { Classifier, type ClassifyOptions, type FoundClass } from "./train/classifier.ts";
export type { Lost } from "./train/guard.ts";
export type { Stateful } from "./train/resume/stateful.ts";
export {
  type StepNumbers,
  type StepOptions,
  type Teacher,
  type TrainingMeans,
  TrainingStep,
} from "./train/step.ts";
export type { GatesState, Score, Verification } from "./train/types.ts";
export {
  compare,
  compareAll,
  demandEqual,
  type Extracted,
  TOLERANCE,
  type Twins,
} from "./train/verify.ts";
