import { assemble, type Assembled } from "../gpu/assemble.ts";
import type { Device } from "../gpu/device.ts";
import type { Kernel } from "../gpu/kernel.ts";
import { narrow } from "./narrowed.ts";
import { texturedResults } from "./textured.ts";
import type { Dispatch, Trace } from "./trace.ts";

/** The operands of a dispatch that hold half floats, by name. */
function halvesOf({ reads, writes }: Dispatch): string[] {
  return [...Object.entries(reads), ...Object.entries(writes)]
    .flatMap(([name, { type }]) => type === "f16" ? [name] : []);
}

/** Whether a dispatch accesses half floats in pairs of vec4, on a device that is for that. */
function isWide({ kernel, reads, writes }: Dispatch, { preset }: Pick<Device, "preset">): boolean {
  if (!preset.wide || preset.loads !== "buffer" || kernel.wide === undefined) return false;
  const bulk = [
    ...Object.entries(reads).filter(([name]) => kernel.reads[name] === "bulk"),
    ...Object.entries(writes).filter(([name]) => kernel.writes[name] === "bulk"),
  ].map(([, tensor]) => tensor);
  return bulk.some(({ type }) => type === "f16") && bulk.every(({ quads }) => quads % 2 === 0);
}

/** What WGSL has to say for what a kernel uses on a device. */
function directivesFor(
  { subgroup = false, matrixUnits = false }: Kernel,
  { abilities }: Pick<Device, "abilities">,
): string[] {
  return [
    ...subgroup ? abilities.subgroups?.directives ?? [] : [],
    ...matrixUnits ? abilities.matrixUnits?.directives ?? [] : [],
  ];
}

/** The WGSL module of each kernel run of a trace, for the preset and the limits of its device. */
export function assembleTrace({ gpu, commands, halves }: Trace): Map<Dispatch, Assembled> {
  narrow(commands, halves);
  const { preset: { loads, grid }, device: { limits } } = gpu;
  const textured = loads === "texture"
    ? texturedResults(commands, limits.maxStorageTexturesPerShaderStage)
    : () => [];
  return new Map(
    commands.filter((command) => command.kind === "dispatch").map((dispatch) => {
      const queued = grid !== undefined && dispatch.kernel.subgroup === true;
      return [
        dispatch,
        assemble(dispatch.kernel, {
          loads,
          textured: textured(dispatch),
          halves: halvesOf(dispatch),
          wide: isWide(dispatch, gpu),
          queued,
          directives: directivesFor(dispatch.kernel, gpu),
        }),
      ];
    }),
  );
}
