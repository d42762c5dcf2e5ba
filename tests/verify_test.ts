import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { TrainingBatches } from "../data/batches.ts";
import { generatedSplit, generateImages } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import { adjoin, type Adjoined } from "../nn/compress/adjoin.ts";
import { network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { model, resnet } from "../nn/families/mod.ts";
import { initialize, networkSpecs, type StateSpecs } from "../nn/state.ts";
import { adjoinedSpecs, extract } from "../nn/compress/adjoined_state.ts";
import { EXIT, exitCode } from "../cli/exit.ts";
import { VerificationError } from "../train/errors.ts";
import { Learner, Weights } from "../train/learner.ts";
import type { Objective } from "../train/objective.ts";
import { Evaluation } from "../train/evaluation.ts";
import { type Feed } from "../train/image_feed.ts";
import { TrainingStep } from "../train/step.ts";
import { areEqual, compare, compareLogits, demandEqual } from "../train/verify.ts";

const split = generatedSplit({ train: 32, validation: 20, size: 32, seed: 1 });
const feed = {
  dataset: split.validation,
  normalization: split.normalization,
  batch: 8,
  image: { height: 32, width: 32 },
};

/** A state in which nothing is zero or one, the norms' shifts and statistics included. */
function randomState(adjoined: Adjoined, seed: number): State {
  const random = new Random(seed, "state");
  const specs = adjoinedSpecs(adjoined);
  const state = initialize(specs, adjoined.base, () => random.normal());
  for (const [name, values] of state) {
    if (name.endsWith("running_var")) values.forEach((_, i) => values[i] = 0.5 + random.uniform());
    else if (!/conv|fc\.weight|downsample\.[01]\.weight/.test(name)) {
      values.forEach((_, i) => values[i] = random.normal());
    }
  }
  return state;
}

async function difference(
  adjoined: Adjoined,
  spoil?: (state: State) => void,
): ReturnType<typeof compare> {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const state = randomState(adjoined, 4);
    const weights = new Weights(scope, adjoinedSpecs(adjoined), state);
    const small = extract(adjoined, state);
    spoil?.(small);
    return await compare(gpu, {
      adjoined,
      weights,
      extracted: { network: adjoined.small, state: small },
      feed,
    });
  } finally {
    gpu.destroy();
  }
}

const thin = (options: Partial<Parameters<typeof adjoin>[1]>): Adjoined =>
  adjoin(model("resnet8", { classes: 10, stem: "authors" }), { compression: 4, ...options });
const uniform = (): number => 0.37;

const PAIRS: Readonly<Record<string, Adjoined>> = {
  "with a shared trunk": thin({}),
  "with a separate trunk": thin({ trunk: "separate" }),
  "masked from stage 1 on": thin({ maskFrom: 1 }),
  "with spatial masks": thin({ maskingFactor: 0.4, random: uniform }),
  "with widths that are no multiples of 4": thin({ compression: 3 }),
  "made of bottlenecks": adjoin(
    resnet({
      block: "bottleneck",
      depths: [1, 2],
      widths: [5, 9],
      stem: [6, 7],
      reduce: true,
      classes: 10,
    }),
    { compression: 2 },
  ),
  "of torchvision's variant": adjoin(
    resnet({
      block: "bottleneck",
      depths: [1, 2],
      widths: [5, 9],
      stem: [5],
      reduce: true,
      classes: 10,
      variant: "torchvision",
    }),
    { compression: 2, maskFrom: 1 },
  ),
  "of one's own": adjoin(
    network({ channels: 3 }, (n) => {
      let x = n.conv2d(n.image, { name: "conv_a", out: 10, kernel: 3, stride: 2 });
      x = n.relu(n.batchNorm(x, { name: "norm_a" }));
      x = n.maxPool2d(x, { kernel: 2, stride: 2, padding: 0 });
      x = n.relu(
        n.batchNorm(n.conv2d(x, { name: "conv_b", out: 21, kernel: 5 }), { name: "norm_b" }),
      );
      n.linear(n.globalAvgPool2d(x), { name: "fc", out: 10 });
    }),
    { compression: 2, maskFrom: ({ name }) => name === "conv_b" },
  ),
  "with a concatenation before the first masked convolution": adjoin(
    network({ channels: 3 }, (n) => {
      const a = n.conv2d(n.image, { name: "conv_a", out: 5, kernel: 3, stride: 2 });
      const b = n.maxPool2d(n.image, { kernel: 3, stride: 2, padding: 1 });
      let x = n.relu(n.batchNorm(n.concat([a, b]), { name: "norm_a" }));
      x = n.relu(
        n.batchNorm(n.conv2d(x, { name: "conv_b", out: 9, kernel: 3 }), { name: "norm_b" }),
      );
      n.linear(n.globalAvgPool2d(x), { name: "fc", out: 10 });
    }),
    { compression: 2, maskFrom: ({ name }) => name === "conv_b" },
  ),
};

