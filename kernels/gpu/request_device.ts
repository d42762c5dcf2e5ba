/// <reference types="@webgpu/types" />
import { describeAdapter } from "./adapter.ts";
import { DeviceLostError, GpuError } from "./gpu_error.ts";

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

/**
 * A device with the adapter's own limits, and with timestamps, half floats and subgroups where it
 * has them. Raises
 * a {@link GpuError} where the adapter gives none.
 */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits: Record<string, number> = {};
  for (const name of RAISED) requiredLimits[name] = adapter.limits[name];
  const listed = (["timestamp-query", "shader-f16"] as const).filter((name) =>
    adapter.features.has(name)
  );
  try {
    // Deno does not list the feature and grants it where there is one.
    const requiredFeatures: GPUFeatureName[] = [...listed, "subgroups"];
    return await adapter.requestDevice({ requiredLimits, requiredFeatures });
  } catch {
    return await adapter.requestDevice({ requiredLimits, requiredFeatures: listed }).catch(
      (cause) => {
        throw new GpuError(`Cannot open ${describeAdapter(adapter.info)}: ${cause}`, { cause });
      },
    );
  }
}

/**
 * Whether all subgroups have `lanes` lanes and WGSL may use them. Browsers want a directive for it
 * that Deno's compiler does not know: kernels do without subgroups there.
 */
export async function hasSubgroupsOf(
  lanes: number,
  device: GPUDevice,
  { subgroupMinSize, subgroupMaxSize }: GPUAdapterInfo,
): Promise<boolean> {
  if (!device.features.has("subgroups")) return false;
  if (subgroupMinSize !== lanes || subgroupMaxSize !== lanes) return false;
  device.pushErrorScope("validation");
  device.createShaderModule({
    label: "subgroups",
    code: `@compute @workgroup_size(${lanes})
fn entry(@builtin(subgroup_invocation_id) lane: u32) { _ = subgroupBroadcast(lane, 0u); }`,
  });
  const error = await device.popErrorScope().catch((cause) => {
    throw new DeviceLostError(String(cause), { cause });
  });
  return error === null;
}
