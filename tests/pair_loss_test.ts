// Losses of several terms are the sums of what their ops give; values and gradients of the ops are
// held by the op suite and by PyTorch's numbers.
import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Values } from "../kernels/op.ts";
import { adjoinedLoss } from "../kernels/ops/adjoined_loss.ts";
import { crossEntropy } from "../kernels/ops/cross_entropy.ts";
import { distDivergence } from "../kernels/ops/dist_divergence.ts";
import { dkdDivergence } from "../kernels/ops/dkd_divergence.ts";
import { klDivergence } from "../kernels/ops/kl_divergence.ts";
import { type PairLoss, PAPER_LOSS } from "../train/divergences.ts";
import { applying } from "../train/learner.ts";
import { lossOf } from "../train/objective.ts";
import {
  type Loss,
  type LossOperands,
  recordPairLoss,
  recordTaughtLoss,
} from "../train/pair_loss.ts";

const of = (shape: number[], ...data: number[]): Values => ({
  shape,
  data: Float64Array.from(data),
});

const BASE = of([2, 3], 0.5, -1, 2, 1, 0, -0.5);
const SMALL = of([2, 3], 0.1, 0.2, -0.3, 0.4, 1.5, -2);
const OTHER = of([2, 3], -0.4, 0.7, 0.3, 1.4, -0.5, 0.2);
const LABELS = of([2], 2, 0);
const OTHERS = of([2], 1, 0);
const SHARES = of([2], 0.75, 0.5);
const WEIGHTS = of([3], 0.5, 2, 1);
const LAMBDA = of([1], 0.25);

const SOFT = { labelSmoothing: 0.125, mixed: true, weighted: true };
const TARGET = [LABELS, OTHERS, SHARES, WEIGHTS];

function valueOf([{ data }]: readonly Values[]): number {
  return data[0];
}

const entropy = (logits: Values): number =>
  valueOf(crossEntropy.reference([logits, ...TARGET], SOFT));

/** The loss and its parts that a function records, on mixed labels and weighted classes. */
async function recorded(
  record: (on: (values: Values) => Tensor, operands: LossOperands) => readonly Tensor[],
): Promise<{ loss: number; parts: number[] }> {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const on = ({ shape, data }: Values, type?: "u32") => scope.tensor("in", shape, data, type);
    const operands = {
      labels: on(LABELS, "u32"),
      mix: { others: on(OTHERS, "u32"), shares: on(SHARES) },
      classWeights: on(WEIGHTS),
      lambda: on(LAMBDA),
      labelSmoothing: 0.125,
    };
    let kept: Tensor[] = [];
    const program = await scope.trace("loss", (trace) => {
      const [loss, parts] = record(on, { apply: applying(trace), ...operands });
      kept = [trace.keep(loss), trace.keep(parts)];
    });
    program.replay();
    const [[loss], parts] = await gpu.read(kept);
    return { loss, parts: Array.from(parts).slice(0, 4) };
  } finally {
    gpu.destroy();
  }
}

function close(found: readonly number[], wanted: readonly number[]): void {
  assertEquals(found.length, wanted.length);
  found.forEach((value, i) => assertAlmostEquals(value, wanted[i], 1e-5));
}

const COMMON = { temperature: 2, detach: false };

/** Each divergence, with its reference. */
const DIVERGENCE: Readonly<
  Record<string, readonly [Partial<PairLoss>, (base: Values, small: Values) => number]>
> = {
  kl: [{}, (base, small) => valueOf(klDivergence.reference([base, small], COMMON))],
  dist: [
    { parts: [1, 3] },
    (base, small) =>
      valueOf(distDivergence.reference([base, small], { ...COMMON, beta: 1, gamma: 3 })),
  ],
  dkd: [
    {},
    (base, small) =>
      valueOf(
        dkdDivergence.reference([base, small, LABELS, OTHERS, SHARES], {
          ...{ ...COMMON, alpha: 1, beta: 8, mixed: true },
        }),
      ),
  ],
};

