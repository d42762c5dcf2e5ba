import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { unroll } from "../wgsl/blocked.ts";

/** The numbers that the sum of partial sums takes. */
export const SUM_DIMS = {
  taps: "u32",
  part_rows: "u32",
  part_quads: "u32",
  rows: "u32",
  channels: "u32",
  weight_rows: "u32",
  weight_quads: "u32",
  splits: "u32",
} as const;

/**
 * Adds up the partial sums of a weight gradient into the prefix slice
 * `[taps][rows of weight_rows][part_quads of weight_quads]` of a gradient, which it sets or, with
 * `accumulate`, adds to.
 */
export function sumParts(accumulate: boolean): Kernel<"part", "dw", keyof typeof SUM_DIMS> {
  return defineKernel({
    name: `sum of weight gradients${accumulate ? ", added" : ""}`,
    workgroupSize: 64,
    reads: { part: "bulk" },
    writes: { dw: accumulate ? "update" : "bulk" },
    dims: SUM_DIMS,
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let quad = i % dims.part_quads;
  let row = (i / dims.part_quads) % dims.rows;
  let tap = i / (dims.part_quads * dims.rows);
  if (tap >= dims.taps) { return; }
  let stride = dims.taps * dims.part_rows * dims.part_quads;
  var sum = vec4f();
  for (var split = 0u; split < dims.splits; split++) {
    sum += part(split * stride + (tap * dims.part_rows + row) * dims.part_quads + quad);
  }
  let channel = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
  sum = select(vec4f(), sum, channel < vec4u(dims.channels));
  let at = (tap * dims.weight_rows + row) * dims.weight_quads + quad;
  set_dw(at, sum${accumulate ? " + dw(at)" : ""});
}`,
    iterations: ({ splits }) => splits + 1,
  });
}

/** Quads of a workgroup of {@link sumManyParts}. */
export const SUMMED_QUADS = 8;

/**
 * As {@link sumParts}, for many splits: {@link SUMMED_QUADS} quads times eight shares of the splits
 * for each workgroup, the shares added up in order.
 */
export function sumManyParts(accumulate: boolean): Kernel<"part", "dw", keyof typeof SUM_DIMS> {
  return defineKernel({
    name: `sum of many weight gradients${accumulate ? ", added" : ""}`,
    workgroupSize: 64,
    reads: { part: "bulk" },
    writes: { dw: accumulate ? "update" : "bulk" },
    dims: SUM_DIMS,
    wgsl: /* wgsl */ `
var<workgroup> shares: array<vec4f, 64>;

fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${SUMMED_QUADS}u + lane % 8u;
  let count = dims.taps * dims.rows * dims.part_quads;
  let quad = i % dims.part_quads;
  let row = (i / dims.part_quads) % dims.rows;
  let tap = i / (dims.part_quads * dims.rows);
  let stride = dims.taps * dims.part_rows * dims.part_quads;
  let start = (tap * dims.part_rows + row) * dims.part_quads + quad;
  let share = (dims.splits + 7u) / 8u;
  let begin = lane / 8u * share;
  let end = select(begin, min(begin + share, dims.splits), i < count);
  // Four loads are under way at a time.
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var split = begin; split < end; split += 4u) {
    ${
      unroll(4, (u) =>
        `let in${u} = split + ${u}u < end;
    sum${u} += select(vec4f(), part(select(0u, (split + ${u}u) * stride + start, in${u})), in${u});`)
    }
  }
  workgroupBarrier();
  shares[lane] = (sum0 + sum1) + (sum2 + sum3);
  workgroupBarrier();
  if (lane < 8u && i < count) {
    var sum = vec4f();
    for (var s = lane; s < 64u; s += 8u) { sum += shares[s]; }
    let channel = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
    sum = select(vec4f(), sum, channel < vec4u(dims.channels));
    let at = (tap * dims.weight_rows + row) * dims.weight_quads + quad;
    set_dw(at, sum${accumulate ? " + dw(at)" : ""});
  }
}`,
    iterations: ({ splits }) => Math.ceil(splits / 8 / 4) + 1 + 8 + 1,
  });
}
