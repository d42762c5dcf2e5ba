import { assert } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { ops } from "../kernels/mod.ts";
import { check } from "./op_suite.ts";

const PARITY = 1e-5;
const GRADIENT = 1e-4;

for (const maxWorkgroups of [undefined, 2]) {
  const grid = maxWorkgroups ? `a grid of at most ${maxWorkgroups} workgroups` : "its whole grid";
  for (const op of ops) {
    Deno.test(`${op.name} equals its float64 reference, and so does its gradient, on ${grid}`, async () => {
      const gpu = await Gpu.open({ maxWorkgroups });
      try {
        for (const [i, test] of op.cases.entries()) {
          const { parity, gradient } = await check(gpu, op, test, 1000 + i);
          const label = `${op.name}, case ${i}, ${JSON.stringify(test.attributes)}`;
          assert(parity <= PARITY, `${label}: outputs are ${parity} off`);
          assert(gradient <= GRADIENT, `${label}: gradients are ${gradient} off`);
        }
      } finally {
        gpu.destroy();
      }
    });
  }
}
