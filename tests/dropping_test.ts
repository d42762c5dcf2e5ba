import { assert, assertEquals, assertThrows } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { avgPool2d } from "../kernels/ops/avg_pool2d.ts";
import { dropout } from "../kernels/ops/dropout.ts";
import { dropPath } from "../kernels/ops/drop_path.ts";
import { maxPool2d } from "../kernels/ops/max_pool2d.ts";
import type { Op, Values } from "../kernels/op.ts";
import { upsample2d } from "../kernels/ops/upsample2d.ts";
import { type Dropping, keeps } from "../kernels/wgsl/dropping.ts";
import { compute, draw } from "./op_suite.ts";

/** For each element of ones `[1000]`, whether it stays; gradients are of ones too. */
async function kept(
  gpu: Gpu,
  op: Op<Dropping>,
  attributes: Dropping,
  noise: readonly number[],
): Promise<{ text: string; share: number; gradient: string }> {
  const ones = { shape: [1000, 1], sample: () => 1 };
  const test = {
    inputs: [ones, {
      shape: [2],
      type: "u32" as const,
      sample: (_: unknown, i: number) => noise[i],
    }],
    attributes,
  };
  const dy = Array<number>(1000).fill(1);
  const { outputs: [y], gradients: [dx] } = await compute(gpu, op, test, draw(test, 1), dy);
  const bits = Array.from(y, (v) => v > 0 ? 1 : 0);
  return {
    text: bits.join(""),
    share: bits.reduce<number>((sum, bit) => sum + bit, 0) / 1000,
    gradient: Array.from(dx ?? [], (v) => v > 0 ? 1 : 0).join(""),
  };
}

for (const op of [dropout, dropPath]) {
  Deno.test(`${op.name} draws the same from a seed, a step and a stream, else something else`, async () => {
    const gpu = await Gpu.open();
    try {
      const attributes = { rate: 0.3, stream: 2 };
      const first = await kept(gpu, op, attributes, [7, 100]);
      assertEquals((await kept(gpu, op, attributes, [7, 100])).text, first.text);
      // A binomial share of 1000 draws, to five standard deviations.
      assert(Math.abs(first.share - 0.7) < 0.075, `${first.share} stay`);
      assertEquals(first.gradient, first.text);
      const others = [
        await kept(gpu, op, attributes, [8, 100]),
        await kept(gpu, op, attributes, [7, 101]),
        await kept(gpu, op, { ...attributes, stream: 3 }, [7, 100]),
      ];
      for (const { text } of others) {
        const same = [...text].filter((bit, i) => bit === first.text[i]).length;
        // Independent masks agree in 0.49 + 0.09 of all places.
        assert(Math.abs(same / 1000 - 0.58) < 0.08, `${same} of 1000 are the same`);
      }
    } finally {
      gpu.destroy();
    }
  });

  Deno.test(`${op.name} refuses rates, streams and noise that are none`, () => {
    const noise: Values = { shape: [2], data: Float64Array.of(0, 0) };
    const x: Values = { shape: [2, 3], data: new Float64Array(6) };
    const run = (attributes: Partial<Dropping>, inputs: readonly Values[] = [x, noise]) =>
      op.reference(inputs, { rate: 0.5, stream: 0, ...attributes });
    const what = `Cannot apply ${op.name}: wanted`;
    for (const rate of [-0.1, 1, NaN]) {
      assertThrows(
        () => run({ rate }),
        RangeError,
        `${what} a rate from 0 to below 1, found ${rate}`,
      );
    }
    for (const stream of [-1, 0.5, 2 ** 32]) {
      const text = `${what} a stream from 0 to 2^32 - 1, found ${stream}`;
      assertThrows(() => run({ stream }), RangeError, text);
    }
    const pair = `${what} a seed and a step [2], of type u32, found`;
    assertThrows(() => run({}, [x]), TypeError, `${pair} none`);
    assertThrows(() => run({}, [x, x]), TypeError, `${pair} [2,3]`);
  });
}

Deno.test("drop path wants images", () => {
  const x: Values = { shape: [6], data: new Float64Array(6) };
  assertThrows(
    () => dropPath.reference([x], { rate: 0.5, stream: 0 }),
    TypeError,
    "Cannot apply drop path: wanted an input [batch, ..., channels], found [6]",
  );
});

Deno.test("a higher rate drops what a lower one does, and more", () => {
  const all = keeps({ rate: 0.5, stream: 0 }, [3, 4]);
  const fewer = keeps({ rate: 0.2, stream: 0 }, [3, 4]);
  const places = Array.from({ length: 200 }, (_, i) => i);
  assert(places.every((i) => !all(i) || fewer(i)));
});

Deno.test("pools and upsampling refuse padding and factors that are none", () => {
  const x: Values = { shape: [1, 4, 4, 1], data: new Float64Array(16) };
  const windows = { kernel: 3, stride: 1, ceilMode: false };
  for (const padding of [-1, 2, 0.5]) {
    const text = `wanted a padding from 0 to half of kernel 3, found ${padding}`;
    assertThrows(
      () => avgPool2d.reference([x], { ...windows, padding }),
      RangeError,
      `Cannot apply avg pool2d: ${text}`,
    );
    assertThrows(
      () => maxPool2d.reference([x], { ...windows, padding }),
      RangeError,
      `Cannot apply max pool2d: ${text}`,
    );
  }
  for (const factor of [0, 65, 1.5]) {
    assertThrows(
      () => upsample2d.reference([x], { factor }),
      RangeError,
      `Cannot apply upsample2d: wanted a whole factor from 1 to 64, found ${factor}`,
    );
  }
  assertThrows(
    () => upsample2d.reference([{ shape: [2, 3], data: new Float64Array(6) }], { factor: 2 }),
    TypeError,
    "Cannot apply upsample2d: wanted an input [batch, height, width, channels], found [2,3]",
  );
});
