/// <reference types="@webgpu/types" />
import type { AdapterKind } from "./device_preset.ts";

/**
 * Mesa's software adapter. It compiles a kernel when it first runs, on the one thread of its device's
 * queue; other devices of the process find it in Mesa's disk cache from then on.
 */
const LLVMPIPE = /llvmpipe/;

/** The adapter's own words for itself. */
export function describeAdapter(info: GPUAdapterInfo): string {
  return info.description || [info.vendor, info.architecture].filter(Boolean).join(" ") ||
    "an unnamed adapter";
}

/** Whether a description is that of Mesa's software adapter. */
export function isLlvmpipe(description: string): boolean {
  return LLVMPIPE.test(description);
}

/** Other software adapters (SwiftShader, in Chromium) take minutes to compile Mesa's kernels. */
export function kindOf(info: GPUAdapterInfo): AdapterKind {
  return isLlvmpipe(describeAdapter(info)) ? "software" : "gpu";
}
