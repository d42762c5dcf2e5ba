/// <reference types="@webgpu/types" />
import { MATRIX_FEATURES } from "./abilities.ts";
import { describeAdapter } from "./adapter.ts";
import { GpuError } from "./gpu_error.ts";

/** The limits that are raised to what the adapter has. */
const RAISED = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxStorageTexturesPerShaderStage",
  "maxTextureDimension2D",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
] as const;

/** Features that kernels do with where there are some: the first set that is granted is taken. */
function featureSets(adapter: GPUAdapter): string[][] {
  const features = new Set<string>(adapter.features);
  const listed = ["timestamp-query", "shader-f16"].filter((name) => features.has(name));
  const experimental = Object.values(MATRIX_FEATURES).filter((name) => features.has(name));
  // Deno does not list subgroups, and grants them where there are some.
  const usual = [...listed, "subgroups"];
  return [...experimental.length ? [[...usual, ...experimental]] : [], usual, listed];
}

/**
 * A device with the adapter's own limits, and with timestamps, half floats, subgroups and matrix
 * units where it has them and grants them. Raises a {@link GpuError} where the adapter gives none.
 */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const name of RAISED) requiredLimits[name] = adapter.limits[name];
  let cause: unknown;
  for (const features of featureSets(adapter)) {
    try {
      // Experimental features are not among the names that the types know.
      const requiredFeatures = features as GPUFeatureName[];
      return await adapter.requestDevice({ requiredLimits, requiredFeatures });
    } catch (refused) {
      cause = refused;
    }
  }
  throw new GpuError(`Cannot open ${describeAdapter(adapter.info)}: ${cause}`, { cause });
}