for (const [what, adjoined] of Object.entries(PAIRS)) {
  Deno.test(`the extracted network equals the masked one, for a pair ${what}`, async () => {
    const found = await difference(adjoined);
    assert(found.maxDifference <= 1e-4, `${found.maxDifference}`);
    assertEquals([found.top1Agreement, found.images], [1, 20]);
    demandEqual(found);
  });
}

Deno.test("a network that is not the one measured is refused, with exit code 6", async () => {
  for (
    const spoil of [
      (state: State): void =>
        state.get("layer3.0.bn2.bias")!.forEach((v, i, all) => all[i] = v + 0.1),
      (state: State): void =>
        state.get("layer2.0.bn1.weight")!.forEach((v, i, all) => all[i] = 2 * v),
      (state: State): void => void (state.get("fc.bias")![0] = NaN),
    ]
  ) {
    const found = await difference(thin({}), spoil);
    const error = assertThrows(() => demandEqual(found), VerificationError, "nothing was saved");
    assertEquals(exitCode(error), EXIT.verification);
  }
});

/** Compares logits of one image each. */
async function compared(...images: readonly (readonly [number[], number[]])[]) {
  const dataset = generateImages({ count: images.length, size: 12, seed: 1 });
  const padded = (logits: readonly number[]) => [...logits, ...Array<number>(7).fill(-0.5)];
  let [first, second] = [0, 0];
  return await compareLogits([
    () => Promise.resolve(Float32Array.from(padded(images[first++][0]))),
    () => Promise.resolve(Float32Array.from(padded(images[second++][1]))),
  ], { dataset, batch: 1 });
}

Deno.test("logits are equal in proportion to the largest of their image, and absolutely below 1", async () => {
  const equal = await compared([[0.2, 0, 0.1], [0.20009, 0, 0.1]], [[0, -80, 4], [0, -80, 4.007]]);
  assert(areEqual(equal), `${equal.maxError}`);
  assert(Math.abs(equal.maxDifference - 0.007) < 1e-5, `${equal.maxDifference}`);
  assert(Math.abs(equal.maxError - 0.9e-4) < 1e-6, `${equal.maxError}`);
  assert(!areEqual(await compared([[0.2, 0, 0.1], [0.20011, 0, 0.1]])));
  assert(!areEqual(await compared([[0, -80, 4], [0, -80, 4.009]])));
  assert(!areEqual(await compared([[0.2, 0, 0.1], [0.2, 0, 4.1]], [[0, -80, 4], [0, -80, 4]])));
  for (const pair of [[[NaN, 0, 1], [0, 0, 1]], [[0, 0, 1], [NaN, 0, 1]]] as const) {
    assert(!areEqual(await compared([[...pair[0]], [...pair[1]]])));
  }
});

Deno.test("classes that neither network tells apart count as the same", async () => {
  assertEquals((await compared([[1, 1.00001, 0], [1.00001, 1, 0]])).top1Agreement, 1);
  assertEquals(
    (await compared([[1, 1.1, 0], [1.1, 1, 0]], [[0.3, 0.2, 0], [0.3, 0.2, 0]])).top1Agreement,
    0.5,
  );
});

