import { assemble, type Assembled } from "../gpu/assemble.ts";
import { texturedResults } from "./textured.ts";
import type { Dispatch, Trace } from "./trace.ts";

/** The WGSL module of each kernel run of a trace, for the preset and the limits of its device. */
export function assembleTrace({ gpu, commands }: Trace): Map<Dispatch, Assembled> {
  const { preset: { loads, grid }, device: { limits } } = gpu;
  const textured = loads === "texture"
    ? texturedResults(commands, limits.maxStorageTexturesPerShaderStage)
    : () => [];
  return new Map(
    commands.filter((command) => command.kind === "dispatch").map((dispatch) => {
      const queued = grid !== undefined && dispatch.kernel.subgroup === true;
      return [
        dispatch,
        assemble(dispatch.kernel, { loads, textured: textured(dispatch), queued }),
      ];
    }),
  );
}
