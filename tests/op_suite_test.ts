import { assert } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { conv2d, type Conv2dAttributes, maskedConv2d } from "../kernels/ops/conv2d.ts";
import type { Case, Op } from "../kernels/op.ts";
import { check, compute, expectation, gradientError } from "./op_suite.ts";

const test: Case<Conv2dAttributes> = {
  inputs: [[2, 5, 6, 5], [3, 3, 5, 7]],
  attributes: { stride: 2, padding: 1 },
};

const expected = expectation(conv2d, test, { seed: 5 });

/** The error that the checker finds after `spoil` has changed one gradient. */
async function errorAfter(input: number, spoil: (gradient: Float64Array) => void): Promise<number> {
  const gpu = await Gpu.open();
  try {
    const { gradients } = await compute(gpu, conv2d, test, expected.sample, expected.u);
    const spoiled = gradients.map((g, i) => {
      if (!g || i !== input) return g;
      const changed = Float64Array.from(g);
      spoil(changed);
      return changed;
    });
    return gradientError(conv2d, test, expected, spoiled);
  } finally {
    gpu.destroy();
  }
}

const WRONG: Readonly<Record<string, (gradient: Float64Array) => void>> = {
  "of the wrong sign": (g) => g.forEach((v, i) => g[i] = -v),
  "twice too large": (g) => g.forEach((v, i) => g[i] = 2 * v),
  "one part in a thousand too large": (g) => g.forEach((v, i) => g[i] = 1.001 * v),
  "of zeros": (g) => g.fill(0),
  "with a dropped edge": (g) => g.fill(0, 0, Math.ceil(g.length / 10)),
  "with two channels exchanged": (g) => [g[0], g[1]] = [g[1], g[0]],
  "that is not a number": (g) => g[3] = NaN,
};

for (const [name, spoil] of Object.entries(WRONG)) {
  Deno.test(`the gradient check refuses a gradient ${name}`, async () => {
    for (const input of [0, 1]) assert(await errorAfter(input, spoil) > 1e-4);
  });
}

Deno.test("the gradient check accepts the right gradient", async () => {
  assert(await errorAfter(0, () => {}) < 1e-6);
});

Deno.test("the parity check refuses a masked convolution that drops its mask", async () => {
  const gpu = await Gpu.open();
  try {
    const unmasked: Op<Conv2dAttributes> = {
      ...conv2d,
      reference: ([x, w], { stride, padding }) =>
        maskedConv2d.reference([x, w], {
          stride,
          padding,
          keepOut: 7,
          keptTaps: [true, true, true, true, false, true, true, true, true],
        }),
    };
    assert((await check(gpu, unmasked, test, { seed: 8 })).parity > 1e-2);
  } finally {
    gpu.destroy();
  }
});
