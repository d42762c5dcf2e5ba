import { Gpu } from "../kernels/gpu.ts";
import type { OnDevice } from "../train/train.ts";
import type { RunSettings } from "./run_settings.ts";

/** The device of a run: the one that is given, or how it is opened where another implementation is. */
export function deviceOf({ gpu, webgpu }: Pick<RunSettings, "gpu" | "webgpu">): OnDevice {
  return { gpu, ...webgpu && { open: () => Gpu.open({ webgpu }) } };
}
