/**
 * Networks as data: families by timm's names, one's own, the small ones inside, what they cost, and
 * how they run on the kernels.
 *
 * ```ts
 * import { adjoin, count, model } from "@adjoin/adjoin/nn";
 *
 * const { base, small } = adjoin(model("resnet50", { classes: 1000 }), { compression: 4 });
 * const image = { height: 224, width: 224 };
 * console.log(count(base, image).params, count(small, image).params); // 25603976 2280584
 * ```
 *
 * @module
 */
export {
  adjoin,
  type Adjoined,
  type AdjoinOptions,
  type SeveralOptions,
  type SmallOptions,
  type Widths,
  widthsOf,
} from "../nn/compress/adjoin.ts";
export { adjoinedSpecs, extract } from "../nn/compress/adjoined_state.ts";
export {
  filterScores,
  type Importance,
  IMPORTANCES,
  importantFilters,
  type ScoredBy,
  withFilters,
} from "../nn/compress/importance.ts";
export { cutPretrained, withSmallNorms } from "../nn/compress/pretrained_small.ts";
export { pruneByMagnitude, type Pruned } from "../nn/compress/prune.ts";
export type { Channels, KeptChannels } from "../nn/compress/small_builder.ts";
export { runAdjoined, runPairs } from "../nn/compress/run_adjoined.ts";
export {
  type Count,
  count,
  countLayers,
  type ImageSize,
  type LayerCount,
  sizesOf,
} from "../nn/count.ts";
export { type DropOptions, withDrops } from "../nn/drops.ts";
export { runNetwork, type Running, type Soft } from "../nn/forward.ts";
export type { AddLayer } from "../nn/layers/add.ts";
export type {
  AdaptiveAvgPool2dLayer,
  AdaptiveAvgPool2dOptions,
} from "../nn/layers/adaptive_avg_pool2d.ts";
export type { AvgPool2dLayer, AvgPool2dOptions } from "../nn/layers/avg_pool2d.ts";
export type { BatchNormLayer, BatchNormOptions } from "../nn/layers/batch_norm.ts";
export type { ChannelShuffleLayer, ChannelShuffleOptions } from "../nn/layers/channel_shuffle.ts";
export type { ConcatLayer } from "../nn/layers/concat.ts";
export type { Conv2dLayer, Conv2dOptions } from "../nn/layers/conv2d.ts";
export type { DropoutLayer, DropoutOptions } from "../nn/layers/dropout.ts";
export type { DropPathLayer, DropPathOptions } from "../nn/layers/drop_path.ts";
export type {
  GlobalAvgPool2dLayer,
  GlobalAvgPool2dOptions,
} from "../nn/layers/global_avg_pool2d.ts";
export type { LinearLayer, LinearOptions } from "../nn/layers/linear.ts";
export type { Relu6Layer } from "../nn/layers/relu6.ts";
export type { LeakyReluLayer, LeakyReluOptions } from "../nn/layers/leaky_relu.ts";
export type { SigmoidLayer } from "../nn/layers/sigmoid.ts";
export type { HardSigmoidLayer } from "../nn/layers/hard_sigmoid.ts";
export type { SiluLayer } from "../nn/layers/silu.ts";
export type { HardSwishLayer } from "../nn/layers/hard_swish.ts";
export type { GeluLayer } from "../nn/layers/gelu.ts";
export type { MultiplyLayer } from "../nn/layers/multiply.ts";
export type { ScaleLayer, ScaleOptions } from "../nn/layers/scale.ts";
export type { LayerNormLayer, LayerNormOptions } from "../nn/layers/layer_norm.ts";
export type { LayerMethods } from "../nn/layers/mod.ts";
export type { MaxPool2dLayer, MaxPool2dOptions } from "../nn/layers/max_pool2d.ts";
export type { NarrowLayer } from "../nn/layers/narrow.ts";
export type { SelectLayer, SelectOptions } from "../nn/layers/select.ts";
export type { ReluLayer } from "../nn/layers/relu.ts";
export type { Upsample2dLayer, Upsample2dOptions } from "../nn/layers/upsample2d.ts";
export { fromTorch, type TorchTensor, toTorch } from "../nn/layout.ts";
export {
  channelsOf,
  classesOf,
  IMAGE,
  type Layer,
  type Network,
  network,
  type NetworkBuilder,
  type Value,
} from "../nn/network.ts";
export { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
export { Parameters, type ParameterSpec, type State } from "../nn/parameters.ts";
export {
  fitPretrained,
  type Foreign,
  type NamePair,
  type Pretrained,
  type TorchTensors,
} from "../nn/pretrained.ts";
export {
  model,
  MODEL_NAMES,
  type ModelOptions,
  resnet,
  type ResNetOptions,
  type Stem,
  torchvisionNames,
  type Variant,
} from "../nn/families/mod.ts";
export { narrowState, runSearch, type Search, searchable } from "../nn/compress/searchable.ts";
export { initialize, networkSpecs, networkState, type StateSpecs } from "../nn/state.ts";
export { type Apply, Tape } from "../nn/tape.ts";
export type { ByNetwork, SmallName, Which } from "../nn/which.ts";
export {
  type Choice,
  chooseWidths,
  entropyOf,
  type Feasible,
  feasible,
  logitsAt,
  softmax,
} from "../nn/compress/width_choice.ts";
export {
  type Budgeted,
  costOf,
  costOfChoice,
  CostSum,
  type CostTerm,
  costTerms,
  type WidthCost,
  widthCost,
} from "../nn/compress/width_cost.ts";
export { correctedCost, latencyCost, layersToTime } from "../nn/compress/latency_cost.ts";
export { layersKey, type LayerTable, type TimedLayers } from "../nn/compress/layer_works.ts";
export type { Candidates, Extent, Part } from "../nn/compress/width_extents.ts";
export type { Gate, InputGate, PlacedGates } from "../nn/compress/width_gates.ts";
export {
  chosenWidths,
  type WidthGroups,
  widthGroups,
  type WidthOptions,
} from "../nn/compress/width_groups.ts";
export type { Place, Placed, Places, WidthGroup } from "../nn/compress/width_places.ts";
