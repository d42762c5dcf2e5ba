// Tiles of half floats, whose products are added up as such a few at a time, against float64.
import { assert, assertEquals } from "@std/assert";
import { choosePlan } from "../kernels/conv/algorithm.ts";
import { PRODUCT_ALGORITHMS } from "../kernels/conv/convolution.ts";
import { tunablePlans } from "../kernels/conv/tunable_plans.ts";
import type { Work } from "../kernels/conv/work.ts";
import { Gpu } from "../kernels/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import type { Case } from "../kernels/op.ts";
import { conv2d, maskedConv2d } from "../kernels/ops/conv2d.ts";
import { GPU } from "../kernels/preset.ts";
import type { Placement } from "../kernels/wgsl/geometry.ts";
import { describeInput, holds } from "./op_suite.ts";
import { worksOf } from "./winograd_choice.ts";

/** The works of a case in mixed precision. */
function mixedWorks({ inputs, attributes }: Case<Placement>): Work[] {
  const [x, w] = inputs.map((input) => describeInput(input).shape);
  return worksOf([x, w], attributes).map((work) => ({ ...work, precision: "mixed" }));
}

/** The plans of half floats for a work, by name. */
function halfPlans(gpu: Gpu, work: Work): string[] {
  return tunablePlans(gpu, work).filter(({ algorithm }) => algorithm.startsWith("half "))
    .map(({ name }) => name);
}

/** The plan that is compiled the fastest, and one that holds several rows and columns. */
const TILES = [
  { small: "half 16x16x16", several: "half 64x64x16" },
  { small: "half 32x32x16", several: "half 64x64x16" },
];

Deno.test("tiles of half floats equal the float64 reference in all cases", async () => {
  const gpu = await Gpu.open({ preset: GPU });
  let chosen = 0;
  const choose = (test: Case<Placement>, size: "small" | "several"): void => {
    for (const work of mixedWorks(test)) {
      const plan = halfPlans(gpu, work).find((name) =>
        TILES.some((tiles) => name.split("/")[0] === tiles[size])
      );
      if (!plan) continue;
      gpu.choices.set(work, plan);
      chosen++;
    }
  };
  // Sums of many terms, and of positions in several parts.
  const large: Case<Placement> = {
    inputs: [[2, 13, 11, 68], [3, 3, 68, 20]],
    attributes: { stride: 1, padding: 1 },
  };
  for (const test of [...conv2d.cases, ...maskedConv2d.cases]) choose(test, "small");
  choose(large, "several");
  await holds(gpu, conv2d, [...conv2d.cases, large], { leaving: "narrowed", every: true });
  await holds(gpu, maskedConv2d, maskedConv2d.cases, { leaving: "narrowed", every: true });
  assert(chosen > 100, `${chosen} works`);
  gpu.destroy();
});

Deno.test("tiles of half floats are taken in mixed precision, by choice alone", async () => {
  const gpu = await Gpu.open({ device: nullDevice(typicalAdapter("gpu")) });
  const [forward, , gradient] = mixedWorks(conv2d.cases[12]);
  const algorithmOf = (work: Work) => choosePlan(PRODUCT_ALGORITHMS, gpu, work).algorithm;
  assertEquals(algorithmOf(forward), "tiled product");
  assert(halfPlans(gpu, forward).length && halfPlans(gpu, gradient).length);
  assertEquals(halfPlans(gpu, { ...forward, precision: undefined }), []);
  gpu.choices.set(forward, halfPlans(gpu, forward)[0]);
  assertEquals(algorithmOf(forward), "half tiled product");
  gpu.destroy();
});
