import { CONVOLUTION_PRESETS, type ConvolutionPreset } from "./conv/convolution_preset.ts";
import { DEVICE_PRESETS, type DevicePreset } from "./gpu/device_preset.ts";
import { REDUCTION_PRESETS, type ReductionPreset } from "./wgsl/reduction_preset.ts";

/** A preset: the shape of all kernels for one kind of adapter. */
export interface Preset extends DevicePreset {
  /** Convolutions and linear layers. */
  readonly convolution: ConvolutionPreset;
  /** Partial sums of norms, pooling and gates. */
  readonly reduction: ReductionPreset;
}

/**
 * Kernels for Mesa's llvmpipe, which runs on a processor: large register blocks, no workgroup
 * memory, loads from textures. Its compiler turns a load from a storage buffer into a loop over the
 * lanes, which without AVX-512 costs ten times a load from a storage texture (one hardware gather
 * per component). Stores are loops in either case. After 65535 iterations it leaves all loops of an
 * invocation, without a word.
 */
export const SOFTWARE: Preset = {
  ...DEVICE_PRESETS.software,
  convolution: CONVOLUTION_PRESETS.software,
  reduction: REDUCTION_PRESETS.software,
};

/**
 * Kernels for graphics processors: wide workgroups, tiles in workgroup memory, blocks that fit its
 * registers, buffer loads. Its numbers are from an NVIDIA H200; it is also for software adapters
 * but Mesa's, whose compilers want short kernels. For kernels without tiles: `{ ...GPU,
 * convolution: { ...GPU.convolution, tiles: undefined } }`; to try one tile alone, `tiles` is `{
 * ...TILING, products: [tile] }` there.
 */
export const GPU: Preset = {
  ...DEVICE_PRESETS.gpu,
  convolution: CONVOLUTION_PRESETS.gpu,
  reduction: REDUCTION_PRESETS.gpu,
};
