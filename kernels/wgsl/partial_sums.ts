import { unroll } from "./blocked.ts";
import { LANES } from "./elementwise.ts";
import { defineKernel, type Kernel, type Write } from "../gpu/kernel.ts";
import { reductionPresets } from "./reduction_preset.ts";
import { channelQuads, RUN_DIMS, type Runs } from "./runs.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

const FAN_DIMS = { ...RUN_DIMS, fan: "u32" } as const;

/** Vec4 of channels of a workgroup whose lanes share the partial sums of a channel. */
const SHARED_QUADS = 4;

/** Loads that are under way at a time where lanes share the runs. */
const AHEAD = 4;

/** Lanes of a workgroup that adds up partial sums, and its vec4 of channels. */
function groupOf(shares: number): { lanes: number; quads: number } {
  return shares === 1
    ? { lanes: LANES, quads: LANES }
    : { lanes: shares * SHARED_QUADS, quads: SHARED_QUADS };
}

/**
 * A kernel that adds up partial sums, for a number of lanes that share those of a vec4 of channels.
 */
export type PartialSumKernel<W extends string> = (shares: number) => Kernel<string, W, string>;

/**
 * WGSL that runs `body` for the runs of an invocation: run `p` whose sums begin at vec4 `at`. It
 * counts only where `counts` is true; a few loads are under way at a time.
 */
export function eachRun(
  shares: number,
  body: (names: { p: string; at: string; counts: string }) => string,
): string {
  if (shares === 1) {
    return `for (var p = first; p < end; p++) {
    let at = p * dims.channel_quads + c;
    ${body({ p: "p", at: "at", counts: "true" })}
  }`;
  }
  return `for (var p = first; p < end; p += ${AHEAD * shares}u) {
    ${
    unroll(AHEAD, (u) =>
      `let counts${u} = p + ${u * shares}u < end;
    let p${u} = select(p, p + ${u * shares}u, counts${u});
    let at${u} = p${u} * dims.channel_quads + c;`)
  }
    ${unroll(AHEAD, (u) => body({ p: `p${u}`, at: `at${u}`, counts: `counts${u}` }))}
  }`;
}

/**
 * A kernel that adds up the partial sums of `fan` neighbouring runs, begin to end, of each vec4 of
 * channels `c`; `shares` invocations share them. `sums` is WGSL for sums over the runs of an
 * invocation, in so many `passes`, of which `total(sum, lane)` gives that over all; `store` writes
 * them for part `i`.
 */
export function partialSumKernel<const W extends string>(
  name: string,
  writes: Record<W, Write>,
  { reads = {}, dims = {}, sums, passes = 1, store }: Pick<Partial<Kernel>, "reads" | "dims"> & {
    sums: (shares: number) => string;
    passes?: number;
    store: string;
  },
): PartialSumKernel<W> {
  return (shares) => {
    const { lanes, quads } = groupOf(shares);
    return defineKernel({
      name,
      workgroupSize: lanes,
      reads: { part: "bulk", ...reads },
      writes,
      dims: { ...FAN_DIMS, ...dims },
      wgsl: /* wgsl */ `
${total(shares, quads)}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${quads}u + lane % ${quads}u;
  let group = i / dims.channel_quads;
  let c = i - group * dims.channel_quads;
  let begin = group * dims.fan;
  let first = begin + lane / ${quads}u;
  let end = min(begin + dims.fan, dims.parts);
  let plane = dims.parts * dims.channel_quads;
  let out_plane = ((dims.parts + dims.fan - 1u) / dims.fan) * dims.channel_quads;
  ${sums(shares)}
  if (lane >= ${quads}u || begin >= dims.parts) { return; }
  ${store}
}`,
      iterations: ({ fan }) => {
        const rounds = Math.ceil(fan / (shares === 1 ? 1 : AHEAD * shares)) + 1;
        const halvings = shares === 1 ? 0 : Math.log2(shares) + 1;
        return passes * rounds + (passes + 1) * halvings;
      },
    });
  };
}

/** WGSL of `total`, the sum over the lanes that share the runs of a vec4 of channels. */
function total(shares: number, quads: number): string {
  if (shares === 1) return "fn total(sum: vec4f, lane: u32) -> vec4f { return sum; }";
  return `
var<workgroup> sums: array<array<vec4f, ${quads}>, ${shares}>;
fn total(sum: vec4f, lane: u32) -> vec4f {
  workgroupBarrier();
  sums[lane / ${quads}u][lane % ${quads}u] = sum;
  for (var half = ${shares / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half * ${quads}u) {
      sums[lane / ${quads}u][lane % ${quads}u] += sums[lane / ${quads}u + half][lane % ${quads}u];
    }
  }
  workgroupBarrier();
  return sums[0][lane % ${quads}u];
}`;
}

/** Two sums over the runs. */
export function twoSums(shares: number): string {
  return /* wgsl */ `
  var sum = vec4f();
  var moment = vec4f();
  ${
    eachRun(shares, ({ at, counts }) =>
      `sum += select(vec4f(), part(${at}), ${counts});
    moment += select(vec4f(), part(${at} + plane), ${counts});`)
  }
  sum = total(sum, lane);
  moment = total(moment, lane);`;
}

/** Adds up the partial sums of two sums. */
export const addTwoSums: PartialSumKernel<"fewer_parts"> = partialSumKernel(
  "batch norm sums, added up",
  {
    fewer_parts: "bulk",
  },
  {
    sums: twoSums,
    store: `
  set_fewer_parts(i, sum);
  set_fewer_parts(i + out_plane, moment);`,
  },
);

/**
 * Adds up partial sums until at most `left` are left; by default as many as one workgroup can add
 * up.
 */
export function addPartialSums(
  trace: Trace,
  kernel: PartialSumKernel<"fewer_parts">,
  part: Tensor,
  runs: Runs,
  left?: number,
): { part: Tensor; dims: Record<keyof typeof FAN_DIMS, number>; workgroups: number } {
  const { partialSums: each, shares } = reductionPresets.of(trace.gpu);
  const most = each * shares;
  const { quads } = groupOf(shares);
  const channel_quads = channelQuads(part);
  const { pixels, chunk, parts } = runs;
  if (parts <= (left ?? most)) {
    const dims = { pixels, chunk, parts, channel_quads, fan: parts };
    return { part, dims, workgroups: Math.ceil(channel_quads / quads) };
  }
  const fan = Math.max(2, Math.min(most, Math.ceil(left ? parts / left : Math.sqrt(parts))));
  const fewer = Math.ceil(parts / fan);
  const [planes, , channels] = part.shape;
  const reduced = trace.tensor(`${part.name}, added up`, [planes, fewer, channels]);
  trace.run(kernel(shares), {
    reads: { part },
    writes: { fewer_parts: reduced },
    dims: { pixels, chunk, parts, channel_quads, fan },
    workgroups: Math.ceil(fewer * channel_quads / quads),
  });
  return addPartialSums(trace, kernel, reduced, { pixels, chunk: chunk * fan, parts: fewer }, left);
}
