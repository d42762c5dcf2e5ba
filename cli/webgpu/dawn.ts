/// <reference types="@webgpu/types" />
import { fileURLToPath } from "node:url";
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

/** What was in the way of a package, and what to do. */
function inTheWay(cause: unknown): string {
  const missing = missingPermission(cause);
  if (missing) {
    return `one that Deno was started without the permission to load; add ${
      grantingFlag(missing)
    }, or start it with deno task`;
  }
  const message = messageOf(cause);
  return /not found|cannot find/i.test(message)
    ? "none; run sh setup.sh --dawn"
    : `${printable(message, 300)}; run sh setup.sh --dawn again`;
}

/** Chromium's implementation of WebGPU, from a package that is loaded when it is asked for. */
export class Dawn {
  /** It is created once, and ends with what was opened of it when nobody refers to it any more. */
  static #created?: Promise<GPU>;

  /** Creates it from a module of its package. Raises a {@link GpuError} where there is none. */
  static async create(module: string): Promise<GPU> {
    try {
      const { create }: DawnPackage = await import(module);
      lookSeldom();
      return create(OPTIONS);
    } catch (cause) {
      throw new GpuError(
        `Cannot open Dawn: wanted the package ${DAWN}, found ${inTheWay(cause)}`,
        { cause },
      );
    }
  }

  /** The one that `setup.sh --dawn` has installed. Raises a {@link GpuError} where it has not. */
  static open(): Promise<GPU> {
    return Dawn.#created ??= Dawn.create(MODULE);
  }

  /** Whether its package is there, as far as may be read. */
  static get isInstalled(): boolean {
    const path = fileURLToPath(MODULE);
    const { state } = Deno.permissions.querySync({ name: "read", path });
    try {
      return state === "granted" && Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }
}