for (const [divergence, [settings, reference]] of Object.entries(DIVERGENCE)) {
  Deno.test(`two small networks and a base have one loss, by ${divergence} and cross entropy`, async () => {
    const { loss, parts } = await recorded((on, operands) =>
      recordPairLoss({ base: on(BASE), smalls: [on(SMALL), on(OTHER)] }, operands, {
        ...{ divergence: divergence as PairLoss["divergence"], temperature: 2 },
        ...{ smallCrossEntropy: 0.5, detach: false, ...settings },
      })
    );
    const kl = reference(BASE, SMALL) + reference(BASE, OTHER);
    const wanted = entropy(BASE) + 0.25 * kl + 0.5 * (entropy(SMALL) + entropy(OTHER));
    close([loss, ...parts], [wanted, wanted, entropy(BASE), kl, 1]);
  });
}

Deno.test("the loss of the paper is one op, and as large in several", async () => {
  const both = await Promise.all(
    [1, 1 + 1e-6].map((temperature) =>
      recorded((on, operands) =>
        recordPairLoss({ base: on(BASE), smalls: [on(SMALL)] }, operands, {
          ...{ ...PAPER_LOSS, temperature, detach: false },
        })
      )
    ),
  );
  const wanted = valueOf(
    adjoinedLoss.reference([BASE, SMALL, LABELS, LAMBDA, OTHERS, SHARES, WEIGHTS], {
      ...SOFT,
      detach: false,
    }),
  );
  for (const { loss } of both) assertAlmostEquals(loss, wanted, 1e-5);
});

Deno.test("a taught network's loss is its cross entropy and lambda times a divergence", async () => {
  const { loss, parts } = await recorded((on, operands) =>
    recordTaughtLoss({ small: on(SMALL), teacher: on(BASE) }, operands, {
      ...{ divergence: "kl", temperature: 2, smallCrossEntropy: 0.5 },
    })
  );
  const kl = DIVERGENCE.kl[1](BASE, SMALL);
  const wanted = entropy(SMALL) + 0.25 * kl;
  close([loss, ...parts], [wanted, wanted, entropy(SMALL), kl, 1]);
});

Deno.test("a loss that there is not is refused by name", async () => {
  const recordWith = (loss: object): Promise<unknown> =>
    recorded((on, operands) =>
      recordPairLoss({ base: on(BASE), smalls: [on(SMALL)] }, operands, {
        ...{ ...PAPER_LOSS, detach: false, ...loss },
      })
    );
  const cases: [object, new () => Error, string][] = [
    [
      { divergence: "js" },
      RangeError,
      'Cannot use a loss: divergence is kl or dist or dkd, found "js"',
    ],
    [
      { divergence: "dkd", parts: [1] },
      TypeError,
      "Cannot use a loss: wanted the weights of two parts of dkd, found [1]",
    ],
    [
      { temperature: 0 },
      RangeError,
      "Cannot apply KL divergence: wanted a temperature above 0, found 0",
    ],
    [
      { smallCrossEntropy: NaN },
      RangeError,
      "Cannot apply loss term: wanted a weight of the cross entropy from 0 on, found NaN",
    ],
    [
      { divergence: "dist", parts: [-1, 1] },
      RangeError,
      "Cannot apply divergence of relations: wanted beta from 0 on, found -1",
    ],
  ];
  for (const [loss, kind, message] of cases) {
    await assertRejects(() => recordWith(loss), kind, message);
  }
});

Deno.test("a base network without small ones has its cross entropy alone", async () => {
  const { loss } = await recorded((on, operands) => {
    const found: Loss = recordPairLoss(
      { base: on(BASE), smalls: [] },
      operands,
      { ...PAPER_LOSS, detach: false },
    );
    return found;
  });
  assertAlmostEquals(loss, entropy(BASE), 1e-5);
});

Deno.test("a distillation takes another divergence where it is told", async () => {
  const network = { classes: 3, channels: 3, layers: [] } as const;
  const { loss } = await recorded((on, operands) =>
    lossOf(
      {
        ...{ mode: "distill", which: "small", network, teacher: network },
        loss: { ...PAPER_LOSS, temperature: 2 },
      },
      { ...operands, logits: { small: on(SMALL) }, teacher: on(BASE) },
    )
  );
  assertAlmostEquals(loss, entropy(SMALL) + 0.25 * DIVERGENCE.kl[1](BASE, SMALL), 1e-5);
});
