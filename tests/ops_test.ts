import { Gpu } from "../kernels/gpu.ts";
import { ops } from "../kernels/mod.ts";
import { holds } from "./op_suite.ts";

for (const maxWorkgroups of [undefined, 2]) {
  const grid = maxWorkgroups ? `a grid of at most ${maxWorkgroups} workgroups` : "its whole grid";
  for (const op of ops) {
    Deno.test(`${op.name} equals its float64 reference, and so does its gradient, on ${grid}`, async () => {
      const gpu = await Gpu.open({ maxWorkgroups });
      try {
        await holds(gpu, op, op.cases);
      } finally {
        gpu.destroy();
      }
    });
  }
}
