import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CIFAR100_CLASSES, CIFAR10_CLASSES, parseCifar10, parseCifar100 } from "../data/cifar.ts";
import { DataError } from "../data/error.ts";
import { openInMemory as openDataset } from "./in_memory.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write");

/** Records of the given label bytes; in record r, the byte of colour c at pixel p is r + 100 c + p. */
function records(...labels: number[][]): Uint8Array {
  const bytes = labels.map((label, r) => [
    ...label,
    ...Array.from({ length: 3072 }, (_, i) => r + 100 * Math.floor(i / 1024) + i % 1024 & 255),
  ]);
  return Uint8Array.from(bytes.flat());
}

async function folder(files: Record<string, Uint8Array>, inside = ""): Promise<string> {
  const root = await Deno.makeTempDir();
  if (inside !== "") await Deno.mkdir(`${root}/${inside}`);
  for (const [name, bytes] of Object.entries(files)) {
    await Deno.writeFile(`${root}/${inside}/${name}`, bytes);
  }
  return root;
}

Deno.test("parseCifar10() turns planes of colour into pixels of three channels", () => {
  const { labels, pixels, ...rest } = parseCifar10(records([3], [9]), "data_batch_1.bin");
  assertEquals([...labels], [3, 9]);
  assertEquals([...pixels.subarray(0, 6)], [0, 100, 200, 1, 101, 201]);
  assertEquals([...pixels.subarray(3072 + 33 * 3, 3072 + 34 * 3)], [34, 134, 234]);
  assertEquals(rest, {
    name: "data_batch_1.bin",
    classes: CIFAR10_CLASSES,
    length: 2,
    height: 32,
    width: 32,
    channels: 3,
  });
});

Deno.test("parseCifar100() takes the fine label, the second byte", () => {
  const { labels, pixels, classes } = parseCifar100(records([19, 99], [0, 23]), "train.bin");
  assertEquals([...labels], [99, 23]);
  assertEquals([...pixels.subarray(0, 3)], [0, 100, 200]);
  assertEquals([classes.length, classes[23], classes[99]], [100, "cloud", "worm"]);
});

Deno.test("the classes of CIFAR-100 are a hundred, in alphabetical order", () => {
  assertEquals(new Set(CIFAR100_CLASSES).size, 100);
  assertEquals([...CIFAR100_CLASSES].sort(), CIFAR100_CLASSES);
});

Deno.test("parseCifar10() refuses a file that is cut off or empty", () => {
  const short = assertThrows(
    () => parseCifar10(new Uint8Array(3000), "data_batch_1.bin"),
    DataError,
  );
  assertEquals(
    short.message,
    "Cannot read data_batch_1.bin as CIFAR-10: wanted a multiple of 3073 bytes, found 3000; download the binary version again",
  );
  assertThrows(() => parseCifar10(new Uint8Array(0), "a.bin"), DataError, "found 0;");
  assertThrows(
    () => parseCifar100(records([1]), "train.bin"),
    DataError,
    "Cannot read train.bin as CIFAR-100: wanted a multiple of 3074 bytes, found 3073;",
  );
});

Deno.test("parseCifar10() and parseCifar100() refuse labels that are out of range", () => {
  const ten = assertThrows(() => parseCifar10(records([9], [10]), "a.bin"), DataError);
  assertEquals(
    ten.message,
    "Cannot read a.bin as CIFAR-10: wanted labels from 0 to 9, found 10 in record 1; download the binary version again",
  );
  assertThrows(
    () => parseCifar100(records([20, 0]), "a.bin"),
    DataError,
    "wanted labels from 0 to 19, found 20 in record 0",
  );
  assertThrows(
    () => parseCifar100(records([0, 100]), "a.bin"),
    DataError,
    "wanted labels from 0 to 99, found 100 in record 0",
  );
});

/** Batches of CIFAR-10, one after the other. */
function batches(...all: Uint8Array[]): Record<string, Uint8Array> {
  return Object.fromEntries(all.map((bytes, i) => [`data_batch_${i + 1}.bin`, bytes]));
}

Deno.test(
  "openDataset() reads the batches of CIFAR-10 in order",
  { ignore },
  async () => {
    const files = {
      "test_batch.bin": records([4], [5], [6]),
      ...batches(records([1], [2]), records([3]), records([0]), records([0]), records([0])),
      "readme.html": new Uint8Array(1),
    };
    for (const inside of ["", "cifar-10-batches-bin"]) {
      const dataDir = await folder(files, inside);
      const { train, validation } = await openDataset("cifar10", {
        dataDir,
        seed: 0,
        validationCount: 2,
      });
      assertEquals([train.name, ...train.labels], ["cifar10 train", 1, 2, 3, 0, 0, 0]);
      assertEquals([validation.name, ...validation.labels], ["cifar10 test", 4, 5]);
      assertEquals(train.pixels.length, 6 * 3072);
      await Deno.remove(dataDir, { recursive: true });
    }
  },
);

