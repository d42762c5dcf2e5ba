// Every family: sizes, parity with PyTorch, and what has to hold of a network and its twin.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { crossEntropy } from "../kernels/ops/cross_entropy.ts";
import { elements, type Tensor } from "../kernels/gpu/tensor.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { count } from "../nn/count.ts";
import { model, MODEL_NAMES } from "../nn/families/mod.ts";
import { runNetwork } from "../nn/forward.ts";
import { nchwToNhwc, toTorch } from "../nn/layout.ts";
import { networkSpecs } from "../nn/state.ts";
import { Tape } from "../nn/tape.ts";
import { applying, Learner } from "../train/learner.ts";
import { distancesOf } from "./graph_check.ts";
import { relativeL2 } from "./op_suite.ts";
import { lacks } from "./permissions.ts";
import { theirName, thinFamilies, type ThinFamily, thinState, uniform } from "./thin_families.ts";

const ignore = lacks("read");

Deno.test("models have the parameters that are published with them, to the digit", () => {
  const sizes: [name: string, classes: number, params: number][] = [
    ["vgg11_bn", 1000, 132_868_840],
    ["vgg16_bn", 1000, 138_365_992],
    ["resnext50_32x4d", 1000, 25_028_904],
    ["wide_resnet50_2", 1000, 68_883_240],
    ["densenet121", 1000, 7_978_856],
    ["mobilenetv2_100", 1000, 3_504_872],
    ["mobilenetv3_large_100", 1000, 5_483_032],
    ["efficientnet_b0", 1000, 5_288_548],
    ["squeezenet1_1", 1000, 1_235_496],
    ["convnext_tiny", 1000, 28_589_128],
    ["wide_resnet28_10", 10, 36_479_194],
    ["wide_resnet16_4", 10, 2_748_890],
    ["densenet40_12", 10, 1_019_722],
    ["densenet100_12", 10, 769_162],
    ["vgg16_bn_cifar", 10, 14_728_266],
    ["vgg11_bn_cifar", 10, 9_231_114],
  ];
  for (const [name, classes, wanted] of sizes) {
    const { params } = count(model(name, { classes }), { height: 224, width: 224 });
    assertEquals(params, wanted, name);
  }
});

Deno.test("models take photographs and small images, and can be cut from stage 1 on", () => {
  for (const name of MODEL_NAMES) {
    const network = model(name, { classes: 10 });
    for (const side of [32, 64, 224]) count(network, { height: side, width: side });
    const small = adjoin(network, { compression: 2, maskFrom: 1 }).small;
    const sizes = [network, small].map((net) => count(net, { height: 32, width: 32 }).params);
    assert(sizes[1] < 0.5 * sizes[0], `${name}: ${sizes}`);
  }
});

Deno.test("stems for CIFAR stride less", () => {
  for (
    const name of ["densenet121", "mobilenetv2_100", "efficientnet_b0", "mobilenetv3_large_100"]
  ) {
    const image = { height: 32, width: 32 };
    const [whole, small] = ([undefined, "cifar"] as const).map((stem) =>
      count(model(name, { classes: 10, stem }), image)
    );
    assert(small.macs > 5 * whole.macs, name);
  }
});

Deno.test("stems and variants that a model does not have are refused", () => {
  assertThrows(
    () => model("vgg16_bn", { classes: 2, stem: "cifar" }),
    RangeError,
    "Cannot build model vgg16_bn: wanted no stem but its own, found the stem cifar; leave out the stem",
  );
  assertThrows(
    () => model("mobilenetv2_100", { classes: 2, stem: "authors" }),
    RangeError,
    "Cannot build model mobilenetv2_100: wanted the stem cifar, or its own, found the stem authors",
  );
  assertThrows(
    () => model("densenet121", { classes: 2, variant: "torchvision" }),
    RangeError,
    "Cannot build model densenet121: wanted no variant but its own, found the variant torchvision",
  );
});

