/**
 * The GPU by itself: a device, kernels in WGSL with their gradients and references, and programs that
 * are traced once and replayed. Runs in Deno and in browsers.
 *
 * ```ts
 * import { Gpu, relu } from "@adjoin/adjoin/kernels";
 *
 * const gpu = await Gpu.open();
 * using scope = gpu.scope();
 * const x = scope.tensor("x", [2, 3]);
 * scope.write(x, [-1, 2, -3, 4, -5, 6]);
 * let y = x;
 * const program = await scope.trace("positive part", (trace) => {
 *   const [made] = relu.forward(trace, [x], {});
 *   y = trace.keep(made);
 * });
 * program.replay();
 * console.log(await gpu.read([y])); // [[0, 2, 0, 4, 0, 6]]
 * ```
 *
 * @module
 */
export { Choices, type SavedChoices } from "../kernels/conv/choices.ts";
export type { ProductDirection, Work } from "../kernels/conv/work.ts";
export type { Geometry, Pair, Sides } from "../kernels/wgsl/geometry.ts";
export { type FilterTile, type ProductTile, TILING, type Tiling } from "../kernels/conv/tiles.ts";
export { tune, type Tuned, type TuneOptions } from "../kernels/conv/tuning.ts";
export {
  DeviceLostError,
  type FailedAllocation,
  Gpu,
  GpuError,
  type GpuOptions,
  NoAdapterError,
  OutOfMemoryError,
} from "../kernels/gpu.ts";
export { Device, type Live } from "../kernels/gpu/device.ts";
export type {
  Abilities,
  MatrixConfig,
  MatrixForm,
  MatrixUnits,
  Subgroups,
} from "../kernels/gpu/abilities.ts";
export type { OpenedDevice, Origin } from "../kernels/gpu/open_device.ts";
export type { Pipeline } from "../kernels/gpu/pipeline.ts";
export type { Assembled, Binding } from "../kernels/gpu/assemble.ts";
export {
  defineKernel,
  type Kernel,
  type Loads,
  type Read,
  type Write,
} from "../kernels/gpu/kernel.ts";
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
} from "../kernels/op.ts";
export type { EpilogueOperands } from "../kernels/wgsl/epilogue.ts";
export { nullDevice } from "../kernels/gpu/null_device.ts";
export type { Block, ConvolutionPreset, Matrices } from "../kernels/conv/convolution_preset.ts";
export type { MatrixTile } from "../kernels/matrix/tile.ts";
export type { AdapterKind, DevicePreset } from "../kernels/gpu/device_preset.ts";
export type { ReductionPreset } from "../kernels/wgsl/reduction_preset.ts";
export { GPU, type Preset, SOFTWARE } from "../kernels/preset.ts";
export type { Action } from "../kernels/program/action.ts";
export type { Cost } from "../kernels/program/cost.ts";
export { Program } from "../kernels/program/program.ts";
export { type Profile, profile, type Timing } from "../kernels/program/profile.ts";
export { Scope, type TraceOptions } from "../kernels/program/scope.ts";
export {
  type Elements,
  type ElementType,
  type Storage,
  Tensor,
  type TensorRange,
} from "../kernels/gpu/tensor.ts";
export {
  type Clear,
  type Command,
  type Copy,
  type Dispatch,
  type Operands,
  type Precision,
  Trace,
} from "../kernels/program/trace.ts";
export * from "../kernels/mod.ts";
export type {
  ActivationAttributes,
  FusedActivation,
  LeakyReluAttributes,
} from "../kernels/ops/activations.ts";
export type { AddAttributes } from "../kernels/ops/add.ts";
export type { AdjoinedLossAttributes } from "../kernels/ops/adjoined_loss.ts";
export type { AugmentAttributes } from "../kernels/ops/augment.ts";
export type { AdaptiveAvgPool2dAttributes } from "../kernels/ops/adaptive_avg_pool2d.ts";
export type { AvgPool2dAttributes } from "../kernels/ops/avg_pool2d.ts";
export type {
  BatchNormAttributes,
  BatchNormTrainingAttributes,
} from "../kernels/ops/batch_norm.ts";
export type { BiasAttributes } from "../kernels/ops/bias.ts";
export type { ConcatAttributes } from "../kernels/ops/concat.ts";
export type { Conv2dAttributes, MaskedConv2dAttributes } from "../kernels/ops/conv2d.ts";
export type { CrossEntropyAttributes } from "../kernels/ops/soft_target.ts";
export { type GateChannelsAttributes, MAX_CANDIDATES } from "../kernels/ops/gate_channels.ts";
export type { DropoutAttributes } from "../kernels/ops/dropout.ts";
export type { DropPathAttributes } from "../kernels/ops/drop_path.ts";
export type { GateEachChannelAttributes } from "../kernels/ops/gate_each_channel.ts";
export type { EraseAttributes } from "../kernels/ops/erase.ts";
export type { GlobalAvgPool2dAttributes } from "../kernels/ops/global_avg_pool2d.ts";
export type { LayerNormAttributes } from "../kernels/ops/layer_norm.ts";
export type { LinearAttributes } from "../kernels/ops/linear.ts";
export type { MaxPool2dAttributes } from "../kernels/ops/max_pool2d.ts";
export type { MultiplyAttributes } from "../kernels/ops/multiply.ts";
export type { NarrowAttributes } from "../kernels/ops/narrow.ts";
export type { GuardAttributes } from "../kernels/ops/guard_step.ts";
export type { AdamwAttributes, SgdAttributes } from "../kernels/ops/optimizers.ts";
export type { OverNorm } from "../kernels/ops/norm_activation.ts";
export type { NormalizePixelsAttributes } from "../kernels/ops/normalize_pixels.ts";
export type { RandAugmentAttributes } from "../kernels/ops/rand_augment.ts";
export type { PixelNormalization } from "../kernels/ops/pixel_bytes.ts";
export type { ReluAttributes } from "../kernels/ops/relu.ts";
export type { ScaleChannelsAttributes } from "../kernels/ops/scale_channels.ts";
export type { SamplePicturesAttributes } from "../kernels/ops/sample_pictures.ts";
export type { SelectAttributes } from "../kernels/ops/select.ts";
export type { Upsample2dAttributes } from "../kernels/ops/upsample2d.ts";
