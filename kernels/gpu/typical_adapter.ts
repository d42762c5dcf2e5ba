/// <reference types="@webgpu/types" />
import type { AdapterKind } from "./device_preset.ts";
import { standIn } from "./stand_in.ts";

/** The limits of Mesa's software adapter; those of graphics processors are these or higher. */
const LIMITS: Partial<Record<keyof GPUSupportedLimits, number>> = {
  maxBufferSize: 2 ** 31 - 1,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 32,
  maxStorageTexturesPerShaderStage: 36,
  maxTextureDimension2D: 16384,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupStorageSize: 32768,
};

/** Lanes of a subgroup. */
const SUBGROUP: Readonly<Record<AdapterKind, number>> = { software: 8, gpu: 32 };

/**
 * The name, limits and features of an adapter as the preset of this kind is for: for a null device
 * where there is no adapter, or where the result must not depend on it.
 */
export function typicalAdapter(
  kind: AdapterKind,
): Pick<GPUDevice, "adapterInfo" | "limits" | "features"> {
  const lanes = SUBGROUP[kind];
  return {
    adapterInfo: standIn<GPUAdapterInfo>({
      description: kind === "software" ? "llvmpipe" : "a graphics processor",
      subgroupMinSize: lanes,
      subgroupMaxSize: lanes,
      isFallbackAdapter: kind === "software",
    }),
    limits: standIn<GPUSupportedLimits>(LIMITS),
    features: new Set(["subgroups", "shader-f16"]),
  };
}
