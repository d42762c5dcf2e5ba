import { elementwise, LANES, RELU, spread } from "./elementwise.ts";
import { CHANNEL_QUADS, defineKernel, type Kernel } from "./kernel.ts";
import type { Case, Context, Gradient, Input, Op, PendingGradient, Values } from "./op.ts";
import { quads, type Tensor } from "./tensor.ts";
import type { Trace } from "./trace.ts";

/** Attributes of a batch norm. */
export interface BatchNormAttributes {
  /** Added to the variance. */
  readonly eps: number;
  /** Whether `max(·, 0)` is applied to the result. */
  readonly relu: boolean;
}

/** Attributes of the update of running statistics. */
export interface RunningStatisticsAttributes {
  /** The weight of the batch, from 0 to 1. */
  readonly momentum: number;
  /** Values per channel in the batch: batch · height · width. */
  readonly count: number;
}

/** A tensor of `pixels` rows cut into `parts` runs of `chunk` rows; the last may be shorter. */
interface Runs {
  readonly pixels: number;
  readonly chunk: number;
  readonly parts: number;
}

const RUN_DIMS = { pixels: "u32", chunk: "u32", parts: "u32", channel_quads: "u32" } as const;

function cut(trace: Trace, x: Tensor): Runs {
  const pixels = x.quads / channelQuads(x);
  const invocations = Math.max(512, trace.gpu.preset.invocations);
  const chunk = Math.min(256, Math.max(32, Math.ceil(x.quads / invocations)));
  return { pixels, chunk, parts: Math.ceil(pixels / chunk) };
}

function channelQuads(x: Tensor): number {
  return quads(x.shape.at(-1) ?? 1);
}

/**
 * Moments of one run of pixels per invocation, four pixels at a time (Chan et al.): with the first
 * pixel as `center`, the mean is `center + rest`, and the squared distances from it add up to m2.
 * Nothing cancels, however far the mean is from 0. part: `[center, rest, m2][parts][channels]`.
 */
