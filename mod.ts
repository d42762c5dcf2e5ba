/**
 * Trains a convolutional network and its compressed twin together, on shared weights, with WebGPU:
 * adjoined networks, arXiv 2006.05624. The small network comes out physically small, and is
 * compared with the one that was measured.
 *
 * A network is data: {@link model} gives one of the ResNets, {@link network} one of one's own.
 *
 * ```ts
 * import { adjoin, count, model } from "@adjoin/adjoin";
 *
 * const { base, small } = adjoin(model("resnet50", { classes: 1000 }), { compression: 4 });
 * const image = { height: 224, width: 224 };
 * console.log(count(base, image).params, count(small, image).params); // 25603976 2280584
 * ```
 *
 * Training takes a {@link Gpu}, a {@link Learner} with the weights, and a {@link TrainingStep} that
 * is traced once and replayed for each batch.
 *
 * ```ts
 * import {
 *   adjoin,
 *   adjoinedSpecs,
 *   generatedSplit,
 *   Gpu,
 *   initialize,
 *   Learner,
 *   model,
 *   Random,
 *   TrainingBatches,
 *   TrainingStep,
 * } from "@adjoin/adjoin";
 *
 * const { train, normalization } = generatedSplit({ train: 16, validation: 1, size: 16, seed: 0 });
 * const adjoined = adjoin(model("resnet8", { classes: 10 }), { compression: 4 });
 * const random = new Random(0, "initial weights");
 * const specs = adjoinedSpecs(adjoined);
 *
 * const gpu = await Gpu.open();
 * using scope = gpu.scope();
 * const learner = new Learner(scope, {
 *   specs,
 *   state: initialize(specs, adjoined.base, () => random.normal()),
 *   optimizer: { name: "sgd", weightDecay: 1e-4, nesterov: false },
 * });
 * const step = await TrainingStep.trace(scope, {
 *   objective: { mode: "adjoined", adjoined, detach: false },
 *   learner,
 *   feed: { dataset: train, normalization, batch: 8, image: { height: 16, width: 16 } },
 *   labelSmoothing: 0,
 * });
 * for (const batch of new TrainingBatches({ dataset: train, batch: 8, seed: 0 }).epoch(0)) {
 *   step.run(batch, { lr: 0.1, momentum: 0.9, lambda: 1 });
 * }
 * const { crossEntropy, kl, scores } = await step.read();
 * console.log(crossEntropy, kl, scores.base?.top1, scores.small?.top1);
 * ```
 *
 * The widths of the small network can be learned within a budget: {@link searchable} prepares a
 * network, {@link Gates} choose.
 *
 * Nothing here reads files, prints, or needs a permission; it runs in Deno and in browsers.
 *
 * @module
 */

// What one calls: training, searching, measuring, asking and exporting in one function each.
export { evaluate, type Evaluated, type EvaluateSettings } from "./library/evaluate.ts";
export { exportOnnx, type ExportOnnxSettings } from "./library/export_onnx.ts";
export type { BySmall, NetworksOf, Together } from "./library/networks_of.ts";
export { predict, type PredictSettings } from "./library/predict.ts";
export type {
  CostOf,
  Mode,
  RunSettings,
  SavedNetwork,
  SearchSettings,
  TrainSettings,
} from "./library/run_settings.ts";
export { type FoundWidths, search, type Searched, type SearchedOf } from "./library/search.ts";
export type { CommonSettings, SearchOnlySettings, TrainOnlySettings } from "./library/settings.ts";
export { train, type Trained } from "./library/train.ts";
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
export type { DatasetName } from "./data/recipes.ts";
export type { Limited, NetworkWidths, WidthsFile } from "./export/widths_file.ts";
export type { RunEvent, TrainingRun } from "./library/training_run.ts";

