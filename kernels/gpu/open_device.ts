import { type Abilities, abilitiesOf } from "./abilities.ts";
import { describeAdapter, kindOf } from "./adapter.ts";
import type { AdapterKind, DevicePreset } from "./device_preset.ts";
import { NoAdapterError } from "./gpu_error.ts";
import { requestDevice } from "./request_device.ts";

/** A device that is ready for kernels of a preset. */
export interface OpenedDevice<P extends DevicePreset = DevicePreset> {
  /** The device. */
  readonly device: GPUDevice;
  /** The adapter's own words for itself. */
  readonly adapter: string;
  /** The shape of kernels for it. */
  readonly preset: P;
  /** The lanes of a subgroup that load for one another by subgroup broadcasts; 0 where none do. */
  readonly broadcast: number;
  /** What kernels may use, and what WGSL has to say for it. */
  readonly abilities: Abilities;
  /**
   * Where it was opened here, what it comes from: such a device is destroyed with what runs on it.
   * Dawn wants all of it to be referenced for as long as the device is used.
   */
  readonly origin: Origin | null;
}

/** The implementation that a device was asked of, and its adapter. */
export interface Origin {
  /** The implementation of WebGPU. */
  readonly webgpu: GPU;
  /** Its adapter. */
  readonly adapter: GPUAdapter;
}

/** Where a device is taken from. */
export interface DeviceSource {
  /** A device that is there; it stays its owner's. */
  readonly device?: GPUDevice;
  /** An implementation of WebGPU to ask for the fastest adapter; by default `navigator.gpu`. */
  readonly webgpu?: GPU;
}

/**
 * Opens the fastest adapter, or takes the device that is given, with the preset for its kind of
 * adapter. Raises {@link NoAdapterError} when there is no adapter, and a `TypeError` for a `webgpu`
 * that is no implementation.
 */
export async function openDevice<P extends DevicePreset>(
  { device: given, webgpu = globalThis.navigator?.gpu }: DeviceSource,
  presetFor: (kind: AdapterKind) => P,
): Promise<OpenedDevice<P>> {
  if (given) {
    return await prepare(given, given.adapterInfo, { presetFor, origin: null });
  }
  if (webgpu && typeof webgpu.requestAdapter !== "function") {
    throw new TypeError(
      "Cannot open a GPU: wanted an implementation of WebGPU as webgpu, like navigator.gpu, found a " +
        `value without requestAdapter(), of type ${typeof webgpu}`,
    );
  }
  const adapter = await webgpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!webgpu || !adapter) throw new NoAdapterError();
  const device = await requestDevice(adapter);
  return await prepare(device, adapter.info, { presetFor, origin: { webgpu, adapter } });
}

async function prepare<P extends DevicePreset>(
  device: GPUDevice,
  info: GPUAdapterInfo,
  { presetFor, origin }: { presetFor: (kind: AdapterKind) => P; origin: Origin | null },
): Promise<OpenedDevice<P>> {
  const preset = presetFor(kindOf(info));
  const abilities = await abilitiesOf(device, info);
  const { smallest, largest } = abilities.subgroups ?? { smallest: 0, largest: 0 };
  const broadcast = preset.broadcast && smallest === preset.lanes && largest === preset.lanes;
  return {
    device,
    adapter: describeAdapter(info),
    preset,
    broadcast: broadcast ? preset.lanes : 0,
    abilities,
    origin,
  };
}
