// What training drops at random: where it is put, what it draws from, and that runs draw it again.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { TrainingBatches } from "../data/batches.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { runAdjoined } from "../nn/compress/run_adjoined.ts";
import { withDrops } from "../nn/drops.ts";
import { model } from "../nn/families/mod.ts";
import { runNetwork, type Running } from "../nn/forward.ts";
import type { Apply } from "../nn/layers/layer.ts";
import { type Network, network } from "../nn/network.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import { applying, Learner, Weights } from "../train/learner.ts";
import { pairsFor } from "../train/pair.ts";
import { TrainingStep } from "../train/step.ts";
import { lacks } from "./permissions.ts";
import { demandEqual, trained } from "./torture/resumed_runs.ts";

const random = new Random(0, "drops test");

/** Rates of layers of a kind, in order, each with the index of what it is applied to. */
function ratesOf({ layers }: Network, kind: "dropout" | "dropPath"): [number, number][] {
  return layers.flatMap((layer) =>
    layer.kind === kind ? [[layer.inputs[0], layer.rate] as [number, number]] : []
  );
}

Deno.test("drop path grows linearly over the branches of residual blocks", () => {
  const plain = model("resnet20", { classes: 3 });
  const made = model("resnet20", { classes: 3, drop: 0.25, dropPath: 0.16 });
  const rates = ratesOf(made, "dropPath");
  // Nine blocks; the first one drops nothing.
  rates.forEach(([, rate], i) => assert(Math.abs(rate - 0.02 * (i + 1)) < 1e-12, `${rate}`));
  assertEquals(rates.length, 8);
  // The last norm of a block is on its branch, that of a projection is not.
  for (const [x] of rates) {
    const layer = made.layers[x];
    assert(layer.kind === "batchNorm" && layer.name.endsWith("bn2"), layer.kind);
  }
  const [[pooled, share], ...others] = ratesOf(made, "dropout");
  assertEquals([made.layers[pooled].kind, share, others], ["globalAvgPool2d", 0.25, []]);
  assertEquals(made.layers.at(-1)?.inputs, [made.layers.length - 2]);
  assertEquals(networkSpecs(made), networkSpecs(plain));
  assertEquals(withDrops(plain, {}), plain);
});

Deno.test("drops are refused where there is nothing to drop, and for shares that are none", () => {
  const flat = network({ channels: 3 }, (n) => {
    const x = n.conv2d(n.image, { name: "a", out: 4, kernel: 3 });
    n.globalAvgPool2d(n.conv2d(x, { name: "classes", out: 2, kernel: 1 }));
  });
  assertThrows(
    () => withDrops(flat, { dropPath: 0.1 }),
    RangeError,
    "Cannot drop paths: wanted a network with residual blocks, found one without a sum; leave out",
  );
  const [[x]] = ratesOf(withDrops(flat, { drop: 0.5 }), "dropout");
  assertEquals(x, 0);
  for (const share of [-0.1, 1, NaN]) {
    const text = `from 0 to below 1, found ${share}`;
    assertThrows(() => withDrops(flat, { drop: share }), RangeError, `drop ${text}`);
    assertThrows(() => withDrops(flat, { dropPath: share }), RangeError, `dropPath ${text}`);
  }
});

const SIZE = { height: 12, width: 12 };
const made = model("resnet8", { classes: 10, drop: 0.3, dropPath: 0.5 });

Deno.test("training without noise is refused, and null drops nothing", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const specs = networkSpecs(made);
    const weights = new Weights(scope, specs, initialize(specs, made, () => random.normal()));
    const image = scope.tensor(
      "image",
      [6, 8, 8, 3],
      Array.from({ length: 1152 }, () => random.normal()),
    );
    const noise = scope.tensor("noise", [2], [1, 2], "u32");
    const logits = async (running: Partial<Running>): Promise<number[]> => {
      const program = await scope.trace("run", (trace) => {
        const given = { apply: applying(trace), parameter: weights.tensor, training: true };
        kept = trace.keep(runNetwork(made, image, { ...given, ...running }));
      });
      program.replay();
      return Array.from((await gpu.read([kept]))[0]);
    };
    let kept = image;
    const error = await logits({}).catch((error) => error);
    assert(error instanceof TypeError, `${error}`);
    assertEquals(
      error.message,
      "Cannot run dropPath in training: wanted noise, a seed and a step, found none; run the " +
        "network with `noise`, a tensor [2] of type u32, or null to drop nothing",
    );
    const [dropped, whole] = [await logits({ noise }), await logits({ noise: null })];
    assertEquals(await logits({ noise: null }), whole);
    assertEquals(await logits({ noise }), dropped);
    assert(dropped.some((v, i) => Math.abs(v - whole[i]) > 1e-3));
    const evaluated = await logits({ training: false });
    assertEquals(await logits({ training: false, noise }), evaluated);
  } finally {
    gpu.destroy();
  }
});

