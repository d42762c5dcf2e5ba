import { describeAdapter, kindOf } from "./adapter.ts";
import type { AdapterKind, DevicePreset } from "./device_preset.ts";
import { NoAdapterError } from "./gpu_error.ts";
import { hasSubgroupsOf, requestDevice } from "./request_device.ts";

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
  /** Whether it was opened here, and so is destroyed with what runs on it. */
  readonly owned: boolean;
}

/**
 * Opens the fastest adapter, or takes the device that is `given`, with the preset for its kind of
 * adapter. Raises {@link NoAdapterError} when there is no adapter.
 */
export async function openDevice<P extends DevicePreset>(
  given: GPUDevice | undefined,
  presetFor: (kind: AdapterKind) => P,
): Promise<OpenedDevice<P>> {
  if (given) return await prepare(given, given.adapterInfo, { presetFor, owned: false });
  const adapter = await globalThis.navigator?.gpu?.requestAdapter({
    powerPreference: "high-performance",
  });
  if (!adapter) throw new NoAdapterError();
  return await prepare(await requestDevice(adapter), adapter.info, { presetFor, owned: true });
}

async function prepare<P extends DevicePreset>(
  device: GPUDevice,
  info: GPUAdapterInfo,
  { presetFor, owned }: { presetFor: (kind: AdapterKind) => P; owned: boolean },
): Promise<OpenedDevice<P>> {
  const preset = presetFor(kindOf(info));
  const broadcast = preset.broadcast && await hasSubgroupsOf(preset.lanes, device, info);
  return {
    device,
    adapter: describeAdapter(info),
    preset,
    broadcast: broadcast ? preset.lanes : 0,
    owned,
  };
}
