import { defineKernel } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { addPartialSums, eachRun, partialSumKernel } from "../wgsl/partial_sums.ts";
import { reductionPresets } from "../wgsl/reduction_preset.ts";
import { alongRuns, cut, over, RUN_DIMS } from "../wgsl/runs.ts";

// One run of pixels per invocation; four sums hide the latency of the loads.
const sumRuns = defineKernel({
  name: "sums of pixels",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { part: "bulk" },
  dims: RUN_DIMS,
  wgsl: alongRuns(/* wgsl */ `
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  for (var p = first; p < end; p += 4u) {
    let at = p * stride + c;
    s0 += x(at);
    s1 += select(vec4f(), x(at + stride), p + 1u < end);
    s2 += select(vec4f(), x(at + 2u * stride), p + 2u < end);
    s3 += select(vec4f(), x(at + 3u * stride), p + 3u < end);
  }
  set_part(i, (s0 + s1) + (s2 + s3));`),
  iterations: ({ chunk }) => Math.ceil(chunk / 4) + 1,
});

function oneSum(shares: number): string {
  return /* wgsl */ `
  var sum = vec4f();
  ${eachRun(shares, ({ at, counts }) => `sum += select(vec4f(), part(${at}), ${counts});`)}
  sum = total(sum, lane);`;
}

const addSums = partialSumKernel("sums of pixels, added up", { fewer_parts: "bulk" }, {
  sums: oneSum,
  store: "set_fewer_parts(i, sum);",
});

const lastSum = (accumulate: boolean) =>
  partialSumKernel(
    `sums of pixels, added up${accumulate ? " and added" : ""}`,
    { y: accumulate ? "update" : "bulk" },
    { sums: oneSum, store: `set_y(i, sum${accumulate ? " + y(i)" : ""});` },
  );

/**
 * Records the sums over all pixels of x, `[..., channels]`, into y, `[channels]`, or adds them to
 * it.
 */
export function recordPixelSums(trace: Trace, x: Tensor, y: Tensor, accumulate: boolean): void {
  const runs = cut(trace, x);
  const part = trace.tensor(`${y.name} parts`, [1, runs.parts, ...y.shape]);
  trace.run(sumRuns, { reads: { x }, writes: { part }, ...over(runs, x) });
  const { part: last, dims, workgroups } = addPartialSums(trace, addSums, part, runs);
  trace.run(lastSum(accumulate)(reductionPresets.of(trace.gpu).shares), {
    reads: { part: last },
    writes: { y },
    dims,
    workgroups,
  });
}
