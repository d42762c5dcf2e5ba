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
  wgsl: alongRuns(/* wgsl */ `
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
  set_part(i + 2u * plane, m2);`),
});

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
    reads: { part: "small", ...reads },
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

const JOIN_MOMENTS = /* wgsl */ `
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
  m2 = max(m2 - sum * rest, vec4f());`;

const joinMoments = joining("batch norm moments, joined", { joined_part: "bulk" }, {
  wgsl: `${JOIN_MOMENTS}
  set_joined_part(i, center);
  set_joined_part(i + out_plane, rest);
  set_joined_part(i + 2u * out_plane, m2);`,
});

// Running statistics move towards those of the batch, with its unbiased variance, as in PyTorch.
const statistics = joining(
  "batch norm statistics",
  { variance: "bulk", center: "bulk", rest: "bulk", running_mean: "f32", running_variance: "f32" },
  {
    dims: { momentum: "f32" },
    wgsl: `${JOIN_MOMENTS}
  let mean = center + rest;
  let unbiased = m2 / (count - 1.0);
  set_variance(i, m2 / count);
  set_center(i, center);
  set_rest(i, rest);
  let keep = 1.0 - dims.momentum;
  for (var k = 0u; k < 4u; k++) {
    let at = i * 4u + k;
    running_mean[at] = keep * running_mean[at] + dims.momentum * mean[k];
    running_variance[at] = keep * running_variance[at] + dims.momentum * unbiased[k];
  }`,
  },
);

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

/** Running statistics, and the weight of the batch in them, from 0 to 1. */
export interface RunningStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly momentum: number;
}

/** Statistics of a batch: center + rest is the mean in twice the precision of either. */
export interface Statistics {
  readonly variance: Tensor;
  readonly center: Tensor;
  readonly rest: Tensor;
}

/** Records the statistics of x over all but the last dimension, and updates the running ones. */
export function recordStatistics(
  trace: Trace,
  x: Tensor,
  { mean, variance, momentum }: RunningStatistics,
): Statistics {
  const runs = cut(trace, x);
  const channels = x.shape.slice(-1);
  const part = trace.tensor("batch norm moments", [3, runs.parts, ...channels]);
  trace.run(moments, {
    reads: { x },
    writes: { part },
    ...over(runs, x),
  });
  const { part: last, dims, workgroups } = join(trace, joinMoments, part, runs);
  const found = {
    variance: trace.tensor("batch variance", channels),
    center: trace.tensor("batch center", channels),
    rest: trace.tensor("batch rest", channels),
  };
  trace.run(statistics, {
    reads: { part: last },
    writes: { ...found, running_mean: mean, running_variance: variance },
    dims: { ...dims, momentum },
    workgroups,
  });
  return found;
}
