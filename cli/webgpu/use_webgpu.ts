import { printable } from "../../data/printable.ts";
import { GpuError } from "../../kernels/gpu/gpu_error.ts";
import { environment } from "../environment.ts";
import { unusable } from "../option_value.ts";
import { either } from "../text.ts";
import { Dawn } from "./dawn.ts";
import { type Implementation, IMPLEMENTATIONS } from "./implementation_names.ts";

/** The variable that names the implementation where no flag does. */
const VARIABLE = "ADJOIN_WEBGPU";

/**
 * The implementation that a flag or else the environment names; Deno's own where neither does.
 * Raises a {@link UsageError} for a variable that names none.
 */
function implementationOf(flag?: Implementation): Implementation {
  if (flag) return flag;
  const named = environment(VARIABLE) ?? IMPLEMENTATIONS[0];
  const found = IMPLEMENTATIONS.find((name) => name === named);
  if (found) return found;
  throw unusable(`${VARIABLE} is ${either(IMPLEMENTATIONS)}, found ${printable(named)}`);
}

/**
 * Puts the implementation of WebGPU that a flag names, or else the environment, in the place of
 * `navigator.gpu`, before the first adapter is asked for: all that opens one in this thread takes it.
 * Raises a {@link GpuError} where it is not installed, or has no adapter.
 */
export async function useWebgpu(flag?: Implementation): Promise<void> {
  if (implementationOf(flag) === "deno") return;
  const value = await Dawn.open();
  if (!await value.requestAdapter()) {
    throw new GpuError(
      "Cannot start as Dawn has no adapter: wanted a GPU whose driver it takes, found none; leave out " +
        `--webgpu dawn and ${VARIABLE}`,
    );
  }
  Object.defineProperty(navigator, "gpu", { value, configurable: true });
}