// The GPU, and what an op of one's own is made of.
export { Choices, type SavedChoices } from "./kernels/conv/choices.ts";
export type { ProductDirection, Work } from "./kernels/conv/work.ts";
export type { Geometry, Pair, Sides } from "./kernels/wgsl/geometry.ts";
export { type FilterTile, type ProductTile, TILING, type Tiling } from "./kernels/conv/tiles.ts";
export { tune, type Tuned, type TuneOptions } from "./kernels/conv/tuning.ts";
export {
  DeviceLostError,
  type FailedAllocation,
  Gpu,
  GpuError,
  type GpuOptions,
  NoAdapterError,
  OutOfMemoryError,
} from "./kernels/gpu.ts";
export { Device, type Live } from "./kernels/gpu/device.ts";
export type { OpenedDevice } from "./kernels/gpu/open_device.ts";
export type { Pipeline } from "./kernels/gpu/pipeline.ts";
export type { Assembled, Binding } from "./kernels/gpu/assemble.ts";
export {
  defineKernel,
  type Kernel,
  type Loads,
  type Read,
  type Write,
} from "./kernels/gpu/kernel.ts";
export type {
  Case,
  Context,
  FusibleGradient,
  Gradient,
  Input,
  Op,
  PendingGradient,
  Values,
  Vjp,
} from "./kernels/op.ts";
export type { EpilogueOperands } from "./kernels/wgsl/epilogue.ts";
export { nullDevice } from "./kernels/gpu/null_device.ts";
export type { Block, ConvolutionPreset } from "./kernels/conv/convolution_preset.ts";
export type { AdapterKind, DevicePreset } from "./kernels/gpu/device_preset.ts";
export type { ReductionPreset } from "./kernels/wgsl/reduction_preset.ts";
export { GPU, type Preset, SOFTWARE } from "./kernels/preset.ts";
export type { Action } from "./kernels/program/action.ts";
export { Program } from "./kernels/program/program.ts";
export { profile, type Timing } from "./kernels/program/timing.ts";
export { Scope } from "./kernels/program/scope.ts";
export { type ElementType, type Storage, Tensor } from "./kernels/gpu/tensor.ts";
export {
  type Clear,
  type Command,
  type Copy,
  type Dispatch,
  type Operands,
  Trace,
} from "./kernels/program/trace.ts";

// The ops, and what they take besides tensors.
export * from "./kernels/mod.ts";
export type {
  ActivationAttributes,
  FusedActivation,
  LeakyReluAttributes,
} from "./kernels/ops/activations.ts";
export type { AddAttributes } from "./kernels/ops/add.ts";
export type { AdjoinedLossAttributes } from "./kernels/ops/adjoined_loss.ts";
export type { AugmentAttributes } from "./kernels/ops/augment.ts";
export type { AdaptiveAvgPool2dAttributes } from "./kernels/ops/adaptive_avg_pool2d.ts";
export type { AvgPool2dAttributes } from "./kernels/ops/avg_pool2d.ts";
export type { BatchNormAttributes, BatchNormTrainingAttributes } from "./kernels/ops/batch_norm.ts";
export type { BiasAttributes } from "./kernels/ops/bias.ts";
export type { ConcatAttributes } from "./kernels/ops/concat.ts";
export type { Conv2dAttributes, MaskedConv2dAttributes } from "./kernels/ops/conv2d.ts";
export type { CrossEntropyAttributes } from "./kernels/ops/soft_target.ts";
export { type GateChannelsAttributes, MAX_CANDIDATES } from "./kernels/ops/gate_channels.ts";
export type { DropoutAttributes } from "./kernels/ops/dropout.ts";
export type { DropPathAttributes } from "./kernels/ops/drop_path.ts";
export type { GateEachChannelAttributes } from "./kernels/ops/gate_each_channel.ts";
export type { EraseAttributes } from "./kernels/ops/erase.ts";
export type { GlobalAvgPool2dAttributes } from "./kernels/ops/global_avg_pool2d.ts";
export type { LayerNormAttributes } from "./kernels/ops/layer_norm.ts";
export type { LinearAttributes } from "./kernels/ops/linear.ts";
export type { MaxPool2dAttributes } from "./kernels/ops/max_pool2d.ts";
export type { MultiplyAttributes } from "./kernels/ops/multiply.ts";
export type { NarrowAttributes } from "./kernels/ops/narrow.ts";
export type { GuardAttributes } from "./kernels/ops/guard_step.ts";
export type { AdamwAttributes, SgdAttributes } from "./kernels/ops/optimizers.ts";
export type { OverNorm } from "./kernels/ops/norm_activation.ts";
export type { NormalizePixelsAttributes } from "./kernels/ops/normalize_pixels.ts";
export type { RandAugmentAttributes } from "./kernels/ops/rand_augment.ts";
export type { PixelNormalization } from "./kernels/ops/pixel_bytes.ts";
export type { ReluAttributes } from "./kernels/ops/relu.ts";
export type { ScaleChannelsAttributes } from "./kernels/ops/scale_channels.ts";
export type { SamplePicturesAttributes } from "./kernels/ops/sample_pictures.ts";
export type { SelectAttributes } from "./kernels/ops/select.ts";
export type { Upsample2dAttributes } from "./kernels/ops/upsample2d.ts";

