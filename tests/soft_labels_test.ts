// Targets that are mixed of two labels, and classes with weights. Values and gradients are held by
// the op suite and by PyTorch's numbers; here: what is passed on, and what is refused.
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import type { Op, Values } from "../kernels/op.ts";
import { adjoinedLoss } from "../kernels/ops/adjoined_loss.ts";
import { crossEntropy } from "../kernels/ops/cross_entropy.ts";
import { distillationLoss } from "../kernels/ops/distillation_loss.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { resnet } from "../nn/families/mod.ts";
import { applying } from "../train/learner.ts";
import { lossOf, type Objective } from "../train/objective.ts";
import { compute, draw } from "./op_suite.ts";

const base = resnet({
  block: "basic",
  depths: [1],
  widths: [4],
  stem: [4],
  reduce: false,
  classes: 3,
});

const OBJECTIVES: Readonly<Record<string, Objective>> = {
  adjoined: {
    mode: "adjoined",
    adjoined: adjoin(base, { compression: 2, maskFrom: 1 }),
    detach: false,
  },
  plain: { mode: "plain", which: "base", network: base },
  distill: { mode: "distill", which: "base", network: base, teacher: base },
};

const of = (shape: number[], ...data: number[]): Values => ({
  shape,
  data: Float64Array.from(data),
});

const LOGITS = of([2, 3], 0.5, -1, 2, 1, 0, -0.5);
const OTHER_LOGITS = of([2, 3], 0.1, 0.2, -0.3, 0.4, 1.5, -2);
const LABELS = of([2], 2, 0);
const OTHERS = of([2], 1, 0);
const SHARES = of([2], 0.75, 0.5);
const WEIGHTS = of([3], 0.5, 2, 1);
const LAMBDA = of([1], 0.25);

/** The reference of the loss of a mode. */
function wanted(mode: string, mixed: boolean, weighted: boolean): number {
  const attributes = { labelSmoothing: 0.125, mixed, weighted, detach: false };
  const target = [...(mixed ? [OTHERS, SHARES] : []), ...(weighted ? [WEIGHTS] : [])];
  const [found] = mode === "adjoined"
    ? adjoinedLoss.reference([LOGITS, OTHER_LOGITS, LABELS, LAMBDA, ...target], attributes)
    : mode === "plain"
    ? crossEntropy.reference([LOGITS, LABELS, ...target], attributes)
    : distillationLoss.reference([LOGITS, OTHER_LOGITS, LABELS, ...target], attributes);
  return found.data[0];
}

for (const [mode, objective] of Object.entries(OBJECTIVES)) {
  Deno.test(`the loss of mode ${mode} is over mixed labels and weighted classes where they are given`, async () => {
    const gpu = await Gpu.open();
    try {
      using scope = gpu.scope();
      const on = ({ shape, data }: Values, type?: "u32") => scope.tensor("in", shape, data, type);
      const found: number[] = [];
      for (
        const [mixed, weighted] of [[false, false], [true, false], [false, true], [true, true]]
      ) {
        let loss = on(LAMBDA);
        const inputs = {
          logits: { base: on(LOGITS), small: on(OTHER_LOGITS) },
          labels: on(LABELS, "u32"),
          lambda: on(LAMBDA),
          teacher: on(OTHER_LOGITS),
          labelSmoothing: 0.125,
          mix: mixed ? { others: on(OTHERS, "u32"), shares: on(SHARES) } : undefined,
          classWeights: weighted ? on(WEIGHTS) : undefined,
        };
        const program = await scope.trace("loss", (trace) => {
          loss = trace.keep(lossOf(objective, { apply: applying(trace), ...inputs })[0]);
        });
        program.replay();
        const [[value]] = await gpu.read([loss]);
        assertAlmostEquals(value, wanted(mode, mixed, weighted), 1e-5);
        found.push(value);
      }
      assertEquals(new Set(found).size, 4);
    } finally {
      gpu.destroy();
    }
  });
}

Deno.test("weights of classes mean the same for mixed labels of share 1 as for labels", () => {
  const attributes = { labelSmoothing: 0.1, weighted: true };
  const ones = of([2], 1, 1);
  const [labels] = crossEntropy.reference([LOGITS, LABELS, WEIGHTS], attributes);
  const [mixed] = crossEntropy.reference([LOGITS, LABELS, OTHERS, ones, WEIGHTS], {
    ...attributes,
    mixed: true,
  });
  assertAlmostEquals(mixed.data[0], labels.data[0], 1e-12);
});

/** What a loss gives for inputs, labels and others of type u32. */
async function lossFor(inputs: readonly Values[], attributes: object): Promise<number> {
  const gpu = await Gpu.open();
  try {
    const types = ["f32", "u32", "u32", "f32", "f32"] as const;
    const test = {
      inputs: inputs.map(({ shape, data }, i) => ({
        shape,
        type: types[i],
        sample: (_: () => number, k: number) => data[k],
      })),
      attributes: { labelSmoothing: 0, ...attributes },
    };
    const op: Op<typeof test.attributes> = crossEntropy;
    const { outputs } = await compute(gpu, op, test, draw(test, 1), [1]);
    return outputs[0][0];
  } finally {
    gpu.destroy();
  }
}

Deno.test("a second label that is no class makes the loss NaN", async () => {
  const mixed = { mixed: true };
  assert(Number.isFinite(await lossFor([LOGITS, LABELS, OTHERS, SHARES], mixed)));
  assert(Number.isNaN(await lossFor([LOGITS, LABELS, of([2], 1, 3), SHARES], mixed)));
});

Deno.test("a batch whose classes weigh nothing has no loss, as in PyTorch", async () => {
  const both = { mixed: true, weighted: true };
  const nothing = of([3], 0, 0, 0);
  assert(Number.isNaN(await lossFor([LOGITS, LABELS, OTHERS, SHARES, nothing], both)));
});

Deno.test("targets of the wrong number, shape or type are refused by name", async () => {
  const cases: [Values[], object, string][] = [
    [
      [LOGITS, LABELS],
      { mixed: true },
      "Cannot apply cross entropy, mixed: wanted 4 inputs, found 2",
    ],
    [[LOGITS, LABELS, OTHERS], {}, "Cannot apply cross entropy: wanted 2 inputs, found 3"],
    [
      [LOGITS, LABELS, of([3], 0, 0, 0), SHARES],
      { mixed: true },
      "Cannot apply cross entropy: wanted others [2], found [3]",
    ],
    [
      [LOGITS, LABELS, OTHERS, of([1], 1)],
      { mixed: true },
      "Cannot apply cross entropy: wanted shares [2], found [1]",
    ],
    [
      [LOGITS, LABELS, OTHERS, SHARES, of([2], 1, 1)],
      { mixed: true, weighted: true },
      "Cannot apply cross entropy: wanted classWeights [3], found [2]",
    ],
    [
      [LOGITS, LABELS, of([3], 1, 1, 1)],
      { weighted: true },
      "Cannot apply cross entropy: wanted classWeights of type f32, found u32",
    ],
  ];
  for (const [inputs, attributes, message] of cases) {
    await assertRejects(() => lossFor(inputs, attributes), TypeError, message);
  }
});
