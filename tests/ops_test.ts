import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { adjoinedLoss } from "../kernels/ops/adjoined_loss.ts";
import { maskedConv2d } from "../kernels/ops/conv2d.ts";
import { crossEntropy } from "../kernels/ops/cross_entropy.ts";
import { Gpu } from "../kernels/gpu.ts";
import { maxPool2d } from "../kernels/ops/max_pool2d.ts";
import { ops } from "../kernels/mod.ts";
import type { Op } from "../kernels/op.ts";
import { compute, draw, type Expectation, expectations, holds, type Leaving } from "./op_suite.ts";

const WAYS: Readonly<Record<string, { maxWorkgroups?: number; leaving?: Leaving }>> = {
  "on its whole grid": {},
  "on a grid of at most 2 workgroups": { maxWorkgroups: 2 },
  "where another kernel loads them": { leaving: "loaded" },
  "where images are half floats": { leaving: "narrowed" },
};

/** What the cases of an op are held to, whichever way. */
const expected = new Map<Op, readonly Expectation[]>();

for (const [how, { maxWorkgroups, leaving }] of Object.entries(WAYS)) {
  for (const op of ops) {
    Deno.test(`${op.name} equals its float64 reference, and so does its gradient, ${how}`, async () => {
      const gpu = await Gpu.open({ maxWorkgroups });
      try {
        if (leaving === "narrowed") return await holds(gpu, op, op.cases, { leaving });
        const found = expected.get(op) ?? expectations(op, op.cases);
        expected.set(op, found);
        await holds(gpu, op, op.cases, { leaving, expected: found });
      } finally {
        gpu.destroy();
      }
    });
  }
}

Deno.test("max pool2d passes on what is not a number", async () => {
  const gpu = await Gpu.open();
  try {
    for (const where of [0, 4, 8]) {
      const test = {
        inputs: [{
          shape: [1, 3, 3, 1],
          sample: (_: () => number, i: number) => i === where ? NaN : i,
        }],
        attributes: { kernel: 3, stride: 3, padding: 0 },
      };
      const { outputs, gradients } = await compute(gpu, maxPool2d, test, draw(test, 1), [1]);
      assertEquals(Array.from(outputs[0]), [NaN]);
      assertEquals(gradients[0]?.[where], 1);
    }
  } finally {
    gpu.destroy();
  }
});

Deno.test("of equal values in a window of max pool2d the first gets the gradient", async () => {
  const gpu = await Gpu.open();
  try {
    const test = {
      inputs: [{ shape: [1, 2, 4, 1], sample: () => 5 }],
      attributes: { kernel: 2, stride: 2, padding: 0 },
    };
    const { gradients } = await compute(gpu, maxPool2d, test, draw(test, 1), [2, 3]);
    assertEquals(Array.from(gradients[0] ?? []), [2, 0, 3, 0, 0, 0, 0, 0]);
  } finally {
    gpu.destroy();
  }
});

Deno.test("a masked conv2d keeps the very taps that it is told, the last of 49 as the first", async () => {
  const gpu = await Gpu.open();
  try {
    for (const only of [0, 31, 32, 40, 48]) {
      const test = {
        inputs: [
          { shape: [1, 7, 7, 1], sample: (_: () => number, i: number) => i + 1 },
          { shape: [7, 7, 1, 1], sample: () => 1 },
        ],
        attributes: {
          stride: 1,
          padding: 0,
          keepOut: 1,
          keptTaps: Array.from({ length: 49 }, (_, tap) => tap === only),
        },
      };
      const { outputs, gradients } = await compute(gpu, maskedConv2d, test, draw(test, 1), [1]);
      assertEquals(Array.from(outputs[0]), [only + 1]);
      const [dx, dw] = gradients.map((gradient) => Array.from(gradient ?? []));
      assertEquals(dx, Array.from({ length: 49 }, (_, i) => i === only ? 1 : 0));
      assertEquals(dw, Array.from({ length: 49 }, (_, i) => i === only ? only + 1 : 0));
    }
  } finally {
    gpu.destroy();
  }
});

Deno.test("a detached divergence gives no gradient to the base logits", async () => {
  const gpu = await Gpu.open();
  try {
    const [batch, classes] = [5, 11];
    const labels = {
      shape: [batch],
      type: "u32",
      sample: (_: () => number, i: number) => i,
    } as const;
    const logits = [batch, classes];
    const lambda = { shape: [1], sample: () => 0.7, differentiable: false };
    const attributes = { labelSmoothing: 0.1 };
    const alone = { inputs: [logits, labels], attributes };
    const pair = {
      inputs: [logits, logits, labels, lambda],
      attributes: { ...attributes, detach: true },
    };
    const sample = draw(pair, 3);
    const [base, , values] = sample.values;
    const same = { ...draw(alone, 3), values: [base, values] };
    const { gradients: [wanted] } = await compute(gpu, crossEntropy, alone, same, [1]);
    const { gradients: [found, small] } = await compute(gpu, adjoinedLoss, pair, sample, [1]);
    Array.from(wanted ?? []).forEach((g, i) => assertAlmostEquals(found?.[i] ?? NaN, g, 1e-6));
    assert(Array.from(small ?? []).some((g) => Math.abs(g) > 1e-3));
  } finally {
    gpu.destroy();
  }
});
