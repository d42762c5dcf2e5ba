import { LANES } from "../wgsl/elementwise.ts";
import {
  addPartialSums,
  eachRun,
  type PartialSumKernel,
  partialSumKernel,
} from "../wgsl/partial_sums.ts";
import { defineKernel } from "../gpu/kernel.ts";
import { alongRuns, cut, over, RUN_DIMS } from "../wgsl/runs.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** part: `[parts][channels]`, Σ x·dy over one run of pixels per invocation. */
const sums = defineKernel({
  name: "sums of products",
  workgroupSize: LANES,
  reads: { x: "bulk", dy: "bulk" },
  writes: { part: "bulk" },
  dims: RUN_DIMS,
  wgsl: alongRuns(/* wgsl */ `
  var sum = vec4f();
  for (var p = first; p < end; p++) {
    let at = p * stride + c;
    sum = fma(x(at), dy(at), sum);
  }
  set_part(i, sum);`),
  iterations: ({ chunk }) => chunk + 1,
});

const addSums: PartialSumKernel<"fewer_parts"> = partialSumKernel(
  "sums of products, added up",
  { fewer_parts: "bulk" },
  {
    sums: (shares) => /* wgsl */ `
  var sum = vec4f();
  ${eachRun(shares, ({ at, counts }) => `sum += select(vec4f(), part(${at}), ${counts});`)}
  sum = total(sum, lane);`,
    store: "set_fewer_parts(i, sum);",
  },
);

/**
 * Records Σ x·dy over all but the last dimension, in at most `left` parts,
 * `[1, parts, channels]`.
 */
export function recordProductSums(trace: Trace, x: Tensor, dy: Tensor, left: number): Tensor {
  const runs = cut(trace, x);
  const part = trace.tensor("sums of products", [1, runs.parts, x.shape.at(-1) ?? 1]);
  trace.run(sums, { reads: { x, dy }, writes: { part }, ...over(runs, x) });
  return addPartialSums(trace, addSums, part, runs, left).part;
}
