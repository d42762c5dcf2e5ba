/// <reference lib="deno.worker" />
// Looks at the GPU in a thread of its own: a driver that hangs does not hang the doctor.
import { useWebgpu } from "../webgpu/use_webgpu.ts";
import { Gpu } from "../../kernels/gpu.ts";
import { findGpu } from "./gpu_found.ts";

/** The last message has `done`. */
await findGpu((found) => self.postMessage({ found }), async () => {
  // The implementation of WebGPU that is looked at.
  const named = new URL(import.meta.url).searchParams.get("webgpu");
  await useWebgpu(named === "dawn" ? named : "deno");
  return await Gpu.open();
});
self.postMessage({ done: true });