// Networks: what they are, what they cost, how they are run, and the small one inside.
export {
  adjoin,
  type Adjoined,
  type AdjoinOptions,
  type SeveralOptions,
  type SmallOptions,
  type Widths,
  widthsOf,
} from "./nn/compress/adjoin.ts";
export { adjoinedSpecs, extract } from "./nn/compress/adjoined_state.ts";
export {
  filterScores,
  type Importance,
  IMPORTANCES,
  importantFilters,
  type ScoredBy,
  withFilters,
} from "./nn/compress/importance.ts";
export { cutPretrained, withSmallNorms } from "./nn/compress/pretrained_small.ts";
export { pruneByMagnitude, type Pruned } from "./nn/compress/prune.ts";
export type { Channels, KeptChannels } from "./nn/compress/small_builder.ts";
export { runAdjoined, runPairs } from "./nn/compress/run_adjoined.ts";
export {
  type Count,
  count,
  countLayers,
  type ImageSize,
  type LayerCount,
  sizesOf,
} from "./nn/count.ts";
export { type DropOptions, withDrops } from "./nn/drops.ts";
export { runNetwork, type Running, type Soft } from "./nn/forward.ts";
export type { AddLayer } from "./nn/layers/add.ts";
export type {
  AdaptiveAvgPool2dLayer,
  AdaptiveAvgPool2dOptions,
} from "./nn/layers/adaptive_avg_pool2d.ts";
export type { AvgPool2dLayer, AvgPool2dOptions } from "./nn/layers/avg_pool2d.ts";
export type { BatchNormLayer, BatchNormOptions } from "./nn/layers/batch_norm.ts";
export type { ChannelShuffleLayer, ChannelShuffleOptions } from "./nn/layers/channel_shuffle.ts";
export type { ConcatLayer } from "./nn/layers/concat.ts";
export type { Conv2dLayer, Conv2dOptions } from "./nn/layers/conv2d.ts";
export type { DropoutLayer, DropoutOptions } from "./nn/layers/dropout.ts";
export type { DropPathLayer, DropPathOptions } from "./nn/layers/drop_path.ts";
export type {
  GlobalAvgPool2dLayer,
  GlobalAvgPool2dOptions,
} from "./nn/layers/global_avg_pool2d.ts";
export type { LinearLayer, LinearOptions } from "./nn/layers/linear.ts";
export type { Relu6Layer } from "./nn/layers/relu6.ts";
export type { LeakyReluLayer, LeakyReluOptions } from "./nn/layers/leaky_relu.ts";
export type { SigmoidLayer } from "./nn/layers/sigmoid.ts";
export type { HardSigmoidLayer } from "./nn/layers/hard_sigmoid.ts";
export type { SiluLayer } from "./nn/layers/silu.ts";
export type { HardSwishLayer } from "./nn/layers/hard_swish.ts";
export type { GeluLayer } from "./nn/layers/gelu.ts";
export type { MultiplyLayer } from "./nn/layers/multiply.ts";
export type { ScaleLayer, ScaleOptions } from "./nn/layers/scale.ts";
export type { LayerNormLayer, LayerNormOptions } from "./nn/layers/layer_norm.ts";
export type { LayerMethods } from "./nn/layers/mod.ts";
export type { MaxPool2dLayer, MaxPool2dOptions } from "./nn/layers/max_pool2d.ts";
export type { NarrowLayer } from "./nn/layers/narrow.ts";
export type { SelectLayer, SelectOptions } from "./nn/layers/select.ts";
export type { ReluLayer } from "./nn/layers/relu.ts";
export type { Upsample2dLayer, Upsample2dOptions } from "./nn/layers/upsample2d.ts";
export { fromTorch, type TorchTensor, toTorch } from "./nn/layout.ts";
export {
  channelsOf,
  classesOf,
  IMAGE,
  type Layer,
  type Network,
  network,
  type NetworkBuilder,
  type Value,
} from "./nn/network.ts";
export { encodeNetwork, parseNetwork } from "./nn/network_json.ts";
export { Parameters, type ParameterSpec, type State } from "./nn/parameters.ts";
export {
  fitPretrained,
  type Foreign,
  type NamePair,
  type Pretrained,
  type TorchTensors,
} from "./nn/pretrained.ts";
export {
  model,
  MODEL_NAMES,
  type ModelOptions,
  resnet,
  type ResNetOptions,
  type Stem,
  torchvisionNames,
  type Variant,
} from "./nn/families/mod.ts";
export { narrowState, runSearch, type Search, searchable } from "./nn/compress/searchable.ts";
export { initialize, networkSpecs, networkState, type StateSpecs } from "./nn/state.ts";
export { type Apply, Tape } from "./nn/tape.ts";
export type { ByNetwork, SmallName, Which } from "./nn/which.ts";
export {
  type Choice,
  chooseWidths,
  entropyOf,
  type Feasible,
  feasible,
  logitsAt,
  softmax,
} from "./nn/compress/width_choice.ts";
export {
  type Budgeted,
  costOf,
  costOfChoice,
  CostSum,
  type CostTerm,
  costTerms,
  type WidthCost,
  widthCost,
} from "./nn/compress/width_cost.ts";
export { correctedCost, latencyCost, layersToTime } from "./nn/compress/latency_cost.ts";
export { layersKey, type LayerTable, type TimedLayers } from "./nn/compress/layer_works.ts";
export type { Candidates, Extent, Part } from "./nn/compress/width_extents.ts";
export type { Gate, InputGate, PlacedGates } from "./nn/compress/width_gates.ts";
export {
  chosenWidths,
  type WidthGroups,
  widthGroups,
  type WidthOptions,
} from "./nn/compress/width_groups.ts";
export type { Place, Placed, Places, WidthGroup } from "./nn/compress/width_places.ts";

