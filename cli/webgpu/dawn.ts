/// <reference types="@webgpu/types" />
import { printable } from "../../data/printable.ts";
import { messageOf } from "../../data/message_of.ts";
import { grantingFlag, missingPermission } from "../../data/missing_permission.ts";
import { GpuError } from "../../kernels/gpu/gpu_error.ts";
import config from "./package/deno.json" with { type: "json" };

/** The part of the package that is used. Its own types would bring Node's into the program. */
interface DawnPackage {
  /** An implementation of WebGPU with options of Dawn's, as `backend=vulkan`. */
  create(options: readonly string[]): GPU;
}

/** The package and its version, as npm names them. */
export const DAWN: string = config.imports.webgpu.replace("npm:", "");

/** Where `setup.sh --dawn` puts it: by an address, as an import of npm's would need it in deno.lock. */
const MODULE: string = import.meta.resolve("./package/node_modules/webgpu/index.js");

/**
 * What Dawn is created with. Matrix units are an experiment and behind `allow_unsafe_apis`; half
 * floats are switched off on NVIDIA's cards unless asked for. Timestamps are otherwise rounded to a
 * tenth of a millisecond.
 */
const OPTIONS: readonly string[] = [
  "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia",
  "disable-dawn-features=timestamp_quantization",
];

/** Milliseconds from one look for what the GPU has done to the next. */
const LOOKS_EVERY = 2;

/**
 * While Dawn waits for the GPU it looks again and again, by `setImmediate`, each time with a native
 * function that is new. Deno frees n of these in a time that grows with n², which came to minutes:
 * with a pause between two looks there are a hundredth of them.
 */
function lookSeldom(): void {
  const { setImmediate } = globalThis;
  const value = (callback: (...args: unknown[]) => void, ...args: unknown[]): unknown =>
    /\[native code\]/.test(Function.prototype.toString.call(callback))
      ? setTimeout(callback, LOOKS_EVERY)
      : setImmediate(callback, ...args);
  Object.defineProperty(globalThis, "setImmediate", { value, configurable: true, writable: true });
}

/** Dawn is created once: it ends with what was opened of it when nobody refers to it any more. */
let created: Promise<GPU> | undefined;

/** Opens Dawn from a module of its package. Raises a {@link GpuError}. */
export async function createDawn(module: string = MODULE): Promise<GPU> {
  try {
    const { create }: DawnPackage = await import(module);
    lookSeldom();
    return create(OPTIONS);
  } catch (cause) {
    const missing = missingPermission(cause);
    const found = missing
      ? `Deno started without the permission to; add ${grantingFlag(missing)}, or start it with ` +
        "deno task"
      : /not found|ERR_MODULE_NOT_FOUND/i.test(messageOf(cause))
      ? "none; run sh setup.sh --dawn"
      : `${printable(messageOf(cause), 300)}; run sh setup.sh --dawn again`;
    throw new GpuError(`Cannot open Dawn: wanted the package ${DAWN}, found ${found}`, { cause });
  }
}

/** Chromium's implementation of WebGPU. Raises a {@link GpuError} where it is not installed. */
export function loadDawn(): Promise<GPU> {
  return created ??= createDawn();
}
