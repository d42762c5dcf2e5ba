import { Gpu } from "../../kernels/gpu.ts";
import { type Implementation, implementationOf } from "./implementations.ts";
import { loadDawn } from "./dawn.ts";

/**
 * The implementation that a flag names, else the environment; nothing for Deno's own. Raises a
 * {@link GpuError} where it is not installed.
 */
export async function webgpuNamed(flag?: Implementation): Promise<GPU | undefined> {
  return implementationOf(flag) === "dawn" ? await loadDawn() : undefined;
}

/** Opens the fastest adapter of the implementation that is named: see {@link webgpuNamed}. */
export async function openGpu(flag?: Implementation): Promise<Gpu> {
  return await Gpu.open({ webgpu: await webgpuNamed(flag) });
}
