// Winograd's products in the place of a convolution's, on whatever adapter there is.
import { assert, assertEquals } from "@std/assert";
import { conv2d, maskedConv2d, type MaskedConv2dAttributes } from "../kernels/ops/conv2d.ts";
import type { Placement } from "../kernels/wgsl/geometry.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { Case } from "../kernels/op.ts";
import { GPU } from "../kernels/preset.ts";
import { tunablePlans } from "../kernels/conv/tunable_plans.ts";
import { canWinograd } from "../kernels/conv/winograd.ts";
import { compute, draw, holds, relativeL2 } from "./op_suite.ts";
import { chooseWinograd, type Shapes, worksOf } from "./winograd_choice.ts";

async function withGpu(
  options: { maxWorkgroups?: number },
  test: (gpu: Gpu) => Promise<void>,
): Promise<void> {
  const gpu = await Gpu.open({ preset: GPU, ...options });
  try {
    await test(gpu);
  } finally {
    gpu.destroy();
  }
}

const PLAIN: readonly (readonly [Shapes, number])[] = [
  [[[2, 5, 7, 128], [3, 3, 128, 132]], 1],
  [[[1, 6, 5, 160], [3, 3, 160, 130]], 0],
  [[[1, 3, 4, 128], [3, 3, 128, 128]], 2],
  // No filter tile has rows of one place only: that gradient is the convolution's.
  [[[3, 1, 1, 130], [3, 3, 130, 129]], 1],
  // So many positions that the sums of the weight gradient are in several splits.
  [[[1, 34, 33, 128], [3, 3, 128, 128]], 1],
];

PLAIN.forEach(([[x, w], padding], i) => {
  const attributes = { stride: 1, padding };
  Deno.test(`winograd equals the float64 reference on [${x}] with padding ${padding}`, () =>
    withGpu({}, async (gpu) => {
      const found = chooseWinograd(gpu, worksOf([x, w], attributes), i);
      assertEquals(found, x[3] % 32 ? 2 : 3);
      await holds(gpu, conv2d, [{ inputs: [x, w], attributes }]);
      assertEquals(gpu.choices.open.length, 3 - found);
    }));
});

Deno.test("winograd equals it on a grid of at most 2 workgroups, for slices of a filter", () =>
  withGpu({ maxWorkgroups: 2 }, async (gpu) => {
    const [x, w] = [[1, 4, 5, 160], [3, 3, 170, 200]];
    const attributes = { stride: 1, padding: 1, keepOut: 130 };
    assertEquals(chooseWinograd(gpu, worksOf([x, w], attributes), 0), 3);
    const slices: Case<MaskedConv2dAttributes> = { inputs: [x, w], attributes };
    await holds(gpu, maskedConv2d, [slices]);
  }));

Deno.test("winograd rounds at most a few times as much as the convolution does", () =>
  withGpu({}, async (gpu) => {
    const [shapes, padding] = PLAIN[0];
    const attributes = { stride: 1, padding };
    const test = { inputs: shapes, attributes };
    const forward = { ...conv2d, vjp: "none" } as const;
    const sample = draw(test, 5);
    const [{ data: wanted }] = conv2d.reference(sample.values, attributes);
    const error = async () =>
      relativeL2((await compute(gpu, forward, test, sample, [])).outputs[0], wanted);
    const direct = await error();
    chooseWinograd(gpu, worksOf(shapes, attributes), 0);
    const ours = await error();
    assert(ours !== direct);
    assert(ours < 1e-6, `${ours}`);
    assert(ours < 6 * direct, `${ours} and ${direct}`);
  }));

Deno.test("winograd is for whole 3x3 filters of stride 1 with many channels, and never a guess", () =>
  withGpu({}, (gpu) => {
    const can = (
      [x, w]: Shapes,
      attributes: Placement,
      largest = gpu.largestBuffer,
    ): boolean => canWinograd(worksOf([x, w], attributes)[0].geometry, largest);
    const shapes: Shapes = [[2, 8, 8, 128], [3, 3, 128, 128]];
    const placed = { stride: 1, padding: 1 };
    assert(can(shapes, placed));
    assert(!can(shapes, { ...placed, stride: 2 }));
    assert(!can(shapes, { ...placed, padding: 3 }));
    assert(!can(shapes, { ...placed, keptTaps: Array.from({ length: 9 }, (_, i) => i !== 4) }));
    assert(!can(shapes, placed, 16 * 32 * 128 * 4 - 1));
    assert(!can([[2, 8, 8, 128], [5, 5, 128, 128]], placed));
    assert(!can([[2, 8, 8, 128], [1, 9, 128, 128]], placed));
    assert(!can([[2, 8, 8, 64], [3, 3, 64, 128]], placed));
    for (const work of worksOf(shapes, placed)) {
      const algorithms = tunablePlans(gpu, work).map(({ algorithm }) => algorithm);
      assert(algorithms[0] !== "winograd" && algorithms.includes("winograd"));
    }
    return Promise.resolve();
  }));
