import { environment } from "../environment.ts";
import { unusable } from "../option_value.ts";
import { printable } from "../../data/printable.ts";
import { either } from "../text.ts";

/** The implementations of WebGPU that a command may run on: Deno's own, wgpu, and Chromium's, Dawn. */
export const IMPLEMENTATIONS = ["deno", "dawn"] as const;

/** The name of an implementation. */
export type Implementation = typeof IMPLEMENTATIONS[number];

/** The variable that names the implementation where no flag does. */
const VARIABLE = "ADJOIN_WEBGPU";

/**
 * The implementation that a flag or else the environment names; Deno's own where neither does.
 * Raises a {@link UsageError} for a variable that names none.
 */
export function implementationOf(flag?: Implementation): Implementation {
  if (flag) return flag;
  const named = environment(VARIABLE) ?? IMPLEMENTATIONS[0];
  const found = IMPLEMENTATIONS.find((name) => name === named);
  if (found) return found;
  throw unusable(`${VARIABLE} is ${either(IMPLEMENTATIONS)}, found ${printable(named)}`);
}
