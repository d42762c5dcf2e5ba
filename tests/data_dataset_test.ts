import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  checkDataset,
  concatenate,
  type Dataset,
  measureNormalization,
  take,
} from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { openInMemory as openDataset } from "./in_memory.ts";

/** Three images of 1x2 pixels with two channels. */
const small: Dataset = {
  name: "small",
  classes: ["a", "b"],
  length: 3,
  height: 1,
  width: 2,
  channels: 2,
  pixels: Uint8Array.of(0, 7, 51, 7, 102, 7, 153, 7, 204, 7, 255, 7),
  labels: Uint8Array.of(0, 1, 1),
};

Deno.test("measureNormalization() gives mean and deviation of each channel in [0, 1]", () => {
  const { mean, std } = measureNormalization(small);
  assert(Math.abs(mean[0] - 0.5) < 1e-12 && Math.abs(mean[1] - 7 / 255) < 1e-12);
  // Values k / 5 for k = 0 to 5: variance 35 / 12 / 25.
  assert(Math.abs(std[0] - Math.sqrt(35 / 300)) < 1e-12);
  assertEquals(std[1], 1, "a constant channel is not divided by zero");
});

Deno.test("take() keeps the first images", () => {
  const { length, pixels, labels } = take(small, 2);
  assertEquals([length, [...pixels], [...labels]], [2, [0, 7, 51, 7, 102, 7, 153, 7], [0, 1]]);
});

Deno.test("take() refuses more images than there are, and none", () => {
  const { message } = assertThrows(() => take(small, 4), RangeError);
  assertEquals(
    message,
    "Cannot take 4 images of small: it has 3; lower the count to at most 3",
  );
  assertThrows(() => take(small, 0), RangeError, "Cannot take 0 images");
  assertThrows(() => take(small, 1.5), RangeError, "Cannot take 1.5 images");
});

Deno.test("concatenate() joins images and labels, and refuses other sizes", () => {
  const joined = concatenate("twice", [small, take(small, 1)]);
  assertEquals([joined.name, joined.length, [...joined.labels]], ["twice", 4, [0, 1, 1, 0]]);
  assertEquals([...joined.pixels.subarray(12)], [0, 7, 51, 7]);
  checkDataset(joined);
  const turned = { ...small, name: "turned", height: 2, width: 1 };
  const { message } = assertThrows(() => concatenate("both", [small, turned]), DataError);
  assertEquals(
    message,
    "Cannot append turned to small: wanted images of [1,2,2], found [2,1,2]",
  );
});

Deno.test("checkDataset() says which of sizes, pixels and labels does not fit", () => {
  const message = (change: Partial<Dataset>) =>
    assertThrows(() => checkDataset({ ...small, ...change }), DataError).message;
  checkDataset(small);
  assertEquals(
    message({ width: 0 }),
    "Cannot use small: wanted at least one image, found shape [3,1,0,2]",
  );
  assertEquals(
    message({ channels: 3 }),
    "Cannot use small: wanted 18 bytes of pixels for shape [3,1,2,3], found 12",
  );
  assertEquals(
    message({ labels: Uint8Array.of(0, 1) }),
    "Cannot use small: wanted a label for each of its 3 images, found 2",
  );
  assertEquals(
    message({ labels: Uint16Array.of(0, 1, 300) }),
    "Cannot use small: wanted labels below its 2 classes, found 300 at image 2",
  );
});

Deno.test("openDataset() draws generated images from the seed", async () => {
  const options = { seed: 1, trainCount: 30, validationCount: 20, imageSize: 16, classes: 10 };
  const split = await openDataset("generated", options);
  assertEquals([split.train.length, split.validation.length, split.train.width], [30, 20, 16]);
  assertEquals(await openDataset("generated", options), split);
  const other = await openDataset("generated", { ...options, seed: 2 });
  assert(other.train.pixels.some((v, i) => v !== split.train.pixels[i]));
});

Deno.test("openDataset() refuses a folder or another number of classes for generated images", async () => {
  const folder = await assertRejects(
    () => openDataset("generated", { seed: 1, dataDir: "images" }),
    DataError,
  );
  assertEquals(
    folder.message,
    "Cannot open generated images in images: they are drawn from the seed; leave out dataDir",
  );
  const classes = await assertRejects(
    () => openDataset("generated", { seed: 1, trainCount: 1, validationCount: 1, classes: 3 }),
    DataError,
  );
  assertEquals(
    classes.message,
    "Cannot open generated with 3 classes: it has 10; leave out the classes",
  );
});
