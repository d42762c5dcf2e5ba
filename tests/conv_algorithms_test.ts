// The lists of convolution algorithms: which algorithm is taken for which work.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Algorithm, choosePlan, defineAlgorithm } from "../kernels/conv/algorithm.ts";
import { tileChoices } from "../kernels/conv/choices.ts";
import { PRODUCT_ALGORITHMS } from "../kernels/conv/convolution.ts";
import { tunablePlans } from "../kernels/conv/tunable_plans.ts";
import { WEIGHT_GRADIENT_ALGORITHMS } from "../kernels/conv/weight_gradient.ts";
import type { Work } from "../kernels/conv/work.ts";
import type { AdapterKind } from "../kernels/gpu/device_preset.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import { typicalAdapter } from "../kernels/gpu/typical_adapter.ts";
import { Gpu } from "../kernels/gpu.ts";
import { geometry } from "../kernels/wgsl/geometry.ts";

function work(
  direction: Work["direction"],
  [size, inputs, outputs, kernel, stride]: readonly number[],
): Work {
  const x = { shape: [2, size, size, inputs] };
  const w = { shape: [kernel, kernel, inputs, outputs] };
  const padding = (kernel - 1) / 2;
  return { direction, geometry: geometry("conv2d", x, w, { stride, padding }) };
}

const open = (kind: AdapterKind): Promise<Gpu> =>
  Gpu.open({ device: nullDevice(typicalAdapter(kind)) });

const IMAGE = [8, 3, 16, 3, 1];
const INSIDE = [8, 16, 16, 3, 1];
/** The last column of its image has no position of its own in each phase. */
const UNEVEN = [7, 3, 16, 3, 2];
const WIDE = [8, 128, 128, 3, 1];

function chosen(gpu: Gpu, one: Work): string {
  return one.direction === "weight gradient"
    ? choosePlan(WEIGHT_GRADIENT_ALGORITHMS, gpu, one).algorithm
    : choosePlan(PRODUCT_ALGORITHMS, gpu, one).algorithm;
}

Deno.test("each algorithm is taken for the works that it is for", async () => {
  const software = await open("software");
  const gpu = await open("gpu");
  const rows = [
    [software, "forward", IMAGE, "implicit GEMM"],
    [software, "input gradient", IMAGE, "thin product"],
    [software, "input gradient", UNEVEN, "implicit GEMM"],
    [software, "input gradient", INSIDE, "implicit GEMM"],
    [software, "weight gradient", IMAGE, "image weight gradient"],
    [software, "weight gradient", INSIDE, "blocked weight gradient"],
    [gpu, "forward", WIDE, "tiled product"],
    [gpu, "input gradient", IMAGE, "tiled product"],
    [gpu, "weight gradient", IMAGE, "tiled weight gradient"],
  ] as const;
  for (const [on, direction, shape, algorithm] of rows) {
    assertEquals(chosen(on, work(direction, shape)), algorithm, `${direction} ${shape}`);
  }
  const placed = [
    ["forward", { groups: 8 }, "depthwise product"],
    ["input gradient", { groups: 8, stride: 2 }, "depthwise product"],
    ["weight gradient", { groups: 8 }, "depthwise weight gradient"],
    ["forward", { groups: 2 }, "direct product"],
    ["weight gradient", { groups: 2 }, "direct weight gradient"],
    ["forward", { stride: 2, dilation: 2 }, "implicit GEMM"],
    ["input gradient", { stride: [2, 1], dilation: [1, 2] }, "implicit GEMM"],
    ["input gradient", { stride: 2, dilation: 2 }, "direct product"],
    ["weight gradient", { stride: 2, dilation: 2 }, "blocked weight gradient"],
  ] as const;
  for (const [direction, attributes, algorithm] of placed) {
    const { groups = 1 } = { groups: undefined, ...attributes };
    const x = { shape: [2, 9, 8, 8] };
    const w = { shape: [3, 3, 8 / groups, 8] };
    const g = geometry("conv2d", x, w, { stride: 1, padding: 1, ...attributes });
    assertEquals(chosen(software, { direction, geometry: g }), algorithm, JSON.stringify(placed));
  }
  // Winograd is taken by choice alone.
  for (const direction of ["forward", "input gradient", "weight gradient"] as const) {
    const one = work(direction, WIDE);
    const plan = tunablePlans(gpu, one).find(({ algorithm }) => algorithm === "winograd");
    assert(plan, direction);
    gpu.choices.set(one, plan.name);
    assertEquals(chosen(gpu, one), "winograd", direction);
  }
});

Deno.test("the last algorithm of each list applies to everything, without a measurement", async () => {
  const gpu = await open("software");
  for (
    const [algorithms, direction] of [
      [PRODUCT_ALGORITHMS, "forward"],
      [PRODUCT_ALGORITHMS, "input gradient"],
      [WEIGHT_GRADIENT_ALGORITHMS, "weight gradient"],
    ] as const
  ) {
    const last = algorithms[algorithms.length - 1];
    assert(last.guessed && !last.timed);
    for (const shape of [IMAGE, INSIDE, UNEVEN, WIDE]) {
      assert(last.plans(gpu, work(direction, shape), 1).length, `${last.name} ${shape}`);
    }
  }
});

interface Options {
  readonly name: string;
  readonly applies?: boolean;
  readonly timed?: boolean;
  readonly guessed?: boolean;
  readonly times?: readonly number[];
}

/** An algorithm that records its name and the number of the variant. */
function recorder(
  { name, applies = true, timed = false, guessed = true, times = [1] }: Options,
): Algorithm<string[], void> {
  return defineAlgorithm({
    name,
    timed,
    guessed,
    applies: () => applies,
    variants: () => times.map((time, i) => ({ name: `${name}${i}`, time })),
    estimate: (_gpu, _work, { time }) => time,
    record: (_trace, log: string[], variant) => void log.push(variant.name),
  });
}

Deno.test("choices go before estimates, estimates before what comes later in the list", async () => {
  const gpu = await open("gpu");
  const one = work("forward", IMAGE);
  const take = (...algorithms: readonly Options[]): string =>
    choosePlan(algorithms.map(recorder), gpu, one).name;
  assertEquals(take({ name: "a", times: [3, 1, 2] }, { name: "b", times: [0] }), "a1");
  assertEquals(take({ name: "a", applies: false }, { name: "b" }), "b0");
  assertEquals(take({ name: "a", guessed: false, timed: true }, { name: "b" }), "b0");
  assertEquals(take({ name: "a", times: [] }, { name: "b" }), "b0");
  assertEquals(tileChoices.of(gpu).open, [one]);
  gpu.choices.set(one, "c1");
  assertEquals(take({ name: "a" }, { name: "c", timed: true, times: [1, 2] }), "c1");
  // A name that is gone gives way to the estimate.
  assertEquals(take({ name: "a" }, { name: "d", timed: true }), "a0");
  const none = "Cannot record a convolution, forward: none of a applies";
  assertThrows(() => take({ name: "a", applies: false }), TypeError, none);
});
