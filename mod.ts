/**
 * Trains a convolutional network and its compressed twin together, on shared weights, with WebGPU:
 * adjoined networks, arXiv 2006.05624.
 *
 * ```ts
 * import { adjoin, count, model } from "@adjoin/adjoin";
 *
 * const { base, small } = adjoin(model("resnet50", { classes: 1000 }), { compression: 4 });
 * const image = { height: 224, width: 224 };
 * console.log(count(base, image).params, count(small, image).params); // 23554976 1767584
 * ```
 *
 * @module
 */

export { Gpu, GpuError, type GpuOptions, type Live, type Pipeline } from "./kernels/gpu.ts";
export {
  type Assembled,
  type Binding,
  defineKernel,
  type Kernel,
  type Loads,
  type Read,
  type Write,
} from "./kernels/kernel.ts";
export type {
  Case,
  Context,
  Gradient,
  Input,
  Op,
  PendingGradient,
  Values,
  Vjp,
} from "./kernels/op.ts";
export { GPU, type Preset, SOFTWARE } from "./kernels/preset.ts";
export { Program } from "./kernels/program.ts";
export { Scope } from "./kernels/scope.ts";
export { type ElementType, type Storage, Tensor } from "./kernels/tensor.ts";
export {
  type Clear,
  type Command,
  type Copy,
  type Dispatch,
  type Operands,
  Trace,
} from "./kernels/trace.ts";
export * from "./kernels/mod.ts";

export { adjoin, type Adjoined, type AdjoinOptions, widthsOf } from "./nn/adjoin.ts";
export {
  type Count,
  count,
  countLayers,
  type ImageSize,
  type LayerCount,
  sizesOf,
} from "./nn/count.ts";
export { runAdjoined, runNetwork, type Running } from "./nn/forward.ts";
export {
  type BatchNormLayer,
  channelsOf,
  classesOf,
  type Conv2dLayer,
  type Conv2dOptions,
  IMAGE,
  type Layer,
  type LinearLayer,
  type Network,
  network,
  NetworkBuilder,
  type PlainLayer,
  type Value,
} from "./nn/network.ts";
export { Parameters, type ParameterSpec, type State } from "./nn/parameters.ts";
export { model, MODEL_NAMES, resnet, type ResNetOptions, type Stem } from "./nn/resnet.ts";
export {
  adjoinedSpecs,
  extract,
  initialize,
  networkSpecs,
  networkState,
  type StateSpecs,
} from "./nn/state.ts";
export { type Apply, Tape } from "./nn/tape.ts";
