// A network of one's own with a kind of layer that no model has: it trains, and is measured.
import { assert, assertEquals } from "@std/assert";
import { TrainingBatches, ValidationBatches } from "../data/batches.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import { network } from "../nn/network.ts";
import { initialize } from "../nn/state.ts";
import { Evaluation } from "../train/evaluation.ts";
import { Learner } from "../train/learner.ts";
import { TrainingStep } from "../train/step.ts";

/** Two branches of the first convolution, joined, and a convolution that is masked. */
const inception = network({ channels: 3 }, (n) => {
  const x = n.relu(
    n.batchNorm(n.conv2d(n.image, { name: "stem", out: 6, kernel: 3 }), { name: "stem.bn" }),
  );
  const wide = n.conv2d(x, { name: "wide", out: 5, kernel: 3 });
  const deep = n.conv2d(x, { name: "deep", out: 7, kernel: 1 });
  const joined = n.relu(n.batchNorm(n.concat([x, wide, deep]), { name: "joined.bn" }));
  const late = n.conv2d(joined, { name: "late", out: 12, kernel: 3, stride: 2 });
  n.linear(n.globalAvgPool2d(n.relu(n.batchNorm(late, { name: "late.bn" }))), {
    name: "fc",
    out: 10,
  });
});

Deno.test("both networks of a pair with a concatenation learn, and are measured", async () => {
  const { train, normalization } = generatedSplit({
    train: 64,
    validation: 1,
    size: 12,
    seed: 2,
  });
  const adjoined = adjoin(inception, { compression: 2, maskFrom: ({ name }) => name === "late" });
  const specs = adjoinedSpecs(adjoined);
  const random = new Random(1, "initial weights");
  const image = { height: 12, width: 12 };
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const state = initialize(specs, inception, () => random.normal());
    const learner = new Learner(scope, {
      specs,
      state,
      optimizer: { name: "sgd", weightDecay: 0, nesterov: false },
    });
    const step = await TrainingStep.trace(scope, {
      objective: { mode: "adjoined", adjoined, detach: false },
      learner,
      feed: { dataset: train, normalization, batch: 16, image },
      labelSmoothing: 0,
    });
    const batches = new TrainingBatches({ dataset: train, batch: 16, seed: 0 });
    const losses: number[] = [];
    for (let epoch = 0; epoch < 12; epoch++) {
      step.reset();
      for (const batch of batches.epoch(epoch)) {
        step.run(batch, { lr: 0.1, momentum: 0.9, lambda: 0.5 });
      }
      losses.push((await step.read()).crossEntropy);
    }
    assert(losses[11] < 0.75 * losses[0], losses.join(" "));
    // All that leads into the concatenation has learned, not only what comes after it.
    const learned = await learner.read();
    for (const name of ["stem.weight", "wide.weight", "deep.weight", "late.weight"]) {
      const before = state.get(name)!;
      assert(learned.get(name)!.some((w, i) => Math.abs(w - before[i]) > 1e-2), name);
    }
    const evaluation = await Evaluation.trace(scope, {
      objective: { mode: "adjoined", adjoined, detach: false },
      weights: learner,
      feed: { dataset: train, normalization, batch: 16, image },
    });
    const scores = await evaluation.scores(
      new ValidationBatches({ dataset: train, batch: 16 }),
    );
    assertEquals(Object.keys(scores).sort(), ["base", "small"]);
    for (const { loss } of Object.values(scores)) assert(loss < losses[0], JSON.stringify(scores));
  } finally {
    gpu.destroy();
  }
});