Deno.test("both networks drop the same images of a branch, wherever their layers stand", async () => {
  // Sums of unlike widths put layers that cut values between those of the small network.
  const adjoined = adjoin(made, { compression: 2, maskFrom: 1, trunk: "separate" });
  const { base, small } = adjoined;
  assert(small.layers.length > base.layers.length, "layers that cut");
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const specs = adjoinedSpecs(adjoined);
    const weights = new Weights(scope, specs, initialize(specs, base, () => random.normal()));
    const image = scope.tensor("image", [2, 8, 8, 3], Array(384).fill(1));
    const noise = scope.tensor("noise", [2], [1, 2], "u32");
    const streams: number[] = [];
    await scope.trace("streams", (trace) => {
      const apply: Apply = (op, inputs, attributes) => {
        if (op.name === "drop path" && typeof attributes === "object" && attributes) {
          if ("stream" in attributes) streams.push(Number(attributes.stream));
        }
        return applying(trace)(op, inputs, attributes);
      };
      const { base } = runAdjoined(adjoined, image, {
        ...{ apply, parameter: weights.tensor, training: true, noise },
      });
      trace.keep(base);
    });
    const own = streams.splice(streams.length / 2);
    assertEquals(streams, own);
    assertEquals(new Set(own).size, 2, "one of each branch that drops");
  } finally {
    gpu.destroy();
  }
});

Deno.test("a step of networks that drop wants noise, and does the same with the same", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const { train, normalization } = generatedSplit({ train: 8, validation: 1, size: 12, seed: 0 });
    const specs = networkSpecs(made);
    const state = initialize(specs, made, () => random.normal());
    const optimizer = { name: "sgd", weightDecay: 0, nesterov: false } as const;
    const learner = new Learner(scope, { specs, state, optimizer });
    const step = await TrainingStep.trace(scope, {
      objective: { mode: "plain", which: "base", network: made },
      learner,
      feed: { dataset: train, normalization, batch: 8, image: SIZE },
      labelSmoothing: 0,
    });
    const [batch] = new TrainingBatches({ dataset: train, batch: 8, seed: 0 }).epoch(0);
    const numbers = { lr: 0, momentum: 0, lambda: 1 };
    assertThrows(
      () => step.run(batch, numbers),
      TypeError,
      "Cannot run a step: wanted noise, as the networks drop values at random, found none; pass " +
        "noise: [seed, number of the batch]",
    );
    const loss = async (...noise: [number, number]): Promise<number> => {
      step.reset();
      step.run(batch, { ...numbers, noise });
      return (await step.read()).loss;
    };
    const first = await loss(3, 7);
    const others = [await loss(3, 8), await loss(4, 7)];
    assertEquals(await loss(3, 7), first);
    assert(others.every((other) => Math.abs(other - first) > 1e-4), `${first} ${others}`);
  } finally {
    gpu.destroy();
  }
});

Deno.test("a run that drops and was stopped comes to what a straight one does", {
  ignore: lacks("read", "env"),
}, async () => {
  const flags = ["--model", "resnet8", "--drop", "0.3", "--drop-path", "0.4"];
  const short = ["--epochs", "1", "--train-size", "32", "--image-size", "12"];
  const parts = ["--grad-accum-steps", "2", "--checkpoint-steps", "1"];
  const places: string[] = [];
  const print = (line: string): void => void places.push(line);
  const kind = trained("dropping", [...short, ...flags, ...parts]);
  await demandEqual(kind, { stops: 1, seed: 1, print });
  // Within an epoch.
  assert(places.some((line) => /train 0\.[1-3]/.test(line)), `${places}`);
});

Deno.test("a network of a file drops as one that has a name", () => {
  const { options } = trainRequest(readArguments("train", ["--drop", "0.3", "--drop-path", "0.5"]));
  const images = { classes: ["a", "b"], channels: 3 };
  const given = model("resnet8", { classes: 2, stem: "authors" });
  const named = pairsFor(options, images)[0];
  assertEquals(ratesOf(named.base, "dropPath").length, 2);
  assertEquals(pairsFor(options, images, given)[0].base, named.base);
});
