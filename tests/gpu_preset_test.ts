// The kernels of the GPU preset, tile by tile, on whatever adapter there is.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { conv2d, type Conv2dAttributes, maskedConv2d } from "../kernels/ops/conv2d.ts";
import { weightGradient } from "../kernels/conv/weight_gradient.ts";
import { geometry } from "../kernels/wgsl/geometry.ts";
import { Gpu } from "../kernels/gpu.ts";
import { batchNorm } from "../kernels/ops/batch_norm.ts";
import { gateChannels } from "../kernels/ops/gate_channels.ts";
import { gateEachChannel } from "../kernels/ops/gate_each_channel.ts";
import { layerNorm } from "../kernels/ops/layer_norm.ts";
import { linear } from "../kernels/ops/linear.ts";
import { multiply } from "../kernels/ops/multiply.ts";
import { scaleChannels } from "../kernels/ops/scale_channels.ts";
import type { Case } from "../kernels/op.ts";
import { GPU, type Preset } from "../kernels/preset.ts";
import { filterLayout, type FilterTile, productLayout, TILING } from "../kernels/conv/tiles.ts";
import { compute, draw, holds } from "./op_suite.ts";

async function withGpu(
  options: { preset: Preset; maxWorkgroups?: number },
  test: (gpu: Gpu) => Promise<void>,
): Promise<void> {
  const gpu = await Gpu.open(options);
  try {
    await test(gpu);
  } finally {
    gpu.destroy();
  }
}

/** More than one of the largest tile in each direction, none of them full. */
const large: Case<Conv2dAttributes> = {
  inputs: [[2, 9, 11, 20], [3, 3, 20, 132]],
  attributes: { stride: 1, padding: 1 },
};

/** Cases of each kind: shallow, stride 2 and 3, 1x1, more than one block of channels. */
const few = [1, 6, 7, 10].map((i) => conv2d.cases[i]);

TILING.products.forEach((product, i) => {
  const filter: FilterTile = TILING.filters[i % TILING.filters.length];
  const tiles = { ...TILING, products: [product], filters: [filter] };
  const preset: Preset = { ...GPU, convolution: { ...GPU.convolution, tiles } };
  const names = `product tile ${product.name} and filter tile ${filter.name}`;
  Deno.test(`${names} equal the float64 reference, and so do their gradients`, () =>
    withGpu({ preset }, async (gpu) => {
      await holds(gpu, conv2d, [...few, large]);
      await holds(gpu, maskedConv2d, maskedConv2d.cases.slice(-3));
      await holds(gpu, linear, linear.cases.slice(3, 8));
    }));

  Deno.test(`${names} equal it on a grid of at most 2 workgroups`, () =>
    withGpu({ preset, maxWorkgroups: 2 }, async (gpu) => {
      await holds(gpu, conv2d, [conv2d.cases[1], large]);
      await holds(gpu, maskedConv2d, maskedConv2d.cases.slice(-2));
      await holds(gpu, linear, [linear.cases[5]]);
    }));
});

Deno.test("the tiles of the estimate equal the float64 reference in all cases", () =>
  withGpu({ preset: GPU }, async (gpu) => {
    // So many positions that the sums of the weight gradient are added up eight at a time.
    const split: Case<Conv2dAttributes> = {
      inputs: [[2, 37, 31, 3], [3, 3, 3, 5]],
      attributes: { stride: 1, padding: 1 },
    };
    // 41 quads: without the half, quotients such as 41 / 41 would be rounded down.
    const rounded: Case<Conv2dAttributes> = {
      inputs: [[1, 2, 3, 164], [3, 3, 164, 4]],
      attributes: { stride: 1, padding: 1 },
    };
    await holds(gpu, conv2d, [...conv2d.cases, split, rounded]);
    await holds(gpu, maskedConv2d, maskedConv2d.cases);
    await holds(gpu, linear, linear.cases);
  }));

Deno.test("without tiles the GPU preset has kernels that are right as well", () =>
  withGpu(
    { preset: { ...GPU, convolution: { ...GPU.convolution, tiles: undefined } } },
    async (gpu) => {
      await holds(gpu, conv2d, few.slice(0, 2));
      assertEquals(gpu.choices.open, []);
    },
  ));

Deno.test("a weight gradient by tiles adds to what is there, over few splits and many", () =>
  withGpu({ preset: GPU }, async (gpu) => {
    for (const size of [5, 50]) {
      using scope = gpu.scope();
      const shape = [1, size, size, 4];
      const ones = new Float32Array(size * size * 4).fill(1);
      const x = scope.tensor("x", shape, ones);
      const dy = scope.tensor("dy", shape, ones);
      const dw = scope.tensor("dw", [1, 1, 4, 4]);
      const g = geometry("conv2d", x, dw, { stride: 1, padding: 0 });
      const program = await scope.trace("gradient", (trace) => {
        const gradient = weightGradient(trace, g, { x, dy });
        assert(gradient && "write" in gradient);
        gradient.write(dw, true);
      });
      program.replay();
      program.replay();
      assertEquals([...(await gpu.read([dw]))[0]], Array(16).fill(2 * size * size));
    }
  }));

Deno.test("equal choices of tiles give equal bits", () =>
  withGpu({ preset: GPU }, async (gpu) => {
    const sample = draw(large, 7);
    const u = Array.from(conv2d.reference(sample.values, large.attributes)[0].data, Math.fround);
    const first = await compute(gpu, conv2d, large, sample, u);
    assertEquals(await compute(gpu, conv2d, large, sample, u), first);
  }));

Deno.test("tiles fit 32 KiB, and all but one the limits that every device has", () => {
  const layouts = [...TILING.products.map(productLayout), ...TILING.filters.map(filterLayout)];
  for (const { bytes, invocations } of layouts) {
    assert(bytes <= 32768, `${bytes} bytes`);
    assert(invocations <= 256, `${invocations} invocations`);
  }
  assertEquals(layouts.filter(({ bytes }) => bytes > 16384).length, 1);
});

const SHARED =
  "norms, gates and factors whose sums are shared and added up twice equal the reference";

Deno.test(
  SHARED,
  () =>
    withGpu({ preset: { ...GPU, reduction: { partialSums: 2, shares: 4 } } }, async (gpu) => {
      await holds(gpu, batchNorm, batchNorm.cases);
      await holds(gpu, gateChannels, gateChannels.cases);
      await holds(gpu, gateEachChannel, gateEachChannel.cases);
      await holds(gpu, scaleChannels, scaleChannels.cases);
      await holds(gpu, layerNorm, layerNorm.cases);
      await holds(gpu, multiply, multiply.cases);
    }),
);

Deno.test("a tile that its invocations cannot share evenly is refused", () => {
  assertThrows(
    () => productLayout({ ...TILING.products[1], name: "odd", rows: 3 }),
    RangeError,
    "Cannot use tile odd",
  );
  assertThrows(
    () => filterLayout({ ...TILING.filters[4], name: "small", inputs: 16 }),
    RangeError,
    "wanted at least 64 invocations",
  );
  for (const change of [{ depth: 64 }, { positions: 384, rows: 8 }]) {
    const odd = { ...TILING.products[0], ...change };
    assertThrows(() => productLayout(odd), RangeError, "Cannot use tile 128x64x16");
  }
  assertThrows(
    () => filterLayout({ ...TILING.filters[1], depth: 48 }),
    RangeError,
    "Cannot use tile",
  );
});
