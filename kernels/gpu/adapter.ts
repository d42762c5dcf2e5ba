/// <reference types="@webgpu/types" />
import type { AdapterKind } from "./device_preset.ts";

/**
 * Mesa's software adapter. It compiles a kernel when it first runs, on the one thread of its
 * device's queue; other devices of the process find it in Mesa's disk cache from then on.
 */
const LLVMPIPE = /llvmpipe/;

/** Whether this runs in Deno, whose own implementation of WebGPU is wgpu. */
function inDeno(): boolean {
  return globalThis.navigator?.userAgent?.startsWith("Deno/") === true;
}

/** Whether an adapter is of the environment's own implementation of WebGPU. */
function isOwn(info: GPUAdapterInfo): boolean {
  return typeof GPUAdapterInfo === "function" && info instanceof GPUAdapterInfo;
}

/**
 * Whether an adapter is one of Deno's over OpenGL. WebGPU does not tell the interface, but OpenGL
 * alone does not tell Deno the size of subgroups, which then is from 4 to 128.
 */
function isOpenGl(info: GPUAdapterInfo): boolean {
  return inDeno() && isOwn(info) && info.subgroupMinSize === 4 && info.subgroupMaxSize === 128;
}

/** Whether an adapter is of Dawn, the only other implementation that there is in Deno. */
function isDawn(info: GPUAdapterInfo): boolean {
  return inDeno() && !isOwn(info) && info.constructor?.name === "GPUAdapterInfo";
}

/** The name of an adapter of Dawn's: there, `description` is the driver's, `device` as `nvidia-h200`. */
function deviceOf({ device, description }: GPUAdapterInfo): string {
  const name = device.replace(/-+$/, "");
  return name && description ? `${name} (${description})` : name || description;
}

/** The adapter's own words for itself, OpenGL where that is the interface, and Dawn where it is of that. */
export function describeAdapter(info: GPUAdapterInfo): string {
  const dawn = isDawn(info);
  const words = (dawn ? deviceOf(info) : info.description) ||
    [info.vendor, info.architecture].filter(Boolean).join(" ") || "an unnamed adapter";
  return [words, ...isOpenGl(info) ? ["OpenGL"] : [], ...dawn ? ["Dawn"] : []].join(", ");
}

/**
 * The most iterations that all loops of an invocation may come to: Mesa's software adapter leaves
 * them then, without a word. It counts nested ones for each round of the outer one, and one for
 * leaving each loop.
 */
export function mostIterations(description: string): number {
  return isLlvmpipe(description) ? 65535 : Infinity;
}

/** Whether a description is that of Mesa's software adapter. */
export function isLlvmpipe(description: string): boolean {
  return LLVMPIPE.test(description);
}

/** Other software adapters (SwiftShader, in Chromium) take minutes to compile Mesa's kernels. */
export function kindOf(info: GPUAdapterInfo): AdapterKind {
  return isLlvmpipe(describeAdapter(info)) ? "software" : "gpu";
}
