import { printable } from "../data/printable.ts";
import { either } from "./text.ts";

/** The variable that tells Deno which interface to take. */
const VARIABLE = "DENO_WEBGPU_BACKEND";

/** The interfaces of each operating system, the usual one first. */
const INTERFACES: Readonly<Record<string, readonly string[]>> = {
  darwin: ["metal"],
  windows: ["dx12", "vulkan", "gl"],
};
const ELSEWHERE = ["vulkan", "gl"];

/**
 * The message for a missing adapter where the interface is named by a variable: that is what to
 * change first. `cure` is that for a missing driver.
 */
export function noAdapterMessage(
  { backend, os, cure }: { backend: string; os: string; cure: string },
): string {
  const known = INTERFACES[os] ?? ELSEWHERE;
  const problem = `Cannot start as there is no WebGPU adapter for ${VARIABLE}=${
    printable(backend)
  }`;
  return known.includes(backend)
    ? `${problem}: wanted a GPU or a driver for ${backend}, found none; unset ${VARIABLE}` +
      (backend === "vulkan" ? `, or ${cure}` : "")
    : `${problem}: wanted ${either(known)} on this system; unset ${VARIABLE}`;
}

/** The interface that the environment names; nothing where it names none, or may not be read. */
export function backendGiven(): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: VARIABLE });
  return state === "granted" ? Deno.env.get(VARIABLE) || undefined : undefined;
}
