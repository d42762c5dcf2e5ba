import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Dataset, measureNormalization } from "../data/dataset.ts";
import { drawSplit, generatedSplit, generateImages } from "../data/generated.ts";
import { Random } from "../data/random.ts";

Deno.test("generateImages() draws the same bytes for the same seed", () => {
  const first = generateImages({ count: 50, seed: 1 });
  assertEquals(generateImages({ count: 50, seed: 1 }), first);
  const hash = first.pixels.reduce((h, v) => Math.imul(h ^ v, 0x01000193), 0x811c9dc5) >>> 0;
  assertEquals(hash, 2942643273);
});

Deno.test("generateImages() draws an image alike however many follow", () => {
  const few = generateImages({ count: 13, seed: 2 });
  const many = generateImages({ count: 40, seed: 2 });
  assertEquals(many.pixels.subarray(0, few.pixels.length), few.pixels);
});

Deno.test("generateImages() draws other images for another seed, stream or size", () => {
  const { pixels } = generateImages({ count: 10, seed: 3 });
  const same = (other: Uint8Array) => other.filter((v, i) => v === pixels[i]).length;
  assert(same(generateImages({ count: 10, seed: 4 }).pixels) < pixels.length / 20);
  assert(same(generateImages({ count: 10, seed: 3, stream: "other" }).pixels) < pixels.length / 20);
  const large = generateImages({ count: 10, seed: 3, size: 45 });
  assertEquals([large.height, large.width, large.pixels.length], [45, 45, 10 * 45 * 45 * 3]);
});

Deno.test("generateImages() gives ten classes in equal shares", () => {
  const { labels, classes } = generateImages({ count: 200, seed: 5 });
  assertEquals(classes.length, 10);
  const counts = classes.map((_, k) => labels.filter((label) => label === k).length);
  assertEquals(counts, new Array(10).fill(20));
});

Deno.test("generateImages() gives no class a colour or a brightness of its own", () => {
  const { pixels, labels, classes } = generateImages({ count: 3000, seed: 6 });
  const sums = classes.map(() => [0, 0, 0]);
  for (let i = 0; i < pixels.length; i++) sums[labels[Math.floor(i / 3072)]][i % 3] += pixels[i];
  const means = sums.flat().map((sum) => sum / (300 * 1024));
  // One class's mean over 300 images varies by about 60 / sqrt(300) = 3.5.
  assert(means.every((mean) => Math.abs(mean - 127.5) < 16), String(means));
});

Deno.test("generatedSplit() gives two sets without a common image, normalised by the first", () => {
  const { train, validation, normalization } = generatedSplit({
    train: 60,
    validation: 40,
    size: 16,
    seed: 7,
  });
  assertEquals([train.length, validation.length], [60, 40]);
  assertEquals([train.name, validation.name], ["generated train", "generated validation"]);
  const image = (set: Dataset, i: number) => set.pixels.subarray(i * 768, (i + 1) * 768).join();
  const all = [train, validation].flatMap((set) => [...set.labels].map((_, i) => image(set, i)));
  assertEquals(new Set(all).size, 100);
  assertEquals(normalization, measureNormalization(train));
});

Deno.test("generateImages() says what is wrong with a count and a size", () => {
  const count = assertThrows(() => generateImages({ count: 0, seed: 1 }), RangeError);
  assertEquals(count.message, "Cannot generate 0 images: wanted a whole number from 1 on");
  const size = assertThrows(() => generateImages({ count: 1, size: 8, seed: 1 }), RangeError);
  assertEquals(
    size.message,
    "Cannot generate images of 8 pixels a side: wanted a whole number from 12 on",
  );
});

/** Share of `test` that a linear softmax classifier of raw pixels gets right after SGD on `train`. */
function linearAccuracy(train: Dataset, test: Dataset, epochs: number): number {
  const inputs = train.pixels.length / train.length;
  const outputs = train.classes.length;
  const { mean, std } = measureNormalization(train);
  const normalize = ({ pixels }: Dataset) =>
    Float32Array.from(pixels, (v, i) => (v / 255 - mean[i % 3]) / std[i % 3]);
  const weights = new Float64Array(outputs * (inputs + 1));
  const logits = new Float64Array(outputs);
  const predict = (x: Float32Array) => {
    for (let k = 0; k < outputs; k++) {
      const row = weights.subarray(k * (inputs + 1), (k + 1) * (inputs + 1));
      let sum = row[inputs];
      for (let i = 0; i < inputs; i++) sum += row[i] * x[i];
      logits[k] = sum;
    }
  };
  const x = normalize(train);
  const order = Uint32Array.from({ length: train.length }, (_, i) => i);
  const random = new Random(8);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 1e-4 * (1 - epoch / epochs);
    random.shuffle(order);
    for (const image of order) {
      const pixels = x.subarray(image * inputs, (image + 1) * inputs);
      predict(pixels);
      const largest = Math.max(...logits);
      const total = logits.reduce((sum, v) => sum + Math.exp(v - largest), 0);
      for (let k = 0; k < outputs; k++) {
        const wanted = train.labels[image] === k ? 1 : 0;
        const step = rate * (wanted - Math.exp(logits[k] - largest) / total);
        const row = weights.subarray(k * (inputs + 1), (k + 1) * (inputs + 1));
        for (let i = 0; i < inputs; i++) row[i] += step * pixels[i];
        row[inputs] += step;
      }
    }
  }
  const y = normalize(test);
  let right = 0;
  for (let image = 0; image < test.length; image++) {
    predict(y.subarray(image * inputs, (image + 1) * inputs));
    if (logits.indexOf(Math.max(...logits)) === test.labels[image]) right++;
  }
  return right / test.length;
}

/** Gives every class a tint of its own, so that pixels do tell the classes apart. */
function tinted(dataset: Dataset): Dataset {
  const bytes = dataset.pixels.length / dataset.length;
  const pixels = dataset.pixels.map((v, i) => {
    const label = dataset.labels[Math.floor(i / bytes)];
    return i % bytes < 300 && Math.floor(i % bytes / 30) === label ? 255 : v / 2;
  });
  return { ...dataset, pixels };
}

Deno.test("a linear classifier of raw pixels fails on generated images", () => {
  const { train, validation } = generatedSplit({ train: 2000, validation: 500, seed: 9 });
  const accuracy = linearAccuracy(train, validation, 8);
  assert(accuracy < 0.5, `${accuracy}`);
});

Deno.test("the same linear classifier succeeds where pixels tell the class", () => {
  const { train, validation } = generatedSplit({ train: 1000, validation: 300, seed: 9 });
  const accuracy = linearAccuracy(tinted(train), tinted(validation), 4);
  assert(accuracy > 0.9, `${accuracy}`);
});

Deno.test("drawSplit() draws the images of generatedSplit(), and lets timers through", async () => {
  const options = { train: 1000, validation: 20, size: 12, seed: 3 };
  let ticks = 0;
  const timer = setInterval(() => ticks++);
  const { train, validation } = await drawSplit(options);
  clearInterval(timer);
  assert(ticks > 0);
  const wanted = generatedSplit(options);
  assertEquals([train, validation], [wanted.train, wanted.validation]);
});
