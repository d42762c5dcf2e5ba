import { LANES } from "./elementwise.ts";
import { quads } from "../gpu/tensor.ts";
import { reductionPresets } from "./reduction_preset.ts";
import type { Trace } from "../program/trace.ts";

/** The numbers of a kernel that works pixel by pixel. */
export type PixelDims = "pixels" | "channels";

/** The types of {@link PixelDims}. */
export const PIXEL_DIMS = { pixels: "u32", channels: "u32" } as const;

/**
 * The lanes that share a pixel, a power of two: about one for four vec4 of channels, but at least as
 * many as make up a line of memory, where lanes have workgroup memory to share.
 */
export function pixelShares(trace: Trace, channels: number): number {
  if (reductionPresets.of(trace.gpu).shares === 1) return 1;
  return Math.min(LANES, Math.max(8, 2 ** Math.ceil(Math.log2(quads(channels) / 4))));
}

/** WGSL of `sum_of(v)`, the sum of four numbers, and `over_pixel(v, lane)`, over its lanes. */
function sums(shares: number): string {
  const sumOf = "fn sum_of(v: vec4f) -> f32 { return (v.x + v.y) + (v.z + v.w); }";
  if (shares === 1) return `${sumOf}\nfn over_pixel(v: vec2f, lane: u32) -> vec2f { return v; }`;
  return /* wgsl */ `${sumOf}
var<workgroup> lane_sums: array<vec2f, ${LANES}>;
fn over_pixel(v: vec2f, lane: u32) -> vec2f {
  workgroupBarrier();
  lane_sums[lane] = v;
  for (var half = ${shares / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane % ${shares}u < half) { lane_sums[lane] += lane_sums[lane + half]; }
  }
  workgroupBarrier();
  return lane_sums[lane - lane % ${shares}u];
}`;
}

/** The head of a WGSL loop over the vec4 `c` of channels that a lane takes, at index `first + c`. */
export function eachChannelQuad(shares: number): string {
  return `for (var c = share; c < stride; c += ${shares}u)`;
}

/**
 * A `main` that runs `body` for each `pixel`, whose `stride` vec4 begin at `first`; `shares` lanes
 * share it. They all take part in sums over it, and what they store only counts where `counts` says
 * so. `inside(c)` tells channels from padding.
 */
export function eachPixel(shares: number, body: string): string {
  return /* wgsl */ `
${sums(shares)}
fn inside(c: u32) -> vec4<bool> {
  return vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.channels);
}
fn main(workgroup: u32, lane: u32) {
  let share = lane % ${shares}u;
  let at = workgroup * ${LANES / shares}u + lane / ${shares}u;
  let counts = at < dims.pixels;
  let pixel = min(at, dims.pixels - 1u);
  let stride = (dims.channels + 3u) / 4u;
  let first = pixel * stride;
  ${body}
}`;
}

/** The iterations of so many loops over the channels of a pixel, and as many sums over its lanes. */
export function pixelIterations(shares: number, channels: number, loops: number): number {
  const halvings = shares === 1 ? 0 : Math.log2(shares) + 1;
  return loops * (Math.ceil(quads(channels) / shares) + 1 + halvings);
}

/** Workgroups for so many pixels. */
export function pixelWorkgroups(shares: number, pixels: number): number {
  return Math.ceil(pixels * shares / LANES);
}
