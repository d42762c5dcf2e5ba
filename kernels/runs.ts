import { LANES } from "./elementwise.ts";
import { defineKernel, type Kernel, type Write } from "./kernel.ts";
import { quads, type Tensor } from "./tensor.ts";
import type { Trace } from "./trace.ts";

/** Pixels cut into `parts` runs of `chunk` pixels each; the last may be shorter. */
export interface Runs {
  readonly pixels: number;
  readonly chunk: number;
  readonly parts: number;
}

/** The types of the numbers of {@link Runs}. */
export const RUN_DIMS = {
  pixels: "u32",
  chunk: "u32",
  parts: "u32",
  channel_quads: "u32",
} as const;

/**
 * Short enough for half as many invocations as keep the adapter busy with products, which do more
 * to each element, and for small rounding errors.
 */
export function cut(trace: Trace, x: Tensor): Runs {
  const pixels = pixelsOf(x);
  const invocations = Math.max(512, trace.gpu.preset.invocations / 2);
  const chunk = Math.min(256, Math.max(32, Math.ceil(x.quads / invocations)));
  return { pixels, chunk, parts: Math.ceil(pixels / chunk) };
}

/**
 * A `main` with one run of pixels per invocation: pixels `first` to `end` in the vec4 of channels `c`
 * out of `stride`, for part `i`.
 */
export function alongRuns(wgsl: string): string {
  return /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let stride = dims.channel_quads;
  let run = i / stride;
  if (run >= dims.parts) { return; }
  let c = i - run * stride;
  let first = run * dims.chunk;
  let end = min(first + dims.chunk, dims.pixels);
  ${wgsl}
}`;
}

/** The numbers and the workgroups of a kernel along runs of x. */
export function over(
  runs: Runs,
  x: Tensor,
): { dims: Record<keyof typeof RUN_DIMS, number>; workgroups: number } {
  const channel_quads = channelQuads(x);
  return {
    dims: { ...runs, channel_quads },
    workgroups: Math.ceil(runs.parts * channel_quads / LANES),
  };
}

/** Number of vec4 that hold the channels of x. */
function channelQuads(x: Tensor): number {
  return quads(x.shape.at(-1) ?? 1);
}

/** Number of pixels: elements per channel. */
export function pixelsOf(x: Tensor): number {
  return x.quads / channelQuads(x);
}

const JOIN_DIMS = { ...RUN_DIMS, fan: "u32" } as const;

/** A kernel that joins `fan` neighbouring runs, first to end, of one vec4 of channels each. */
export function joining<const W extends string>(
  name: string,
  writes: Record<W, Write>,
  { reads = {}, dims = {}, wgsl }: Pick<Partial<Kernel>, "reads" | "dims"> & { wgsl: string },
): Kernel<string, W, string> {
  return defineKernel({
    name,
    workgroupSize: LANES,
    reads: { part: "bulk", ...reads },
    writes,
    dims: { ...JOIN_DIMS, ...dims },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let joined = i / dims.channel_quads;
  let c = i - joined * dims.channel_quads;
  let first = joined * dims.fan;
  if (first >= dims.parts) { return; }
  let end = min(first + dims.fan, dims.parts);
  let plane = dims.parts * dims.channel_quads;
  let out_plane = ((dims.parts + dims.fan - 1u) / dims.fan) * dims.channel_quads;
  ${wgsl}
}`,
  });
}

/** Two sums over the runs from first to end. */
export const JOIN_SUMS = /* wgsl */ `
  var sum = vec4f();
  var moment = vec4f();
  for (var p = first; p < end; p++) {
    let at = p * dims.channel_quads + c;
    sum += part(at);
    moment += part(at + plane);
  }`;

/** Joins runs of two sums. */
export const joinSums = joining("batch norm sums, joined", { joined_part: "bulk" }, {
  wgsl: `${JOIN_SUMS}
  set_joined_part(i, sum);
  set_joined_part(i + out_plane, moment);`,
});

/** Joins runs until few enough are left for one invocation per vec4 of channels to join. */
export function join(
  trace: Trace,
  kernel: Kernel<string, "joined_part", string>,
  part: Tensor,
  runs: Runs,
): { part: Tensor; dims: Record<keyof typeof JOIN_DIMS, number>; workgroups: number } {
  const most = trace.gpu.preset.joined;
  const channel_quads = channelQuads(part);
  const { pixels, chunk, parts } = runs;
  if (parts <= most) {
    const dims = { pixels, chunk, parts, channel_quads, fan: parts };
    return { part, dims, workgroups: Math.ceil(channel_quads / LANES) };
  }
  const fan = Math.min(most, Math.ceil(Math.sqrt(parts)));
  const fewer = Math.ceil(parts / fan);
  const [planes, , channels] = part.shape;
  const joined = trace.tensor(`${part.name}, joined`, [planes, fewer, channels]);
  trace.run(kernel, {
    reads: { part },
    writes: { joined_part: joined },
    dims: { pixels, chunk, parts, channel_quads, fan },
    workgroups: Math.ceil(fewer * channel_quads / LANES),
  });
  return join(trace, kernel, joined, { pixels, chunk: chunk * fan, parts: fewer });
}
