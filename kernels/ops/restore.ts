import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { checkGuarded } from "./guarded.ts";

const restoreKernel = defineKernel({
  name: "restore",
  workgroupSize: LANES,
  reads: { before: "small", guard: "channel" },
  writes: { values: "update" },
  dims: { quads: "u32" },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  if (i >= dims.quads || guard(0u).y != 0.0) { return; }
  set_values(i, before(i));
}`,
});

const example = (n: number, counts: number): Case<object> => ({
  inputs: [[n], [n], { shape: [4], sample: (_, i) => [counts, counts, 0, 0][i] }],
  attributes: {},
});

/**
 * `restore(values, before, guard)`: overwrites the values `[n]` with those before, in place, where
 * the guard `[4]` of {@link guardStep} says that the step does not count.
 */
export const restore: Op = {
  name: "restore",
  forward: (trace, inputs) => {
    checkGuarded("restore", inputs, 2);
    const [values, before, guard] = inputs;
    trace.run(restoreKernel, {
      reads: { before, guard },
      writes: { values },
      dims: { quads: values.quads },
      workgroups: Math.ceil(values.quads / LANES),
    });
    return [values];
  },
  vjp: "none",
  reference: (inputs) => {
    checkGuarded("restore", inputs, 2);
    const [values, before, guard] = inputs;
    return [guard.data[1] === 0 ? before : values];
  },
  cases: [example(1, 1), example(77, 0), example(1031, 0), example(1031, 1)],
};