// Training: the weights, one step, schedules, the proof, and files.
export { type Checkpoint, encodeCheckpoint, parseCheckpoint } from "./export/checkpoint.ts";
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
export type { CheckpointInfo } from "./export/metadata.ts";
export { picturePreparation } from "./export/picture_preparation.ts";
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

// Data: sets of images, batches of them, random numbers, files in memory.
export {
  centralCrop,
  type CentralCropOptions,
  cropFlip,
  type CropFlipOptions,
  type CropWriter,
  type FlipOptions,
  identity,
  randomResizedCrop,
  type RandomResizedCropOptions,
} from "./data/augment.ts";
export type { Batch, Batches, EpochBatches, WholeBatches } from "./data/batch.ts";
export {
  TrainingBatches,
  type TrainingOptions,
  ValidationBatches,
  type ValidationOptions,
} from "./data/batches.ts";
export { CIFAR100_CLASSES, CIFAR10_CLASSES, parseCifar10, parseCifar100 } from "./data/cifar.ts";
export {
  type AnySplit,
  checkDataset,
  concatenate,
  type CountedDataset,
  type Dataset,
  type DatasetPart,
  IMAGENET,
  type ImageSet,
  measureNormalization,
  type Normalization,
  type Split,
  take,
} from "./data/dataset.ts";
export { epochOrder, type OrderOptions, type Sampler, SAMPLERS } from "./data/order.ts";
export type { Curable, Cure, OptionName } from "./data/cure.ts";
export type { Draw, Streams } from "./data/draws.ts";
export { DataError } from "./data/error.ts";
export {
  type GeneratedOptions,
  generatedSplit,
  type GeneratedSplitOptions,
  generateImages,
} from "./data/generated.ts";
export { gunzip } from "./data/gzip.ts";
export {
  type IdxArray,
  idxDataset,
  type IdxDatasetOptions,
  largestLabel,
  parseIdx,
} from "./data/idx.ts";
export { type Pixels, withChannels } from "./data/channels.ts";
export type { Picture, PictureSize } from "./data/picture.ts";
export type { PictureSet, PictureSource } from "./data/pictures.ts";
export {
  firstBatch,
  PictureTrainingBatches,
  PictureValidationBatches,
  trainingBatches,
  validationBatches,
} from "./data/picture_batches.ts";
export { type Preparation, prepare } from "./data/preparation.ts";
export { type Interpolation, INTERPOLATIONS, resample, type Resampling } from "./data/resample.ts";
export { takeStratified } from "./data/stratified.ts";
export { Random } from "./data/random.ts";
export {
  type Dtype,
  encodeSafetensors,
  parseSafetensors,
  type Safetensors,
  type StoredTensor,
  type TensorData,
  type TensorToStore,
} from "./data/safetensors.ts";
