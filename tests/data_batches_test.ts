import { assert, assertEquals, assertThrows } from "@std/assert";
import { centralCrop, cropFlip, identity } from "../data/augment.ts";
import { type Batch, TrainingBatches, ValidationBatches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";

/** Images of 1x3 pixels; each pixel of image i is i, and its label i mod 4. */
function numbered(length: number): Dataset {
  return {
    name: "numbered",
    classes: ["a", "b", "c", "d"],
    length,
    height: 1,
    width: 3,
    channels: 1,
    pixels: Uint8Array.from({ length: 3 * length }, (_, i) => Math.floor(i / 3)),
    labels: Uint8Array.from({ length }, (_, i) => i % 4),
  };
}

/** The numbers of a batch's images, checked against all their pixels and labels. */
function images({ pixels, labels }: Batch): number[] {
  return Array.from(labels, (label, row) => {
    const image = pixels[3 * row];
    assertEquals([...pixels.subarray(3 * row, 3 * row + 3)], [image, image, image]);
    assertEquals(label, image % 4);
    return image;
  });
}

function walk(batches: Iterable<Batch>): { images: number[]; crops: number[]; count: number }[] {
  return Array.from(
    batches,
    (batch) => ({ images: images(batch), crops: [...batch.crops], count: batch.count }),
  );
}

const augmented = (seed: number) =>
  new TrainingBatches({
    dataset: numbered(50),
    batch: 8,
    seed,
    augment: (random) => cropFlip({ random, size: 16, padding: 4 }),
  });

Deno.test("TrainingBatches shows every image at most once an epoch and drops the rest", () => {
  const batches = new TrainingBatches({ dataset: numbered(50), batch: 8, seed: 1 });
  const epoch = walk(batches.epoch(0));
  assertEquals([batches.length, epoch.length], [6, 6]);
  assert(epoch.every(({ count }) => count === 8));
  const seen = epoch.flatMap((batch) => batch.images);
  assertEquals(new Set(seen).size, 48);
  assert(seen.some((image, i) => image !== i), "shuffled");
});

Deno.test("TrainingBatches leaves out other images in other epochs", () => {
  const batches = new TrainingBatches({ dataset: numbered(50), batch: 8, seed: 1 });
  const seen = [0, 1, 2, 3].flatMap((epoch) => walk(batches.epoch(epoch)).flatMap((b) => b.images));
  assertEquals(new Set(seen).size, 50);
});

Deno.test("the order and the crops of an epoch depend on the seed and the epoch alone", () => {
  const used = augmented(1);
  walk(used.epoch(0));
  const epoch = walk(used.epoch(3));
  assertEquals(walk(augmented(1).epoch(3)), epoch);
  const text = JSON.stringify(epoch);
  assert(JSON.stringify(walk(used.epoch(4))) !== text);
  assert(JSON.stringify(walk(augmented(2).epoch(3))) !== text);
});

Deno.test("an epoch can go on in its middle", () => {
  assertEquals(walk(augmented(1).epoch(2, 4)), walk(augmented(1).epoch(2)).slice(4));
});

Deno.test("TrainingBatches samples the whole image unless told to augment", () => {
  const batches = new TrainingBatches({ dataset: numbered(4), batch: 2, seed: 1 });
  for (const { crops } of batches.epoch(0)) assertEquals([...crops], [0, 0, 1, 1, 0, 0, 1, 1]);
  const crops = walk(augmented(1).epoch(0)).flatMap((batch) => batch.crops);
  assert(new Set(crops.filter((_, i) => i % 4 === 0)).size > 9);
});

Deno.test("ValidationBatches goes in order and fills the last batch up with image 0", () => {
  const batches = new ValidationBatches({ dataset: numbered(7), batch: 3 });
  const all = walk(batches);
  assertEquals(all.map((batch) => batch.images), [[0, 1, 2], [3, 4, 5], [6, 0, 0]]);
  assertEquals(all.map((batch) => batch.count), [3, 3, 1]);
  assertEquals(batches.length, 3);
  assertEquals(walk(batches), all, "again the same");
});

Deno.test("ValidationBatches takes a batch larger than the set, and a crop", () => {
  const crop = centralCrop({ sourceHeight: 1, sourceWidth: 3, outputSize: 1, fraction: 1 });
  const [batch, ...rest] = walk(new ValidationBatches({ dataset: numbered(2), batch: 4, crop }));
  assertEquals(rest, []);
  assertEquals([batch.count, batch.images], [2, [0, 1, 0, 0]]);
  assertEquals(batch.crops.slice(0, 4), [1, 0, 1, 1]);
});

Deno.test("batches come in the same arrays, whose buffer is whole 32-bit words", () => {
  const batches = new TrainingBatches({ dataset: numbered(6), batch: 3, seed: 1 });
  const [first, second] = [...batches.epoch(0)];
  assert(first.pixels === second.pixels && first.crops === second.crops);
  assertEquals([first.pixels.length, first.pixels.buffer.byteLength], [9, 12]);
});

Deno.test("a batch that cannot be filled and a wrong dataset are refused", () => {
  const dataset = numbered(5);
  const large = assertThrows(() => new TrainingBatches({ dataset, batch: 6, seed: 1 }), RangeError);
  assertEquals(
    large.message,
    "Cannot make batches of 6 images: numbered has 5; lower the batch to at most that",
  );
  const none = assertThrows(() => new ValidationBatches({ dataset, batch: 0 }), RangeError);
  assertEquals(none.message, "Cannot make batches of 0 images: wanted a whole number from 1 on");
  const wrong = { ...dataset, labels: Uint8Array.of(0, 1, 2, 3, 4) };
  assertThrows(
    () => new ValidationBatches({ dataset: wrong, batch: 1, crop: identity() }),
    DataError,
    "Cannot use numbered: wanted labels below its 4 classes, found 4 at image 4",
  );
});
