import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { generatedSplit } from "../data/generated.ts";
import { validationBatches } from "../data/picture_batches.ts";
import { Gpu } from "../kernels/gpu.ts";
import { model } from "../nn/families/mod.ts";
import { classScores, macroScore } from "../train/class_scores.ts";
import { KernelSession } from "../train/kernel_session.ts";
import { Predictions } from "../train/predictions.ts";
import { randomState } from "./saved_networks.ts";

function close(found: object, wanted: object): void {
  const values = (of: object): number[] => Object.values(of).map(Number);
  values(wanted).forEach((value, i) => assertAlmostEquals(values(found)[i], value, 1e-12));
  assertEquals(Object.keys(found), Object.keys(wanted));
}

/** Logits that give each image a class, with odds of e^`by` to one against each other class. */
function logitsFor(predicted: readonly number[], classes: number, by = 2): Float32Array {
  const logits = new Float32Array(predicted.length * classes);
  predicted.forEach((label, row) => logits[row * classes + label] = by);
  return logits;
}

// sklearn.metrics.precision_recall_fscore_support(
//   [0, 0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 1, 2, 1, 1, 0, 2, 2, 2], labels=[0, 1, 2, 3], zero_division=0)
// gives precision 2/3, 2/3, 3/4, 0; recall 1/2, 2/3, 1, 0; F1 4/7, 2/3, 6/7, 0; support 4, 3, 3, 0;
// average="macro" over the labels that are there gives 25/36, 13/18 and 44/63.
const LABELS = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
const GIVEN = [0, 0, 1, 2, 1, 1, 0, 2, 2, 2];

Deno.test("precision, recall and F1 of classes are scikit-learn's", () => {
  const predictions = new Predictions(4);
  predictions.add({ count: 10, labels: Uint32Array.from(LABELS) }, logitsFor(GIVEN, 4));
  assertEquals([...predictions.counts], [2, 1, 1, 0, 1, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0]);
  const scores = classScores(predictions);
  const wanted = [
    { precision: 2 / 3, recall: 1 / 2, f1: 4 / 7, images: 4, predicted: 3 },
    { precision: 2 / 3, recall: 2 / 3, f1: 2 / 3, images: 3, predicted: 3 },
    { precision: 3 / 4, recall: 1, f1: 6 / 7, images: 3, predicted: 4 },
    { precision: 0, recall: 0, f1: 0, images: 0, predicted: 0 },
  ];
  wanted.forEach((score, label) => close(scores[label], score));
  close(macroScore(scores), { precision: 25 / 36, recall: 13 / 18, f1: 44 / 63 });
});

Deno.test("mistakes are the most confident ones first, by their places", () => {
  const predictions = new Predictions(2);
  const labels = Uint32Array.of(0, 0, 1, 0);
  const places = Uint32Array.of(7, 5, 3, 1);
  // The third image is told rightly, the fourth is not meant.
  const logits = Float32Array.of(0, 1, 0, 3, 0, 9, 0, 20);
  predictions.add({ count: 3, labels, places }, logits);
  predictions.add({ count: 1, labels: Uint32Array.of(1) }, Float32Array.of(2, 0));
  const sure = (x: number): number => 1 / (1 + Math.exp(-x));
  assertEquals(predictions.images, 4);
  assertEquals(
    predictions.mistakes.map(({ place, label, predicted }) => [place, label, predicted]),
    [[5, 0, 1], [3, 1, 0], [7, 0, 1]],
  );
  const [first] = predictions.mistakes;
  assertAlmostEquals(first.probability, sure(3), 1e-12);
  assertAlmostEquals(first.ofLabel, sure(-3), 1e-12);
});

Deno.test("of many mistakes those that are kept are the same, in whatever batches they come", () => {
  const count = 3000;
  const logits = Float32Array.from({ length: 2 * count }, (_, i) => i % 2 ? (i * 7919) % 5003 : 0);
  const labels = new Uint32Array(count);
  const whole = new Predictions(2);
  whole.add({ count, labels }, logits.map((x) => x / 5003));
  const parts = new Predictions(2);
  for (let at = 0; at < count; at += 250) {
    const part = logits.subarray(2 * at, 2 * at + 500).map((x) => x / 5003);
    parts.add({ count: 250, labels: labels.subarray(at, at + 250) }, part);
  }
  assertEquals(parts.mistakes, whole.mistakes);
  assertEquals([whole.mistakes.length, parts.counts[1]], [100, whole.counts[1]]);
});

Deno.test("predictions of an evaluation agree with its score, in batches filled in part", async () => {
  const { train: dataset, normalization } = generatedSplit({
    train: 45,
    validation: 1,
    size: 12,
    seed: 1,
  });
  const network = model("resnet8", { classes: 10 });
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const session = await KernelSession.open(scope, {
      checkpoint: {
        network,
        state: randomState(network),
        which: "base",
        classes: dataset.classes,
        image: [12, 12, 3],
        normalization,
      },
      dataset,
      batch: 2,
    });
    const predictions = new Predictions(10);
    const batches = validationBatches({ dataset, batch: 2 });
    const { top1 } = await session.score(batches, undefined, predictions);
    const right = Array.from({ length: 10 }, (_, i) => predictions.counts[11 * i]);
    assertEquals(predictions.images, 45);
    assertAlmostEquals(right.reduce((sum, n) => sum + n) / 45, top1, 1e-6);
    for (const { place, label } of predictions.mistakes) {
      assertEquals(dataset.labels[place], label);
    }
    assert(predictions.mistakes.length > 20);
  } finally {
    gpu.destroy();
  }
});