Deno.test("GPU memory is the same after step 20 and after step 200", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const adjoined = adjoin(
      resnet({
        block: "basic",
        depths: [1, 1],
        widths: [4, 8],
        stem: [4],
        reduce: true,
        classes: 10,
      }),
      { compression: 2 },
    );
    const specs = adjoinedSpecs(adjoined);
    const random = new Random(1, "weights");
    const state = initialize(specs, adjoined.base, () => random.normal());
    const optimizer = { name: "adamw", weightDecay: 0, beta2: 0.99, eps: 1e-6 } as const;
    const learner = new Learner(scope, { specs, state, optimizer });
    const step = await TrainingStep.trace(scope, {
      objective: { mode: "adjoined", adjoined, detach: false },
      learner,
      feed: { ...feed, dataset: split.train, batch: 4 },
      labelSmoothing: 0,
    });
    const batches = new TrainingBatches({ dataset: split.train, batch: 4, seed: 1 });
    let done = 0;
    let after20 = gpu.live();
    while (done < 200) {
      for (const batch of batches.epoch(done)) {
        step.run(batch, { lr: 1e-3, momentum: 0.9, lambda: 1 });
        if (++done % 8 === 0) await step.read();
        if (done === 20) after20 = gpu.live();
      }
    }
    assertEquals(gpu.live(), after20);
    const { loss } = await step.read();
    assert(Number.isFinite(loss));
    assert(after20.bytes > 0);
  } finally {
    gpu.destroy();
  }
});

/** A state of ones. */
function ones({ parameters, statistics }: StateSpecs): State {
  return new Map(
    [...parameters, ...statistics].map((
      { name, shape },
    ) => [name, new Float32Array(elements(shape)).fill(1)]),
  );
}

Deno.test("compare() needs the weights of the pair", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const weights = new Weights(scope, { parameters: [], statistics: [] }, new Map());
    const adjoined = thin({});
    const extracted = { network: adjoined.small, state: ones(networkSpecs(adjoined.small)) };
    await assertRejects(
      () => compare(gpu, { adjoined, weights, extracted, feed }),
      TypeError,
      "Cannot find parameter conv1.0.weight",
    );
  } finally {
    gpu.destroy();
  }
});

Deno.test("weights that are missing are named, and nothing stands in for them", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const specs = networkSpecs(thin({}).small);
    const state = ones(specs);
    const weights = new Weights(scope, specs, state);
    state.delete("fc.bias");
    state.delete("bn1.running_var");
    const all = specs.parameters.length + specs.statistics.length;
    const wanted = `Cannot load weights: wanted all ${all} tensors, found no `;
    const two = assertThrows(() => weights.load(state), TypeError);
    assertEquals(two.message, `${wanted}fc.bias, bn1.running_var`);
    const none = assertThrows(() => new Weights(scope, specs, new Map()), TypeError);
    const names = specs.parameters.slice(0, 4).map(({ name }) => name);
    assertEquals(none.message, `${wanted}${names.join(", ")} and ${all - 4} more`);
  } finally {
    gpu.destroy();
  }
});

Deno.test("a network without an output for each class is neither trained nor evaluated", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const { classes } = split.train;
    const part = { ...split.train, classes: classes.slice(1) };
    const { base } = thin({});
    const specs = networkSpecs(base);
    const optimizer = { name: "sgd", weightDecay: 0, nesterov: false } as const;
    const learner = new Learner(scope, { specs, state: ones(specs), optimizer });
    const wrong = { ...feed, dataset: part, batch: 4 };
    const plain = { mode: "plain", which: "base", network: base } as const;
    const few = model("resnet8", { classes: 3 });
    const taught = { mode: "distill", which: "base", network: base, teacher: few } as const;
    const trace = (objective: Objective, feed: Feed) =>
      TrainingStep.trace(scope, { objective, learner, feed, labelSmoothing: 0 });
    const message = "on generated train: wanted 9 outputs, one for each class, found 10;";
    await assertRejects(() => trace(plain, wrong), TypeError, `the base network ${message}`);
    await assertRejects(
      () => Evaluation.trace(scope, { objective: plain, weights: learner, feed: wrong }),
      TypeError,
      `the base network ${message}`,
    );
    await assertRejects(
      () => trace(taught, { ...wrong, dataset: split.train }),
      TypeError,
      "the teacher network on generated train: wanted 10 outputs, one for each class, found 3;",
    );
  } finally {
    gpu.destroy();
  }
});