const moments = defineKernel({
  name: "batch norm moments",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { part: "bulk" },
  dims: RUN_DIMS,
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let stride = dims.channel_quads;
  let run = i / stride;
  if (run >= dims.parts) { return; }
  let c = i - run * stride;
  let first = run * dims.chunk;
  let end = min(first + dims.chunk, dims.pixels);
  let center = x(first * stride + c);
  var count = 0.0;
  var rest = vec4f();
  var m2 = vec4f();
  for (var p = first; p < end; p += 4u) {
    let at = p * stride + c;
    let d0 = x(at) - center;
    let d1 = select(vec4f(), x(at + stride) - center, p + 1u < end);
    let d2 = select(vec4f(), x(at + 2u * stride) - center, p + 2u < end);
    let d3 = select(vec4f(), x(at + 3u * stride) - center, p + 3u < end);
    let n = min(f32(end - p), 4.0);
    let mean = ((d0 + d1) + (d2 + d3)) * (1.0 / n);
    let e0 = d0 - mean;
    let e1 = select(vec4f(), d1 - mean, p + 1u < end);
    let e2 = select(vec4f(), d2 - mean, p + 2u < end);
    let e3 = select(vec4f(), d3 - mean, p + 3u < end);
    let gap = mean - rest;
    let share = n / (count + n);
    m2 += fma(e0, e0, fma(e1, e1, fma(e2, e2, fma(e3, e3, gap * gap * (count * share)))));
    rest += gap * share;
    count += n;
  }
  let plane = dims.parts * stride;
  set_part(i, center);
  set_part(i + plane, rest);
  set_part(i + 2u * plane, m2);
}`,
});

/** Joins `fan` neighbouring runs into one. `results` says where the outcome goes. */
const JOIN_MOMENTS = (results: string): string => /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let joined = i / dims.channel_quads;
  let c = i - joined * dims.channel_quads;
  let first = joined * dims.fan;
  if (first >= dims.parts) { return; }
  let end = min(first + dims.fan, dims.parts);
  let plane = dims.parts * dims.channel_quads;
  let count = f32(min(end * dims.chunk, dims.pixels) - first * dims.chunk);
  var sum = vec4f();
  for (var p = first; p < end; p++) {
    let n = f32(min(dims.chunk, dims.pixels - p * dims.chunk));
    let at = p * dims.channel_quads + c;
    sum += n * (part(at) + part(at + plane));
  }
  // The mean is center + rest: what center loses to rounding is found again from differences.
  let center = sum / count;
  sum = vec4f();
  var m2 = vec4f();
  for (var p = first; p < end; p++) {
    let n = f32(min(dims.chunk, dims.pixels - p * dims.chunk));
    let at = p * dims.channel_quads + c;
    let gap = (part(at) - center) + part(at + plane);
    sum = fma(vec4f(n), gap, sum);
    m2 += fma(n * gap, gap, part(at + 2u * plane));
  }
  let rest = sum / count;
  m2 = max(m2 - sum * rest, vec4f());
  ${results}
}`;

const JOIN_DIMS = { ...RUN_DIMS, fan: "u32" } as const;

const joinMoments = defineKernel({
  name: "batch norm moments, joined",
  workgroupSize: LANES,
  reads: { part: "bulk" },
  writes: { joined_part: "bulk" },
  dims: JOIN_DIMS,
  wgsl: JOIN_MOMENTS(`
  let out_plane = ((dims.parts + dims.fan - 1u) / dims.fan) * dims.channel_quads;
  set_joined_part(i, center);
  set_joined_part(i + out_plane, rest);
  set_joined_part(i + 2u * out_plane, m2);`),
});

const statistics = defineKernel({
  name: "batch norm statistics",
  workgroupSize: LANES,
  reads: { part: "bulk" },
  writes: { mean: "bulk", variance: "bulk", center: "bulk", rest: "bulk" },
  dims: JOIN_DIMS,
  wgsl: JOIN_MOMENTS(`
  set_mean(c, center + rest);
  set_variance(c, m2 / count);
  set_center(c, center);
  set_rest(c, rest);`),
});

/** Adds up `fan` neighbouring runs of `[Σ g, Σ g·(x - center)][parts][channels]`. */
const JOIN_SUMS = (results: string): string => /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let joined = i / dims.channel_quads;
  let c = i - joined * dims.channel_quads;
  let first = joined * dims.fan;
  if (first >= dims.parts) { return; }
  let end = min(first + dims.fan, dims.parts);
  var sum = vec4f();
  var moment = vec4f();
  for (var p = first; p < end; p++) {
    let at = p * dims.channel_quads + c;
    sum += part(at);
    moment += part(at + dims.parts * dims.channel_quads);
  }
  ${results}
}`;

const joinSums = defineKernel({
  name: "batch norm sums, joined",
  workgroupSize: LANES,
  reads: { part: "bulk" },
  writes: { joined_part: "bulk" },
  dims: JOIN_DIMS,
  wgsl: JOIN_SUMS(`
  set_joined_part(i, sum);
  set_joined_part(i + ((dims.parts + dims.fan - 1u) / dims.fan) * dims.channel_quads, moment);`),
});

/** Joins runs until few enough are left for one invocation per vec4 of channels to join. */
function join(
  trace: Trace,
  kernel: Kernel<"part", "joined_part", keyof typeof JOIN_DIMS>,
  part: Tensor,
  runs: Runs,
): { part: Tensor; dims: Record<keyof typeof JOIN_DIMS, number>; workgroups: number } {
  const most = trace.gpu.preset.name === "software" ? 256 : 64;
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

/** What a channel is normalized by; the mean is center, plus rest where there is one. */
interface Channels {
  readonly center: Tensor;
  readonly rest?: Tensor;
  readonly variance: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** y = d · scale + shift with d = x - center, which is exact where the mean is far from 0. */
function coefficients({ rest }: Channels): string {
  return /* wgsl */ `
  let middle = center(c);
  let inverse = inverseSqrt(variance(c) + dims.eps);
  let scale = weight(c) * inverse;
  let shift = bias(c)${rest ? " - rest(c) * scale" : ""};`;
}
