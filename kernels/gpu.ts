/// <reference types="@webgpu/types" />
import { type Choices, tileChoices } from "./conv/choices.ts";
import { settleMatrices } from "./conv/matrix_check.ts";
import { convolutionPresets } from "./conv/convolution_preset.ts";
import { checkMaxWorkgroups, Device } from "./gpu/device.ts";
import { openDevice, type OpenedDevice } from "./gpu/open_device.ts";
import { GPU, type Preset, SOFTWARE } from "./preset.ts";
import { Scope } from "./program/scope.ts";
import { reductionPresets } from "./wgsl/reduction_preset.ts";

export {
  DeviceLostError,
  type FailedAllocation,
  GpuError,
  NoAdapterError,
  OutOfMemoryError,
} from "./gpu/gpu_error.ts";

/** Options of {@link Gpu.open}. */
export interface GpuOptions {
  /** A device of one's own (a browser's, Dawn's); by default the fastest is asked for. */
  readonly device?: GPUDevice;
  /** An implementation of WebGPU to ask for an adapter; by default the environment's own. */
  readonly webgpu?: GPU;
  /** Overrides the shape of the kernels that is chosen by adapter. */
  readonly preset?: Preset;
  /** The largest grid of a dispatch, in workgroups; kernels loop over what is left. */
  readonly maxWorkgroups?: number;
}

/** A GPU, as users open it: the device, the preset of all kernels on it, and scopes for memory. */
export class Gpu extends Device {
  /** The shape of kernels for this adapter. */
  override readonly preset: Preset;

  private constructor(opened: OpenedDevice<Preset>, maxWorkgroups?: number) {
    super(opened, maxWorkgroups);
    this.preset = opened.preset;
    convolutionPresets.set(this, opened.preset.convolution);
    reductionPresets.set(this, opened.preset.reduction);
  }

  /**
   * Opens the fastest adapter, or wraps a device. Raises {@link GpuError} when there is none, and a
   * `RangeError` for a `maxWorkgroups` that is not a whole number from 1 on.
   */
  static async open({ device, webgpu, preset, maxWorkgroups }: GpuOptions = {}): Promise<Gpu> {
    if (maxWorkgroups !== undefined) checkMaxWorkgroups(maxWorkgroups);
    const presets = { software: SOFTWARE, gpu: GPU };
    const opened = await openDevice({ device, webgpu }, (kind) => preset ?? presets[kind]);
    const gpu = new Gpu(opened, maxWorkgroups);
    if (gpu.matrixUnits) await settleMatrices(gpu);
    return gpu;
  }

  /** Tiles chosen for convolutions and linear layers, where the preset has tiles. */
  get choices(): Choices {
    return tileChoices.of(this);
  }

  /** A scope that owns tensors and programs, and frees them all when it is disposed of. */
  scope(): Scope {
    return new Scope(this);
  }
}
