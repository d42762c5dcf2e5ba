import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { TrainingBatches } from "../data/batches.ts";
import { balancedWeights, epochOrder } from "../data/order.ts";

/** 90 images of class 0, 9 of class 1, none of class 2, 1 of class 3. */
const uneven = Uint8Array.from({ length: 100 }, (_, i) => i < 90 ? 0 : i < 99 ? 1 : 3).reverse();

const of = { labels: uneven, classes: 4, seed: 5, epoch: 2 };

Deno.test("a shuffled order is the one in which batches of a set in memory come", () => {
  const dataset = {
    name: "numbered",
    classes: ["a", "b", "c", "d"],
    length: 100,
    height: 1,
    width: 1,
    channels: 1,
    pixels: Uint8Array.from({ length: 100 }, (_, i) => i),
    labels: uneven,
  };
  const batches = new TrainingBatches({ dataset, batch: 10, seed: 5 });
  const shown = Array.from(batches.epoch(2), ({ labels }) => [...labels]).flat();
  const order = epochOrder(of);
  assertEquals([...order].map((i) => uneven[i]), shown);
  assertEquals([...order].sort((a, b) => a - b), Array.from(uneven, (_, i) => i));
  const [again] = new TrainingBatches({ dataset, batch: 100, seed: 5 }).epoch(2);
  assertEquals([...again.pixels], [...order]);
});

Deno.test("in a balanced order each class is equally likely, and each image of a class", () => {
  const seen = new Float64Array(100);
  const epochs = 600;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = epochOrder({ ...of, epoch, sampler: "balanced" });
    assertEquals(order.length, 100);
    for (const i of order) seen[i]++;
  }
  const counts = [90, 9, NaN, 1];
  const draws = epochs * 100;
  seen.forEach((found, i) => {
    const wanted = draws / 3 / counts[uneven[i]];
    // Five standard deviations of a count of rare draws.
    assert(Math.abs(found - wanted) < 5 * Math.sqrt(wanted), `image ${i}: ${found}, ${wanted}`);
  });
});

Deno.test("a balanced order depends on the seed and the epoch alone", () => {
  const order = (changed: object) =>
    [...epochOrder({ ...of, sampler: "balanced", ...changed })].join();
  assertEquals(order({}), order({}));
  assert(order({}) !== order({ epoch: 3 }));
  assert(order({}) !== order({ seed: 6 }));
});

Deno.test("balanced weights are scikit-learn's, and 0 for a class without images", () => {
  // n / (classes · count), over the three classes that there are.
  const wanted = [100 / (3 * 90), 100 / (3 * 9), 0, 100 / 3];
  const found = balancedWeights(uneven, 4);
  wanted.forEach((weight, c) => assertAlmostEquals(found[c], weight, 1e-5));
  const mean = uneven.reduce((sum, label) => sum + found[label], 0) / 100;
  assertAlmostEquals(mean, 1, 1e-6);
  assertEquals([...balancedWeights([0, 1, 2], 3)], [1, 1, 1]);
});

Deno.test("labels that are no classes, and epochs and seeds that are none, are refused", () => {
  const cases: [() => unknown, string][] = [
    [
      () => epochOrder({ ...of, classes: 3, sampler: "balanced" }),
      "Cannot draw a balanced order: wanted labels from 0 to 2, found 3 at image 0",
    ],
    [
      () => balancedWeights([0, 5], 2),
      "Cannot weigh the classes: wanted labels from 0 to 1, found 5 at image 1",
    ],
    [() => epochOrder({ ...of, epoch: -1 }), "wanted the epoch to be a whole number from 0"],
    [() => epochOrder({ ...of, seed: 0.5 }), "a seed is a whole number"],
  ];
  for (const [run, message] of cases) assertThrows(run, RangeError, message);
});
