import map from "../import_map.json" with { type: "json" };
import { DataError } from "../data/error.ts";
import { LOCK_FLAG, notLocked } from "../data/not_locked.ts";
import { tellFetch } from "../data/package_fetch.ts";
import type { InferenceSession, OnnxRuntime } from "./onnxruntime_types.ts";

/** The version of onnxruntime-web. */
export const RUNTIME: string = map.imports["onnxruntime-web"].split("@").at(-1) ?? "";

// What an import names by a literal is fetched before any command starts, and this has 140 MB that
// only ONNX needs. A package that is imported by its own name later brings along all others of deno.lock.
const MODULE: string = import.meta.resolve("./onnxruntime_package.js");

/**
 * Loads onnxruntime-web, which is fetched where it is not there yet. Raises a {@link DataError}
 * where it cannot be.
 */
export async function loadRuntime(module = MODULE): Promise<OnnxRuntime> {
  tellFetch({
    name: `onnxruntime-web ${RUNTIME}`,
    megabytes: 150,
    module: import.meta.resolve("onnxruntime-web/wasm"),
  });
  let runtime: OnnxRuntime;
  try {
    runtime = await import(module);
  } catch (cause) {
    const found = notLocked(cause)
      ? `a lock file without it: add ${LOCK_FLAG}, or use deno task`
      : "no way to: run sh setup.sh --all once where there is a network";
    throw new DataError(
      `Cannot run ONNX: wanted onnxruntime-web ${RUNTIME}, which is fetched when it is first ` +
        `needed, found ${found}`,
      { cause },
    );
  }
  // One thread, so that times compare and nothing is left running.
  runtime.env.wasm.numThreads = 1;
  runtime.env.logLevel = "error";
  return runtime;
}

/** Opens a model in WebAssembly. */
export async function openSession(
  runtime: OnnxRuntime,
  bytes: Uint8Array,
): Promise<InferenceSession> {
  // The runtime puts Node's Worker in the place of that of the web, which others still want.
  const { Worker } = globalThis;
  try {
    return await runtime.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  } finally {
    globalThis.Worker = Worker;
  }
}
