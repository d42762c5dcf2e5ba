// The order of filters before a network is cut: what filters are scored by, which are kept.
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { generatedSplit } from "../data/generated.ts";
import { TrainingBatches } from "../data/batches.ts";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin, type AdjoinOptions, widthsOf } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import {
  classOrder,
  filterScores,
  importantFilters,
  pairClasses,
  withFilters,
} from "../nn/compress/importance.ts";
import { count } from "../nn/count.ts";
import { type Network, network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { Evaluation } from "../train/evaluation.ts";
import { taylorScores } from "../train/filter_scores.ts";
import { Weights } from "../train/learner.ts";
import { estimateStatistics } from "../train/norm_statistics.ts";

/** A sum of two convolutions, and one on both that nothing is added to. */
const NET: Network = network({ channels: 3 }, (n) => {
  n.stage(1);
  const stem = n.relu(n.batchNorm(n.conv2d(n.image, { name: "stem", out: 5, kernel: 3 }), {
    name: "stem.bn",
  }));
  n.stage(2);
  const a = n.batchNorm(n.conv2d(stem, { name: "a", out: 6, kernel: 1 }), { name: "a.bn" });
  const b = n.batchNorm(n.conv2d(stem, { name: "b", out: 6, kernel: 3 }), { name: "b.bn" });
  const sum = n.relu(n.add(a, b));
  const late = n.conv2d(n.concat([sum, stem]), { name: "late", out: 4, kernel: 1 });
  n.linear(n.globalAvgPool2d(n.relu(n.batchNorm(late, { name: "late.bn" }))), {
    name: "fc",
    out: 10,
  });
});

const PAIR: AdjoinOptions = { compression: 2 };

function drawn(net: Network, seed: number): State {
  const random = new Random(seed, "importance");
  const state = initialize(networkSpecs(net), net, () => random.normal());
  for (const [name, values] of state) {
    if (!/\.bn\.(weight|bias)$/.test(name)) continue;
    values.forEach((_, i) => values[i] = 0.5 + random.uniform());
  }
  return state;
}

/** A state with all filters of a convolution as large as its numbers say. */
function sized(state: State, name: string, sizes: readonly number[]): State {
  const whole = state.get(`${name}.weight`)!;
  const weight = whole.map((_, i) => sizes[i % sizes.length] * (i % 2 ? -1 : 1));
  return new Map([...state, [`${name}.weight`, weight]]);
}

Deno.test("filters that are added go by one score, in which each convolution counts alike", () => {
  const pair = adjoin(NET, PAIR);
  // By themselves, the filters of b would decide: they are a thousand times those of a.
  const a = sized(drawn(NET, 1), "a", [1, 1, 1, 1, 1, 7]);
  const state = sized(sized(a, "b", [1300, 1000, 1000, 1200, 1000, 1000]), "late", [1, 3, 2, 4]);
  for (const importance of ["l1", "l2"] as const) {
    const scores = filterScores(pair, { importance, state });
    const widths = importantFilters(pair, scores);
    assertEquals(widths, { a: [0, 3, 5], b: [0, 3, 5], late: [1, 3] }, importance);
    const [first, , , , , last] = scores;
    assertAlmostEquals(last, 7 / 2 + 1000 / (6500 / 6), 1e-5);
    assertAlmostEquals(first, 1 / 2 + 1300 / (6500 / 6), 1e-5);
  }
});

Deno.test("by norms, filters go by the scales of all norms of their values", () => {
  const pair = adjoin(NET, PAIR);
  const state = new Map([
    ...drawn(NET, 1),
    ["a.bn.weight", Float32Array.of(0.1, 0.2, 0.9, 0.1, -3, 0.1)],
    ["b.bn.weight", Float32Array.of(0.1, 2, 0.1, -1, 0.1, 0.1)],
    ["late.bn.weight", Float32Array.of(0, 0, 1, 0)],
  ]);
  const scores = filterScores(pair, { importance: "norm", state });
  // Of equal ones, the first.
  assertEquals(importantFilters(pair, scores), { a: [1, 3, 4], b: [1, 3, 4], late: [0, 2] });
  const bare = network({ channels: 3 }, (n) => {
    n.stage(2);
    const x = n.relu(n.conv2d(n.image, { name: "alone", out: 4, kernel: 1 }));
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
  });
  const { message } = assertThrows(
    () =>
      filterScores(adjoin(bare, PAIR), {
        importance: "norm",
        state: drawn(bare, 1),
      }),
    RangeError,
  );
  assertEquals(
    message,
    "Cannot order filters by their norms: no norm follows any of the masked convolutions; choose another importance",
  );
});

Deno.test("by norms, filters that none scales go by their weights", () => {
  const net = network({ channels: 3 }, (n) => {
    n.stage(2);
    const made = n.conv2d(n.image, { name: "made", out: 4, kernel: 1 });
    const x = n.relu(n.batchNorm(made, { name: "made.bn" }));
    const one = { kernel: 1, bias: true } as const;
    const mean = n.globalAvgPool2d(x, { keepImage: true });
    const reduced = n.relu(n.conv2d(mean, { name: "reduce", out: 4, ...one }));
    const gate = n.sigmoid(n.conv2d(reduced, { name: "restore", out: 4, ...one }));
    n.linear(n.globalAvgPool2d(n.multiply(x, gate)), { name: "fc", out: 2 });
  });
  const pair = adjoin(net, PAIR);
  const drew = sized(sized(drawn(net, 1), "made", [9, 9, 1, 1]), "restore", [9, 9, 1, 1]);
  const state = new Map([
    ...sized(drew, "reduce", [1, 5, 1, 5]),
    ["made.bn.weight", Float32Array.of(0.1, 0.2, 0.9, 3)],
  ]);
  const widths = importantFilters(pair, filterScores(pair, { importance: "norm", state }));
  assertEquals(widths, { made: [2, 3], reduce: [1, 3], restore: [2, 3] });
});

Deno.test("as many filters are kept as by first, of given numbers too, and cost as much", () => {
  for (const options of [PAIR, { compression: 1, widths: { a: 4, b: 2, late: 1 } }, PAIR]) {
    const pair = adjoin(NET, options);
    const state = drawn(NET, 7);
    const scores = filterScores(pair, { importance: "l2", state });
    const widths = importantFilters(pair, scores);
    const own = withFilters(pair, widths);
    assertEquals(
      Object.values(widths).map(({ length }) => length),
      Object.values(widthsOf(pair)).map(Number),
    );
    assertEquals(widths.b.every((filter) => widths.a.includes(filter)), true);
    const image = { height: 8, width: 8 };
    assertEquals(count(own.small, image), count(pair.small, image));
    // The order of the first ones is the first ones.
    const same = importantFilters(pair, new Float64Array(scores.length));
    assertEquals(withFilters(pair, same).small, pair.small);
  }
});

Deno.test("channels that are taken more often change places with such alone", () => {
  const net = network({ channels: 3 }, (n) => {
    n.stage(2);
    const x = n.batchNorm(n.conv2d(n.image, { name: "made", out: 6, kernel: 1 }), { name: "bn" });
    const y = n.concat([x, n.select(x, { channels: [5, 1, 0] })]);
    n.linear(n.globalAvgPool2d(y), { name: "fc", out: 2 });
  });
  const pair = adjoin(net, PAIR);
  const scores = Float64Array.of(1, 2, 9, 8, 7, 6);
  assertEquals([...classOrder(net, pairClasses(pair), scores)], [5, 1, 2, 3, 4, 0]);
  const own = withFilters(pair, importantFilters(pair, scores));
  assertEquals(widthsOf(own), { made: [1, 2, 5] });
  const image = { height: 4, width: 4 };
  assertEquals(count(own.small, image), count(pair.small, image));
});

/** Images, and what goes over them. */
function data() {
  const { normalization, ...split } = generatedSplit({
    train: 32,
    validation: 8,
    size: 12,
    seed: 3,
  });
  const image = { height: 12, width: 12 };
  const feed = { dataset: split.train, normalization, batch: 8, image };
  return { feed, batches: new TrainingBatches({ dataset: split.train, batch: 8, seed: 1 }) };
}

Deno.test("taylor scores are by how much the loss changes when filters are scaled", async () => {
  const pair = adjoin(NET, PAIR);
  const { feed, batches } = data();
  const classes = pairClasses(pair);
  const gpu = await Gpu.open();
  try {
    const objective = { mode: "plain", which: "base", network: NET } as const;
    const on = { feed, batches, count: 2 };
    const state = await estimateStatistics(gpu, drawn(NET, 4), { objective, ...on });
    const scores = await taylorScores(gpu, pair, { state, feed, batches, count: 3 });
    const three = 3;
    using scope = gpu.scope();
    const weights = new Weights(scope, networkSpecs(NET), state);
    const evaluation = await Evaluation.trace(scope, { objective, weights, feed });
    /** The losses of the first batches with the norms of a class scaled. */
    const losses = async (found: number, factor: number): Promise<number[]> => {
      const scaled = new Map(state);
      for (const [i, layer] of NET.layers.entries()) {
        if (layer.kind !== "batchNorm") continue;
        for (const part of ["weight", "bias"]) {
          const name = `${layer.name}.${part}`;
          const values = state.get(name)!;
          scaled.set(name, values.map((v, c) => classes.values[i][c] === found ? v * factor : v));
        }
      }
      weights.load(scaled);
      const all: number[] = [];
      for (const batch of batches.epoch(0)) {
        if (all.length === three) break;
        all.push((await evaluation.scores([batch])).base?.loss ?? NaN);
      }
      return all;
    };
    const step = 0.02;
    for (let found = 0; found < classes.count; found++) {
      const [more, less] = [await losses(found, 1 + step), await losses(found, 1 - step)];
      const wanted = more.reduce((sum, v, k) => sum + Math.abs(v - less[k]) / (2 * step), 0) /
        three;
      assertAlmostEquals(scores[found], wanted, 2e-3, `class ${found}`);
    }
    assert(Math.max(...scores) > 0.02);
  } finally {
    gpu.destroy();
  }
});

Deno.test("estimated statistics are the means of those of each batch, of the small network", async () => {
  // Pixels themselves, in front of a norm.
  const net = network({ channels: 3 }, (n) => {
    n.stage(1);
    const x = n.batchNorm(n.conv2d(n.image, { name: "same", out: 3, kernel: 1 }), { name: "bn0" });
    n.stage(2);
    const y = n.batchNorm(n.conv2d(x, { name: "cut", out: 6, kernel: 1 }), { name: "bn" });
    n.linear(n.globalAvgPool2d(y), { name: "fc", out: 10 });
  });
  const pair = adjoin(net, { compression: 2 });
  const specs = adjoinedSpecs(pair);
  const state: State = initialize(specs, net, () => 1);
  const one = (side: number) =>
    Float32Array.from(
      { length: 3 * side },
      (_, i) => Number(Math.floor(i / side) === i % side % 3),
    );
  state.set("same.weight", one(3)).set("cut.weight", one(6));
  // The trunk goes by its running statistics: pixels / 2 + 1.
  state.set("bn0.running_var", new Float32Array(3).fill(4 - 1e-5));
  state.set("bn0.bias", new Float32Array(3).fill(1));
  const { feed, batches } = data();
  const gpu = await Gpu.open();
  try {
    const objective = { mode: "adjoined", adjoined: pair, detach: false } as const;
    // Four batches an epoch: the last one is of the next.
    const found = await estimateStatistics(gpu, state, { objective, feed, batches, count: 5 });
    const [means, variances] = [new Float64Array(3), new Float64Array(3)];
    const { mean, std } = feed.normalization;
    const all = [...batches.epoch(0)].length;
    assertEquals(all, 4);
    for (const [epoch, most] of [[0, 4], [1, 1]]) {
      let taken = 0;
      for (const { pixels } of batches.epoch(epoch)) {
        if (taken++ === most) break;
        for (let c = 0; c < 3; c++) {
          const values: number[] = [];
          for (let i = c; i < 8 * 12 * 12 * 3; i += 3) {
            values.push((pixels[i] / 255 - mean[c]) / std[c] / 2 + 1);
          }
          const middle = values.reduce((sum, v) => sum + v, 0) / values.length;
          means[c] += middle / 5;
          variances[c] += values.reduce((sum, v) => sum + (v - middle) ** 2, 0) /
            (values.length - 1) / 5;
        }
      }
    }
    for (let c = 0; c < 3; c++) {
      assertAlmostEquals(found.get("small.bn.running_mean")![c], means[c], 1e-4);
      assertAlmostEquals(found.get("small.bn.running_var")![c], variances[c], 1e-4);
    }
    for (const [name, values] of state) {
      if (!/^small\.bn\.running/.test(name)) assertEquals(found.get(name), values, name);
    }
  } finally {
    gpu.destroy();
  }
});
