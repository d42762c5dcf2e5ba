// Batches of pictures: what is in them, whatever the order in which pictures are decoded.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { cropFlip } from "../data/augment.ts";
import type { Batch } from "../data/batch.ts";
import { TrainingBatches } from "../data/batches.ts";
import { DataError } from "../data/error.ts";
import type { Picture } from "../data/picture.ts";
import {
  firstBatch,
  PictureTrainingBatches,
  PictureValidationBatches,
} from "../data/picture_batches.ts";
import type { PictureSet } from "../data/pictures.ts";
import { Random } from "../data/random.ts";

const CLASSES = ["a", "b", "c"];

/** A grey picture whose bytes are all its place, from 1x2 to 3x4 pixels. */
function picture(place: number): Picture {
  const [height, width] = [1 + place % 3, 2 + place % 3];
  const pixels = new Uint8Array(height * width).fill(place);
  return { height, width, channels: 1, pixels };
}

/** Pictures whose decoding takes some time, shorter for later ones. */
function pictures(
  length: number,
  { broken = [], delay = () => 0, varied = true, asked = [] }: {
    broken?: readonly number[];
    delay?: (place: number) => number;
    varied?: boolean;
    /** Is told what is asked for. */
    asked?: number[];
  } = {},
): PictureSet {
  const one = { height: 1, width: 2, channels: 1, pixels: new Uint8Array(2) };
  return {
    name: "pictures",
    part: "train",
    classes: CLASSES,
    length,
    height: 2,
    width: 1,
    channels: 1,
    labels: Uint8Array.from({ length }, (_, i) => i % 3),
    files: Array.from({ length }, (_, i) => `${i}.png`),
    source: {
      area: varied ? 12 : 2,
      varied,
      read: async (place) => {
        asked.push(place);
        await new Promise((resolve) => setTimeout(resolve, delay(place)));
        if (broken.includes(place)) return undefined;
        return varied ? picture(place) : { ...one, pixels: one.pixels.map(() => place) };
      },
    },
  };
}

/** What lasts of a batch. */
function kept({ pixels, labels, places, sizes, crops, count, draws }: Batch) {
  return {
    pixels: [...pixels],
    labels: [...labels],
    places: [...places ?? []],
    sizes: [...sizes ?? []],
    crops: [...crops],
    count,
    draws: draws?.map((numbers) => [...numbers]),
  };
}

async function all(batches: AsyncIterable<Batch>): Promise<ReturnType<typeof kept>[]> {
  const found = [];
  for await (const batch of batches) found.push(kept(batch));
  return found;
}

const augment = (random: Random, { width }: { width: number }) =>
  cropFlip({ random, size: width, padding: 1 });

const draws = [{
  name: "noise",
  numbers: 2,
  fill(numbers: Float32Array, { length, image, batch }: {
    length: number;
    image: (row: number) => Random;
    batch: () => Random;
  }) {
    const shared = batch().uniform();
    for (let row = 0; row < length; row++) numbers.set([image(row).uniform(), shared], row * 2);
  },
}];

Deno.test("an epoch of pictures has each once, in its slot, with its size, label and crop", async () => {
  const dataset = pictures(10);
  const batches = new PictureTrainingBatches({ dataset, batch: 3, seed: 1, augment });
  assertEquals(batches.length, 3);
  const found = await all(batches.epoch(0));
  assertEquals(found.length, 3);
  const places = found.flatMap(({ places }) => places);
  assertEquals(new Set(places).size, 9);
  for (const { pixels, labels, sizes, places, crops } of found) {
    places.forEach((place, row) => {
      const { height, width, pixels: own } = picture(place);
      assertEquals(pixels.slice(row * 12, row * 12 + height * width), [...own]);
      assertEquals(sizes.slice(row * 2, row * 2 + 2), [height, width]);
      assertEquals(labels[row], place % 3);
      const crop = new Float32Array(4);
      augment(new Random(1, `crop of epoch 0, image ${place}`), { width })(crop, 0);
      assertEquals(crops.slice(row * 4, row * 4 + 4), [...crop]);
    });
  }
});

Deno.test("batches of pictures do not depend on which is decoded first", async () => {
  const options = { batch: 4, seed: 3, augment, draws };
  const slowFirst = pictures(12, { delay: (place) => (12 - place) * 2 });
  const found = await Promise.all(
    [pictures(12), slowFirst].map(async (dataset) =>
      await all(new PictureTrainingBatches({ dataset, ...options }).epoch(2))
    ),
  );
  assertEquals(found[0], found[1]);
});

Deno.test("an epoch of pictures goes on from any batch", async () => {
  const batches = new PictureTrainingBatches({
    dataset: pictures(11, { broken: [4] }),
    ...{ batch: 2, seed: 5, augment, draws },
  });
  const whole = await all(batches.epoch(1));
  assertEquals(await all(batches.epoch(1, 2)), whole.slice(2));
});

