import { LANES } from "./elementwise.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

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
 * Cuts the pixels of x into runs: short enough for half as many invocations as products take, which
 * do more to each element, and for small rounding errors.
 */
export function cut(trace: Trace, x: Tensor): Runs {
  const pixels = pixelsOf(x);
  const invocations = Math.max(512, trace.gpu.preset.invocations / 2);
  const chunk = Math.min(256, Math.max(32, Math.ceil(x.quads / invocations)));
  return { pixels, chunk, parts: Math.ceil(pixels / chunk) };
}

/**
 * A `main` with one run of pixels per invocation: pixels `first` to `end` in the vec4 of channels
 * `c` out of `stride`, for part `i`.
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
export function channelQuads(x: Tensor): number {
  return quads(x.shape.at(-1) ?? 1);
}

/** Number of pixels: elements per channel. */
export function pixelsOf(x: Tensor): number {
  return x.quads / channelQuads(x);
}
