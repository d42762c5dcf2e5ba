// Small networks whose channels are no first ones of the base network's: what is cut out equals what
// is measured, and gradients reach the weights that they belong to.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { adjoin, type Adjoined, type AdjoinOptions, widthsOf } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs, extract } from "../nn/compress/adjoined_state.ts";
import { channelClasses, channelGroups } from "../nn/compress/channel_classes.ts";
import { runAdjoined } from "../nn/compress/run_adjoined.ts";
import { runNetwork } from "../nn/forward.ts";
import { type Network, network } from "../nn/network.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { Tape } from "../nn/tape.ts";
import { applying, Learner } from "../train/learner.ts";
import { relativeL2 } from "./op_suite.ts";

/** Sums of concatenations, channels taken in another order, and a classifier on all of them. */
const joined: Network = network({ channels: 3 }, (n) => {
  n.stage(1);
  const stem = n.relu(n.batchNorm(n.conv2d(n.image, { name: "stem", out: 6, kernel: 3 }), {
    name: "stem.bn",
  }));
  n.stage(2);
  const a = n.conv2d(stem, { name: "a", out: 5, kernel: 1 });
  const b = n.batchNorm(n.conv2d(stem, { name: "b", out: 7, kernel: 3 }), { name: "b.bn" });
  const c = n.batchNorm(n.conv2d(stem, { name: "c", out: 12, kernel: 1 }), { name: "c.bn" });
  const sum = n.relu(n.batchNorm(n.add(n.concat([a, b]), c), { name: "sum.bn" }));
  const turned = n.select(n.concat([sum, stem]), {
    channels: [17, 3, 11, 0, 8, 4, 12, 5, 1, 9, 2],
  });
  const late = n.batchNorm(n.conv2d(turned, { name: "late", out: 8, kernel: 3 }), {
    name: "late.bn",
  });
  const pooled = n.globalAvgPool2d(n.concat([late, sum]));
  n.linear(pooled, { name: "fc", out: 4 });
});

function stateOf(adjoined: Adjoined, seed: number): Map<string, Float32Array> {
  const random = new Random(seed, "state");
  const specs = adjoinedSpecs(adjoined);
  const state = initialize(specs, adjoined.base, () => random.normal());
  for (const [name, values] of state) {
    if (name.endsWith("running_var")) values.forEach((_, i) => values[i] = 0.5 + random.uniform());
    else if (values.every((v) => v === values[0])) {
      values.forEach((_, i) => values[i] = random.normal());
    }
  }
  return state;
}

const SIDE = 7;

const CASES: readonly [string, AdjoinOptions][] = [
  ["by compression", { compression: 2 }],
  ["by indices, tied ones alike", {
    compression: 1,
    widths: { a: [4, 1], b: [0, 6, 3], c: [4, 1, 5, 11, 8], late: [7, 2, 5] },
  }],
  ["by indices, tied ones apart", {
    compression: 1,
    trunk: "separate",
    widths: { a: 3, b: [0, 6, 3], c: [0, 11, 8, 1, 4, 5], late: [6] },
  }],
];

