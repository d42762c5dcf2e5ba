/// <reference lib="deno.worker" />
// Looks at the GPU in a thread of its own: a driver that hangs does not hang the doctor.
import { findGpu } from "./gpu_found.ts";

/** The last message has `done`. */
await findGpu((found) => self.postMessage({ found }));
self.postMessage({ done: true });