Deno.test("pictures have the order and the draws that images in memory have", async () => {
  const options = { batch: 2, seed: 7, augment, draws };
  const dataset = pictures(6, { varied: false });
  const streamed = await all(new PictureTrainingBatches({ dataset, ...options }).epoch(0));
  const inMemory = {
    ...dataset,
    height: 1,
    width: 2,
    pixels: Uint8Array.from({ length: 12 }, (_, i) => Math.floor(i / 2)),
  };
  const { source: _, files: __, ...plain } = inMemory;
  const found = [...new TrainingBatches({ dataset: plain, ...options }).epoch(0)].length;
  assertEquals(found, 3);
  const again = [];
  for (const batch of new TrainingBatches({ dataset: plain, ...options }).epoch(0)) {
    again.push(kept(batch));
  }
  assertEquals(streamed, again);
});

Deno.test("the next picture of the order stands in for a broken one", async () => {
  const options = { batch: 3, seed: 2 };
  const whole = await all(
    new PictureTrainingBatches({ dataset: pictures(9), ...options }).epoch(0),
  );
  const order = whole.flatMap(({ places }) => places);
  const broken = [order[1], order[2]];
  const found = await all(
    new PictureTrainingBatches({ dataset: pictures(9, { broken }), ...options }).epoch(0),
  );
  assertEquals(
    found.flatMap(({ places }) => places),
    order.map((place, i) => i === 1 || i === 2 ? order[3] : place),
  );
  const none = pictures(3, { broken: [0, 1, 2] });
  await assertRejects(
    () => all(new PictureTrainingBatches({ dataset: none, ...options }).epoch(0)),
    DataError,
    "Cannot train on pictures: all 3 pictures are broken",
  );
});

Deno.test("validation leaves broken pictures out and counts the others", async () => {
  const dataset = pictures(7, { broken: [0, 5], varied: false });
  const batches = new PictureValidationBatches({ dataset, batch: 3 });
  const found = await all(batches);
  assertEquals(found.map(({ count }) => count), [3, 2]);
  assertEquals(found.flatMap(({ places, count }) => places.slice(0, count)), [1, 2, 3, 4, 6]);
  assertEquals(found[1].pixels, [4, 4, 6, 6, 4, 4]);
  assertEquals((await all(batches)).length, 2);
  const none = pictures(2, { broken: [0, 1] });
  await assertRejects(
    () => all(new PictureValidationBatches({ dataset: none, batch: 1 })),
    DataError,
    "Cannot measure on pictures: all 2 pictures are broken",
  );
});

Deno.test("no more pictures are asked for than some batches ahead", async () => {
  const asked: number[] = [];
  const dataset = pictures(100, { asked });
  for await (const _ of new PictureTrainingBatches({ dataset, batch: 5, seed: 0 }).epoch(0)) break;
  assert(asked.length <= 20, `${asked.length} were asked for`);
  asked.length = 0;
  await firstBatch({ dataset, batch: 5 });
  assert(asked.length <= 20, `${asked.length} were asked for`);
});

Deno.test("an error of the source is raised where its picture is wanted", async () => {
  const dataset = pictures(6);
  const failing: PictureSet = {
    ...dataset,
    source: {
      ...dataset.source,
      read: (place) =>
        place === 4
          ? Promise.reject(new DataError("the folder is gone"))
          : dataset.source.read(place),
    },
  };
  const options = { dataset: failing, batch: 2, seed: 0 };
  const error = await assertRejects(() => all(new PictureTrainingBatches(options).epoch(0)));
  assert(error instanceof DataError);
  assertEquals(error.message, "the folder is gone");
});

Deno.test("batches of pictures refuse sizes, seeds and epochs that are none", () => {
  const dataset = pictures(4);
  assertThrows(
    () => new PictureTrainingBatches({ dataset, batch: 5, seed: 0 }),
    RangeError,
    "Cannot make batches of 5 images: pictures has 4",
  );
  assertThrows(() => new PictureTrainingBatches({ dataset, batch: 2, seed: -1 }), RangeError);
  assertThrows(
    () => new PictureTrainingBatches({ dataset, batch: 2, seed: 0 }).epoch(-1),
    RangeError,
  );
  assertThrows(() => new PictureValidationBatches({ dataset, batch: 0 }), RangeError);
});

Deno.test("a balanced epoch shows an image again in another crop", async () => {
  const dataset = pictures(9);
  const labels = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 1]);
  const uneven = { ...dataset, labels };
  const options = { dataset: uneven, batch: 9, seed: 4, sampler: "balanced", draws } as const;
  const [{ places, draws: drawn }] = await all(new PictureTrainingBatches(options).epoch(0));
  const rows = places.flatMap((place, row) => place === 8 ? [row] : []);
  assert(rows.length > 1);
  assertEquals(new Set(rows.map((row) => drawn?.[0][row * 2])).size, rows.length);
});