Deno.test("openDataset() measures the training images that it takes", { ignore }, async () => {
  const bright = records([1]).map((v, i) => i === 0 ? v : 255);
  const dataDir = await folder({
    "train.bin": Uint8Array.of(0, ...bright, ...records([0, 2])),
    "test.bin": records([0, 3]),
  }, "cifar-100-binary");
  const { normalization, train } = await openDataset("cifar100", {
    dataDir,
    seed: 0,
    trainCount: 1,
  });
  assertEquals([...train.labels], [1]);
  assertEquals(normalization, { mean: [1, 1, 1], std: [1, 1, 1] });
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test(
  "openDataset() names the folder, the files it wants and those it found",
  { ignore },
  async () => {
    const none = await assertRejects(() => openDataset("cifar10", { seed: 0 }), DataError);
    assertEquals(
      none.message,
      "Cannot open cifar10: wanted a folder with data_batch_1.bin to data_batch_5.bin and test_batch.bin, found none named; name it with dataDir, and unpack the binary version of CIFAR-10 (cifar-10-binary.tar.gz) there",
    );
    const dataDir = await folder({ "test.bin": records([0, 0]) });
    const missing = await assertRejects(
      () => openDataset("cifar100", { dataDir, seed: 0 }),
      DataError,
    );
    assertEquals(
      missing.message,
      `Cannot open cifar100 in ${dataDir}: wanted train.bin and test.bin, found test.bin, no train.bin; unpack the binary version of CIFAR-100 (cifar-100-binary.tar.gz) there`,
    );
    const open = (dataDir: string) => () => openDataset("cifar10", { dataDir, seed: 0 });
    await assertRejects(open(`${dataDir}/no`), DataError, `found no folder ${dataDir}/no; unpack`);
    await assertRejects(
      open(`${dataDir}/test.bin`),
      DataError,
      `found a file at ${dataDir}/test.bin; unpack`,
    );
    const named = `${dataDir}/cifar-10-batches-bin`;
    await assertRejects(open(named), DataError, `Cannot open cifar10 in ${named}: wanted`);
    await Deno.mkdir(named);
    await assertRejects(
      open(dataDir),
      DataError,
      `in ${dataDir}/cifar-10-batches-bin: wanted data_batch_1.bin to`,
    );
    await assertRejects(open(dataDir), DataError, "found an empty folder; unpack");
    for (let i = 0; i < 11; i++) await Deno.mkdir(`${dataDir}/cifar-10-batches-bin/${i}`);
    await assertRejects(
      open(dataDir),
      DataError,
      "found 0, 1, 10, 2, 3, 4, 5, 6 and 3 more; unpack",
    );
    await Deno.remove(dataDir, { recursive: true });
  },
);

Deno.test("openDataset() refuses CIFAR-10 of which batches are missing", { ignore }, async () => {
  const { "data_batch_3.bin": _, ...files } = batches(...Array(4).fill(records([1])));
  const dataDir = await folder({ ...files, "test_batch.bin": records([4]) });
  const open = () => openDataset("cifar10", { dataDir, seed: 0 });
  await assertRejects(
    open,
    DataError,
    "found data_batch_1.bin, data_batch_2.bin, data_batch_4.bin, test_batch.bin, no " +
      "data_batch_3.bin, data_batch_5.bin; unpack",
  );
  await Deno.mkdir(`${dataDir}/data_batch_3.bin`);
  await Deno.writeFile(`${dataDir}/data_batch_5.bin`, records([1]));
  const cause = `found a folder at ${dataDir}/data_batch_3.bin`;
  await assertRejects(open, DataError, cause);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test(
  "openDataset() refuses counts, classes and sizes that the files do not have",
  { ignore },
  async () => {
    const dataDir = await folder({
      ...batches(...Array(5).fill(records([1]))),
      "test_batch.bin": records([4]),
    });
    const base = { dataDir, seed: 0 };
    const count = await assertRejects(
      () => openDataset("cifar10", { ...base, trainCount: 6 }),
      RangeError,
    );
    assertEquals(
      count.message,
      "Cannot take 6 images of cifar10 train: it has 5; lower the count to at most 5",
    );
    const classes = await assertRejects(
      () => openDataset("cifar10", { ...base, classes: 5 }),
      DataError,
    );
    assertEquals(
      classes.message,
      "Cannot open cifar10 with 5 classes: it has 10; leave out the classes",
    );
    const size = await assertRejects(
      () => openDataset("cifar10", { ...base, imageSize: 64 }),
      DataError,
    );
    assertEquals(
      size.message,
      "Cannot open cifar10 at 64x64 pixels: its images have 32x32; leave out the image size",
    );
    await Deno.remove(dataDir, { recursive: true });
  },
);

Deno.test("openDataset() names the damaged file with its folder", { ignore }, async () => {
  const dataDir = await folder({
    ...batches(records([1]).subarray(1), ...Array(4).fill(records([1]))),
    "test_batch.bin": records([4]),
  });
  await assertRejects(
    () => openDataset("cifar10", { dataDir, seed: 0 }),
    DataError,
    `Cannot read ${dataDir}/data_batch_1.bin as CIFAR-10: wanted a multiple of 3073 bytes, found 3072;`,
  );
  await Deno.remove(dataDir, { recursive: true });
});
