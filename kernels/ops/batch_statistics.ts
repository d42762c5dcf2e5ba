import { reductionPresets } from "../wgsl/reduction_preset.ts";
import { unroll } from "../wgsl/blocked.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { addPartialSums, eachRun, partialSumKernel } from "../wgsl/partial_sums.ts";
import { defineKernel } from "../gpu/kernel.ts";
import { alongRuns, cut, over, RUN_DIMS } from "../wgsl/runs.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

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
  iterations: ({ chunk }) => Math.ceil(chunk / 4) + 1,
});

/** Operations for each element of x: two differences, the mean, a product and sums of four. */
const MOMENTS_FLOPS = 7;

function momentsOfRuns(shares: number): string {
  const pixels = (p: string): string => `f32(min(dims.chunk, dims.pixels - ${p} * dims.chunk))`;
  return /* wgsl */ `
  let count = f32(min(end * dims.chunk, dims.pixels) - begin * dims.chunk);
  var sum = vec4f();
  ${
    eachRun(shares, ({ p, at, counts }) =>
      `sum += select(vec4f(), ${pixels(p)} * (part(${at}) + part(${at} + plane)), ${counts});`)
  }
  // The mean is center + rest: what center loses to rounding is found again from differences.
  let center = total(sum, lane) / count;
  sum = vec4f();
  var m2 = vec4f();
  ${
    eachRun(shares, ({ p, at, counts }) =>
      `{
      let n = ${pixels(p)};
      let gap = (part(${at}) - center) + part(${at} + plane);
      sum += select(vec4f(), n * gap, ${counts});
      m2 += select(vec4f(), fma(n * gap, gap, part(${at} + 2u * plane)), ${counts});
    }`)
  }
  sum = total(sum, lane);
  let rest = sum / count;
  m2 = max(total(m2, lane) - sum * rest, vec4f());`;
}

const addMoments = partialSumKernel("batch norm moments, added up", { fewer_parts: "bulk" }, {
  sums: momentsOfRuns,
  passes: 2,
  store: `
  set_fewer_parts(i, center);
  set_fewer_parts(i + out_plane, rest);
  set_fewer_parts(i + 2u * out_plane, m2);`,
});

// Running statistics move towards those of the batch, with its unbiased variance, as in PyTorch.
const statistics = partialSumKernel(
  "batch norm statistics",
  { variance: "bulk", center: "bulk", rest: "bulk", running_mean: "f32", running_variance: "f32" },
  {
    dims: { momentum: "f32" },
    sums: momentsOfRuns,
    passes: 2,
    store: `
  let mean = center + rest;
  let unbiased = m2 / (count - 1.0);
  set_variance(i, m2 / count);
  set_center(i, center);
  set_rest(i, rest);
  let keep = 1.0 - dims.momentum;
  ${
      unroll(4, (k) =>
        `let at${k} = i * 4u + ${k}u;
  running_mean[at${k}] = keep * running_mean[at${k}] + dims.momentum * mean[${k}];
  running_variance[at${k}] = keep * running_variance[at${k}] + dims.momentum * unbiased[${k}];`)
    }`,
  },
);

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
    flops: MOMENTS_FLOPS * 4 * x.quads,
  });
  const { part: last, dims, workgroups } = addPartialSums(trace, addMoments, part, runs);
  const found = {
    variance: trace.tensor("batch variance", channels),
    center: trace.tensor("batch center", channels),
    rest: trace.tensor("batch rest", channels),
  };
  trace.run(statistics(reductionPresets.of(trace.gpu).shares), {
    reads: { part: last },
    writes: { ...found, running_mean: mean, running_variance: variance },
    dims: { ...dims, momentum },
    workgroups,
  });
  return found;
}