/** What tests/python/families.py writes of a thin network. */
interface Wanted {
  readonly sides: readonly [height: number, width: number];
  readonly logits: readonly number[];
  readonly evaluation: readonly number[];
  readonly loss: number;
  /** By PyTorch's names: the length of a gradient, and its products with random directions. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const IMAGES = 6;
const CLASSES = 5;
const FAMILIES = thinFamilies(CLASSES);

/** Those whose small networks are tried here: `deno task torture` does it for all, whole. */
const TWINS = ["resnext", "densenet", "squeezenet", "mobilenetv3", "convnext"];

/** Logits of an evaluation and of a training step, and the gradients of the latter. */
async function run(gpu: Gpu, family: ThinFamily, [height, width]: Wanted["sides"]) {
  using scope = gpu.scope();
  const specs = networkSpecs(family.network);
  const optimizer = { name: "sgd", weightDecay: 0, nesterov: false } as const;
  const learner = new Learner(scope, { specs, state: thinState(family), optimizer });
  const shape = [IMAGES, 3, height, width];
  const pixels = Float32Array.from(uniform("images", elements(shape)));
  const image = scope.tensor("x", [IMAGES, height, width, 3], nchwToNhwc(pixels, shape));
  const labels = scope.tensor(
    "labels",
    [IMAGES],
    Array.from({ length: IMAGES }, (_, i) => i % CLASSES),
    "u32",
  );
  const one = scope.tensor("one", [1], [1]);
  const kept: Tensor[] = [];
  const evaluation = await scope.trace("evaluation", (trace) => {
    const running = { apply: applying(trace), parameter: learner.tensor, training: false };
    kept.push(trace.keep(runNetwork(family.network, image, running)));
  });
  const step = await scope.trace("step", (trace) => {
    const tape = new Tape(trace, learner.gradient);
    const { apply } = tape;
    const running = { apply, parameter: learner.tensor, training: true };
    const logits = runNetwork(family.network, image, running);
    const [loss] = apply(crossEntropy, [logits, labels], { labelSmoothing: 0 });
    tape.backward(loss, one);
    kept.push(trace.keep(logits));
  });
  // Evaluation goes first: a step moves the running statistics.
  evaluation.replay();
  step.replay();
  const [evaluated, logits, flat] = await gpu.read([...kept, learner.gradients.flat]);
  return { evaluated, logits, gradients: learner.gradients.split(Float32Array.from(flat)) };
}

/** The largest error of a gradient's products, over its length or a hundredth of the longest. */
function gradientError(
  family: ThinFamily,
  gradients: ReadonlyMap<string, Float32Array>,
  wanted: Wanted["gradients"],
): number {
  const longest = Math.max(...Object.values(wanted).map(([length]) => length));
  const { parameters } = networkSpecs(family.network);
  assertEquals(parameters.length, Object.keys(wanted).length);
  return Math.max(...parameters.map(({ name, shape }) => {
    const theirs = theirName(family, name);
    const [length, ...products] = wanted[theirs];
    const { data } = toTorch(gradients.get(name)!, shape);
    const squares = products.map((product, k) => {
      const along = uniform(`${theirs} ${k}`, data.length);
      const found = data.reduce((sum, g, i) => sum + g * along[i], 0) * Math.sqrt(3);
      return (found - product) ** 2;
    });
    const error = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
    return error / Math.max(length, 0.01 * longest);
  }));
}

for (const [name, family] of Object.entries(FAMILIES)) {
  Deno.test(`a thin ${name} gives PyTorch's logits and gradients`, { ignore }, async () => {
    const path = new URL("./reference/families.json", import.meta.url);
    const all: Readonly<Record<string, Wanted>> = JSON.parse(await Deno.readTextFile(path));
    assertEquals(Object.keys(all).sort(), Object.keys(FAMILIES).sort());
    const wanted = all[name];
    const gpu = await Gpu.open();
    try {
      const { evaluated, logits, gradients } = await run(gpu, family, wanted.sides);
      for (
        const [found, allowed] of [
          [relativeL2(Array.from(evaluated), wanted.evaluation), 1e-4],
          [relativeL2(Array.from(logits), wanted.logits), 1e-4],
          [gradientError(family, gradients, wanted.gradients), 1e-3],
        ]
      ) assert(found <= allowed, `${found}`);
    } finally {
      gpu.destroy();
    }
  });

  if (!TWINS.includes(name)) continue;
  Deno.test(`the small network of a thin ${name} is the one that was measured`, async () => {
    const pair = adjoin(family.network, { compression: 2, maskFrom: 1 });
    const gpu = await Gpu.open();
    const found = await distancesOf(gpu, pair, 3, { height: 17, width: 9 });
    gpu.destroy();
    assert(found.extracted < 1e-4, `${found.extracted}`);
    assert(found.logits < 1e-4, `${found.logits}`);
    assert(found.slope < 1e-3, `${found.slope}`);
  });
}