for (const [name, options] of CASES) {
  Deno.test(`a small network cut ${name} is what was measured, and its gradients too`, async () => {
    const adjoined = adjoin(joined, options);
    const state = stateOf(adjoined, 5);
    const gpu = await Gpu.open();
    using scope = gpu.scope();
    const random = new Random(1, "images");
    const pixels = Array.from({ length: 2 * SIDE * SIDE * 3 }, () => random.normal());
    const image = scope.tensor("image", [2, SIDE, SIDE, 3], pixels);
    const optimizer = { name: "sgd", weightDecay: 0, nesterov: false } as const;
    const learner = new Learner(scope, { specs: adjoinedSpecs(adjoined), state, optimizer });
    const cut = extract(adjoined, state);
    const alone = new Learner(scope, {
      specs: networkSpecs(adjoined.small),
      state: cut,
      optimizer,
    });
    const one = scope.tensor("one", [2, 4], Array.from({ length: 8 }, () => random.normal()));
    const kept: Tensor[] = [];
    const program = await scope.trace("both", (trace) => {
      const evaluate = { apply: applying(trace), training: false };
      kept.push(trace.keep(
        runAdjoined(adjoined, image, { ...evaluate, parameter: learner.tensor }).small,
      ));
      kept.push(trace.keep(
        runNetwork(adjoined.small, image, { ...evaluate, parameter: alone.tensor }),
      ));
      const tape = new Tape(trace, (p) => learner.gradient(p));
      const train = { training: true, parameter: learner.tensor };
      const logits = runAdjoined(adjoined, image, { ...train, apply: tape.apply });
      tape.backward(logits.small, one);
      const own = new Tape(trace, (p) => alone.gradient(p));
      own.backward(
        runNetwork(adjoined.small, image, {
          ...{ training: true, parameter: alone.tensor, apply: own.apply },
        }),
        one,
      );
    });
    program.replay();
    const [masked, extracted, shared, small] = await gpu.read([
      ...kept,
      learner.gradients.flat,
      alone.gradients.flat,
    ]);
    assert(relativeL2(masked, extracted) < 1e-5);
    // The gradients of the small network on its own are those of the parts that were cut out.
    const gradients = learner.gradients.split(Float32Array.from(shared));
    for (const { name } of adjoinedSpecs(adjoined).statistics) {
      gradients.set(name, state.get(name)!);
    }
    const parts = extract(adjoined, gradients);
    for (const [name, wanted] of alone.gradients.split(Float32Array.from(small))) {
      assert(relativeL2(parts.get(name)!, wanted) < 1e-4, name);
    }
    // Nothing reaches the other weights.
    const sum = (values: Iterable<number>): number =>
      [...values].reduce((a, b) => a + Math.abs(b), 0);
    const fc = sum(gradients.get("a.weight")!);
    assert(Math.abs(fc - sum(parts.get("a.weight")!)) < 1e-4 * fc);
  });
}

Deno.test("a pair says which filters it keeps, and takes it again", () => {
  const { widths = {} } = CASES[1][1];
  const pair = adjoin(joined, { compression: 1, widths });
  assertEquals(widthsOf(pair), widths);
  assertEquals(adjoin(joined, { compression: 1, widths: widthsOf(pair) }).small, pair.small);
});

Deno.test("values that have kept nothing in common are refused by name", () => {
  const widths = { a: [0], b: [0], c: [1, 2, 3] };
  const { message } = assertThrows(() => adjoin(joined, { compression: 1, widths }), RangeError);
  assertEquals(
    message,
    "Cannot adjoin: layer 9 (add) is left without channels, as its inputs have kept no channel in " +
      "common; mask fewer of the convolutions before it, as with a maskFrom behind it, or keep more " +
      "of their filters",
  );
});

Deno.test("channels that are added go together, those that are concatenated do not", () => {
  const classes = channelClasses(joined, ({ stage }) => stage === 2);
  const { masked } = classes;
  const groups = channelGroups(joined, classes);
  assertEquals(masked, ["a", "b", "c", "late"]);
  assertEquals(groups.map(({ convolutions, classes }) => [convolutions.join(), classes.length]), [
    ["a,c", 5],
    ["b,c", 7],
    ["late", 8],
  ]);
});

Deno.test("cut weights have the numbers of the base network at their indices", () => {
  const widths = { late: [7, 2], a: [4, 1], b: [0, 6, 3], c: [4, 1, 5, 11, 8] };
  const pair = adjoin(joined, { compression: 1, widths });
  const state = stateOf(pair, 2);
  const { from, to } =
    pair.kept[pair.small.layers.findIndex((l) => "name" in l && l.name === "late")];
  const cut = extract(pair, state).get("late.weight")!;
  const whole = state.get("late.weight")!;
  assertEquals(to, [7, 2]);
  for (let tap = 0; tap < 9; tap++) {
    from.forEach((i, row) =>
      to.forEach((o, column) =>
        assertEquals(cut[(tap * from.length + row) * 2 + column], whole[(tap * 11 + i) * 8 + o])
      )
    );
  }
});
