import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { checkGuarded } from "./guarded.ts";

const averageKernel = defineKernel({
  name: "moving average",
  workgroupSize: LANES,
  reads: { values: "small", guard: "channel", share: "channel" },
  writes: { average: "update" },
  dims: { quads: "u32" },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i >= dims.quads || guard(0u).y == 0.0) { return; }
  let before = average(i);
  set_average(i, fma(vec4f(share(0u).x), values(i) - before, before));
}`,
});

function checkShare({ shape }: { readonly shape: readonly number[] }): void {
  if (shape.join() === "1") return;
  throw new TypeError(`Cannot apply moving average: wanted a share [1], found [${shape}]`);
}

const example = (
  n: number,
  { share, counts }: { share: number; counts: number },
): Case<object> => ({
  inputs: [
    [n],
    [n],
    { shape: [4], sample: (_, i) => [counts, counts, 0, 0][i] },
    { shape: [1], sample: () => share },
  ],
  attributes: {},
});

/**
 * `movingAverage(average, values, guard, share)`: moves the average `[n]` towards the values by the
 * share `[1]` of their difference, in place, where the guard `[4]` of {@link guardStep} says that
 * the step counts.
 */
export const movingAverage: Op = {
  name: "moving average",
  forward: (trace, inputs) => {
    checkGuarded("moving average", inputs, 2);
    const [average, values, guard, share] = inputs;
    checkShare(share);
    trace.run(averageKernel, {
      reads: { values, guard, share },
      writes: { average },
      dims: { quads: average.quads },
      workgroups: Math.ceil(average.quads / LANES),
    });
    return [average];
  },
  vjp: "none",
  reference: (inputs) => {
    checkGuarded("moving average", inputs, 2);
    const [average, values, guard, share] = inputs;
    checkShare(share);
    if (guard.data[1] === 0) return [average];
    const data = average.data.map((a, i) => a + share.data[0] * (values.data[i] - a));
    return [{ shape: average.shape, data }];
  },
  cases: [
    example(1, { share: 0.5, counts: 1 }),
    example(77, { share: 2e-4, counts: 1 }),
    example(1031, { share: 0.1, counts: 0 }),
    example(2050, { share: 0.9, counts: 1 }),
  ],
};
