// Pictures in folders of classes: where they are looked for, which are taken, and what is refused.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DataError } from "../data/error.ts";
import { openDataset, type OpenOptions, openValidationImages } from "../data/folder.ts";
import { arePictures, type PictureSet } from "../data/pictures.ts";
import { takeStratified } from "../data/stratified.ts";
import { byCodePoint } from "../data/sets/code_points.ts";
import { folder } from "../data/sets/folder_set.ts";
import type { PictureFiles } from "../data/sets/picture_files.ts";
import { recognizeDataset } from "../data/sets/recognize.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { JPEG, madeUp, makeFiles, PREPARE } from "./picture_folders.ts";

const ignore = lacks("read", "write");
const TEXT = new TextEncoder().encode("no picture");

async function find(dir: string): Promise<PictureFiles> {
  const found = await folder.pictures?.(dir, ["train", "test"]);
  assert(found);
  return found;
}

/** Files of both sides below a folder, and of which class they are. */
function sides(dir: string, { classes, train, validation }: PictureFiles): string[][] {
  return [train, validation].map((side) =>
    side?.files.map((file, i) => `${classes[side.labels[i]]}: ${file.replace(`${dir}/`, "")}`) ?? []
  );
}

function test(name: string, check: (dir: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder(check));
}

async function refusal(dir: string): Promise<string> {
  const { message } = await assertRejects(() => find(dir), DataError);
  return message.replaceAll(dir, "DIR");
}

test("train and each name of a folder to validate on are found, in any letter case", async (dir) => {
  const names = ["val", "valid", "validation", "test", "Val", "TEST"];
  for (const [i, name] of names.entries()) {
    const set = `${dir}/${i}`;
    const train = i % 2 ? "Train" : "train";
    await makeFiles(set, [
      `${train}/cat/deep/er/b.jpg`,
      `${train}/cat/a.jpg`,
      `${train}/dog/c.jpg`,
      `${name}/cat/d.jpg`,
      `${name}/dog/e.jpg`,
    ]);
    const found = await find(set);
    assertEquals(found.classes, ["cat", "dog"]);
    assertEquals(sides(set, found), [
      [`cat: ${train}/cat/a.jpg`, `cat: ${train}/cat/deep/er/b.jpg`, `dog: ${train}/dog/c.jpg`],
      [`cat: ${name}/cat/d.jpg`, `dog: ${name}/dog/e.jpg`],
    ]);
    const part = name.toLowerCase() === "test" ? "test" : "validation";
    assertEquals([found.validation?.part, found.split], [part, undefined]);
  }
});

test("val goes before test, which is said", async (dir) => {
  await makeFiles(dir, ["train", "val", "test"].flatMap((s) => [`${s}/a/1.jpg`, `${s}/b/1.jpg`]));
  const found = await find(dir);
  assertEquals(found.validation?.name, "val");
  assertEquals(found.notes, ["validated on val; test is not read"]);
});

test("folders of classes alone are split, and train alone is", async (dir) => {
  await makeFiles(dir, ["flat/a/1.jpg", "flat/b/2.jpg", "flat/c.jpg", "flat/readme.md"]);
  const flat = await find(`${dir}/flat`);
  assertEquals(sides(dir, flat), [["a: flat/a/1.jpg", "b: flat/b/2.jpg"], []]);
  assertEquals(flat.split, 0.1);
  assertEquals(flat.notes, ["1 picture in no folder of a class is left out"]);
  await makeFiles(dir, ["alone/train/a/1.jpg", "alone/train/b/2.jpg"]);
  const alone = await find(`${dir}/alone`);
  assertEquals([alone.classes, alone.split], [["a", "b"], 0.1]);
  // A class of its own name is one where there are no folders in it.
  await makeFiles(dir, ["vehicles/car/1.jpg", "vehicles/train/1.jpg"]);
  assertEquals((await find(`${dir}/vehicles`)).classes, ["car", "train"]);
});

test("one more folder, as a zip makes it, is looked into", async (dir) => {
  const halves = ["train", "val"].flatMap((s) => [`${s}/a/1.jpg`, `${s}/b/1.jpg`]);
  await makeFiles(`${dir}/zip/photos`, halves);
  await makeFiles(`${dir}/zip`, [
    "__MACOSX/photos/._train",
    ".DS_Store",
    "readme.txt",
    "docs/a.txt",
  ]);
  assertEquals((await find(`${dir}/zip`)).validation?.files, [
    `${dir}/zip/photos/val/a/1.jpg`,
    `${dir}/zip/photos/val/b/1.jpg`,
  ]);
  await makeFiles(`${dir}/flat/photos`, ["a/1.jpg", "b/1.jpg"]);
  assertEquals((await find(`${dir}/flat`)).classes, ["a", "b"]);
  await makeFiles(`${dir}/two/one`, halves);
  await makeFiles(`${dir}/two/other`, halves);
  assertEquals(
    await refusal(`${dir}/two`),
    "Cannot open pictures in DIR: wanted train/CLASS with val, valid, validation or test beside " +
      "it, or folders of classes, found several: DIR/one/train, DIR/other/train; name the " +
      "one above it that is meant",
  );
});

test("classes are sorted by code point, as Python sorts them", async (dir) => {
  // sorted() of Python 3 gives this order; UTF-16 has the last two the other way round.
  const names = ["10", "9", "B", "a", "b", "Ä", "é", "\uff5e", "\u{1f600}"];
  assertEquals([...names].reverse().sort(byCodePoint), names);
  assertEquals(byCodePoint("a", "ab") < 0 && byCodePoint("ab", "a") > 0, true);
  assertEquals(byCodePoint("\u{1f600}", "\u{1f600}"), 0);
  await makeFiles(dir, names.map((name) => `${name}/1.jpg`));
  assertEquals((await find(dir)).classes, names);
});

test("hidden entries are passed over without a word, others with one", async (dir) => {
  await makeFiles(dir, {
    "a/1.jpg": JPEG,
    "a/.DS_Store": TEXT,
    "a/._1.jpg": TEXT,
    "a/Thumbs.db": TEXT,
    "a/desktop.ini": TEXT,
    "a/.ipynb_checkpoints/1.jpg": JPEG,
    "a/__MACOSX/1.jpg": JPEG,
    ".git/1.jpg": JPEG,
    "b/no ending": JPEG,
    "b/picture.data": JPEG,
    "b/broken.PNG": TEXT,
    "b/notes.txt": TEXT,
    "b/empty": new Uint8Array(),
    "b/x/labels.csv": TEXT,
    "b/x/more.csv": TEXT,
  });
  const found = await find(dir);
  assertEquals(sides(dir, found)[0], [
    "a: a/1.jpg",
    "b: b/broken.PNG",
    "b: b/no ending",
    "b: b/picture.data",
  ]);
  assertEquals(found.train?.others, 4);
  assertEquals(found.train?.notes.map((note) => note.replaceAll(dir, "DIR")), [
    "4 files of train that are no pictures are passed over: DIR/b/empty, DIR/b/notes.txt, " +
    "DIR/b/x/labels.csv and 1 more",
  ]);
});

test("links are followed, loops are not, and no picture is counted twice through one", async (dir) => {
  await makeFiles(`${dir}/elsewhere`, ["deep/1.jpg", "2.jpg"]);
  await makeFiles(dir, {
    "set/a/1.jpg": JPEG,
    "set/a/file.jpg": "../../elsewhere/2.jpg",
    "set/a/folder": "../../elsewhere",
    "set/a/self": ".",
    "set/a/up": "..",
    "set/a/root": "/",
    "set/a/gone.jpg": "nowhere.jpg",
    "set/a/gone": "nowhere",
    "set/a/circle": "circle",
    "set/b/1.jpg": JPEG,
    "set/b/other": "../a",
    "set/a/other": "../b",
    "set/c": "../elsewhere/deep",
    "elsewhere/back": "../set",
  });
  await makeFiles(dir, { "set/d/1.jpg": JPEG });
  await makeFiles(dir, { "linked": "set" });
  for (const name of ["set", "linked"]) {
    const found = await find(`${dir}/${name}`).catch((error) => error.message);
    // The pictures that c links to were read by way of a.
    assertStringIncludes(found, "wanted pictures of each class in train, found none of c");
  }
  await Deno.remove(`${dir}/set/c`);
  for (const name of ["set", "linked"]) {
    const found = await find(`${dir}/${name}`);
    assertEquals(sides(`${dir}/${name}`, found)[0], [
      "a: a/1.jpg",
      "a: a/file.jpg",
      "a: a/gone.jpg",
      "a: a/folder/2.jpg",
      "a: a/folder/deep/1.jpg",
      "b: b/1.jpg",
      "d: d/1.jpg",
    ]);
    const [others, loops] = found.train?.notes ?? [];
    assertStringIncludes(others, "2 files of train that are no pictures");
    assertStringIncludes(
      loops,
      "6 links of train to folders that are read already are passed over",
    );
  }
});

test("a folder of a class may be a link, and so may train", async (dir) => {
  await makeFiles(`${dir}/disk`, ["train/a/1.jpg", "b/1.jpg"]);
  await makeFiles(`${dir}/set`, { "train": "../disk/train", "val/a": "../../disk/train/a" });
  await makeFiles(`${dir}/set`, { "val/b": "../../disk/b", "../disk/train/b": "../b" });
  const [train, validation] = sides(dir, await find(`${dir}/set`));
  assertEquals(train, ["a: set/train/a/1.jpg", "b: set/train/b/1.jpg"]);
  assertEquals(validation, ["a: set/val/a/1.jpg", "b: set/val/b/1.jpg"]);
});

test("a class that only one side has is named, and so is one without pictures", async (dir) => {
  await makeFiles(`${dir}/one`, ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/c/1.jpg"]);
  assertEquals(
    await refusal(`${dir}/one`),
    "Cannot open pictures in DIR: wanted the same folders of classes in train and val, found b " +
      "only in train and c only in val; add what is missing, or move the others elsewhere",
  );
  await makeFiles(`${dir}/case`, ["train/a/1.jpg", "train/b/1.jpg", "val/A/1.jpg", "val/b/1.jpg"]);
  assertStringIncludes(await refusal(`${dir}/case`), "A only in val; give both the same spelling");
  const empty = ["train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/.hidden"];
  await makeFiles(`${dir}/empty`, empty);
  assertEquals(
    await refusal(`${dir}/empty`),
    "Cannot open pictures in DIR: wanted pictures of each class in val, found none of b; add " +
      "some, or move the folders of these classes elsewhere",
  );
  // Before any picture is looked for.
  const before = await assertRejects(
    () => openValidationImages("folder", { seed: 0, dataDir: `${dir}/one`, ...madeUp().options }),
    DataError,
  );
  assertStringIncludes(before.message, "b only in train");
});

test("folders without classes are refused with what is in them", async (dir) => {
  const cases: Record<string, { files: string[]; found: string }> = {
    pictures: {
      files: ["1.jpg", "2.jpg"],
      found: "found files 1.jpg, 2.jpg; put",
    },
    empty: { files: [".hidden"], found: "found an empty folder; put the pictures of each class" },
    flat: { files: ["train/1.jpg", "val/1.jpg"], found: "found train with file 1.jpg; put" },
    lone: { files: ["val/a/1.jpg", "test/a/1.jpg"], found: "no train beside test and val; name" },
    one: {
      files: ["train/a/1.jpg", "val/a/1.jpg"],
      found: "wanted 2 classes or more, found only a",
    },
    twice: { files: ["train/a/1.jpg", "Train/a/1.jpg"], found: "found Train and train; move" },
  };
  for (const [name, { files, found }] of Object.entries(cases)) {
    await makeFiles(`${dir}/${name}`, files);
    assertStringIncludes(await refusal(`${dir}/${name}`), found);
  }
  assertEquals(
    await refusal(`${dir}/none`),
    "Cannot open pictures: wanted a folder of them, found no folder DIR",
  );
  assertStringIncludes(await refusal(`${dir}/flat/train/1.jpg`), "found a file at DIR");
});

test("files of other data sets are told from folders of classes", async (dir) => {
  await makeFiles(dir, [
    "cifar10/test_batch.bin",
    "cifar100/cifar-100-binary/test.bin",
    "idx/t10k-labels-idx1-ubyte.gz",
    "pets/images/Abyssinian_1.jpg",
    "pets/annotations/test.txt",
    "folder/images/1.jpg",
    "folder/annotations/1.jpg",
    "none/1.jpg",
  ]);
  for (const name of ["cifar10", "cifar100", "idx", "pets", "folder"]) {
    assertEquals(await recognizeDataset(`${dir}/${name}`), name);
  }
  assertEquals(await recognizeDataset(`${dir}/none`), undefined);
  const open = () => openDataset("folder", { seed: 0, dataDir: `${dir}/pets` });
  const { message } = await assertRejects(open, DataError);
  assertEquals(
    message.replaceAll(dir, "DIR"),
    "Cannot open pictures in DIR/pets: wanted folders of classes, found the files of pets; use " +
      "dataset pets",
  );
});

/** Opens both halves as pictures. */
async function open(
  dataDir: string,
  options: Partial<OpenOptions>,
): Promise<{ train: PictureSet; validation: PictureSet; notes: readonly string[] }> {
  const opened = await openDataset("folder", { seed: 0, dataDir, ...options });
  const { train, validation, notes } = opened;
  assert(arePictures(train) && arePictures(validation));
  return { train, validation, notes };
}

test("openDataset() gives pictures, each half prepared in its own way", async (dir) => {
  await makeFiles(dir, ["train/a/1.jpg", "train/b/2.jpg", "test/a/3.jpg", "test/b/4.jpg"]);
  const { options, asked } = madeUp();
  const { train, validation, notes } = await open(dir, options);
  assertEquals(asked.map(({ preparation }) => preparation), [PREPARE.train, PREPARE.validation]);
  assertEquals(train.files, [`${dir}/train/a/1.jpg`, `${dir}/train/b/2.jpg`]);
  assertEquals([...validation.labels], [0, 1]);
  const { name, part, length, height, width, channels, classes } = validation;
  assertEquals([name, part, length, height, width], ["folder test", "test", 2, 4, 4]);
  assertEquals([channels, classes], [3, ["a", "b"]]);
  assertEquals(notes, ["2 classes: a, b"]);
  const alone = madeUp();
  const same = await openValidationImages("folder", { seed: 0, dataDir: dir, ...alone.options });
  assert(arePictures(same));
  assertEquals(same.files, validation.files);
  // No training picture is opened for it.
  assertEquals(alone.asked.map(({ preparation }) => preparation), [PREPARE.validation]);
  await assertRejects(
    () => openDataset("folder", { seed: 0, dataDir: dir }),
    Error,
    "without a way",
  );
});

test("parts of pictures are drawn by the seed, each class in proportion", async (dir) => {
  const files = ["a", "b"].flatMap((c) => Array.from({ length: 20 }, (_, i) => `${c}/${i}.jpg`));
  await makeFiles(dir, files);
  const { options } = madeUp();
  const whole = await open(dir, options);
  assertEquals([whole.train.length, whole.validation.length], [36, 4]);
  assertEquals([...whole.validation.labels], [0, 0, 1, 1]);
  assertEquals([whole.validation.name, whole.validation.part], ["folder validation", "validation"]);
  assertStringIncludes(whole.notes[1], "10.0 % of the pictures are validated on");
  const all = [...whole.train.files, ...whole.validation.files];
  assertEquals(new Set(all).size, 40);
  for (const { files, labels } of [whole.train, whole.validation]) {
    files.forEach((file, i) => assertStringIncludes(file, labels[i] ? "/b/" : "/a/"));
  }
  assertEquals((await open(dir, options)).validation.files, whole.validation.files);
  const other = await open(dir, { ...options, seed: 1 });
  assert(other.validation.files.join() !== whole.validation.files.join());
  const half = await open(dir, {
    ...options,
    validationSplit: 0.5,
    trainCount: 6,
    validationCount: 4,
  });
  assertEquals([half.train.length, half.validation.length], [6, 4]);
  assertEquals([...half.train.labels], [0, 0, 0, 1, 1, 1]);
  assertEquals(half.notes.length, 1);
});

test("pictures are normalised by a seeded sample, each with one weight", async (dir) => {
  await makeFiles(dir, [
    "train/a/1.jpg",
    "train/b/2.jpg",
    "train/b/3.jpg",
    "val/a/1.jpg",
    "val/b/1.jpg",
  ]);
  const grey = (...pixels: number[]) => ({
    height: 1,
    width: pixels.length,
    channels: 1,
    pixels: Uint8Array.from(pixels),
  });
  const { options } = madeUp((file) =>
    file.endsWith("1.jpg") ? grey(0, 0, 0, 0) : file.endsWith("2.jpg") ? grey(255) : undefined
  );
  const measure = async (more: Partial<OpenOptions> = {}) =>
    (await openDataset("folder", { seed: 0, dataDir: dir, ...options, channels: 1, ...more }))
      .normalization;
  assertEquals(await measure(), { mean: [0.5], std: [0.5] });
  const known = { mean: [0.1], std: [0.2] };
  assertEquals(await measure({ normalization: known }), known);
  const broken = madeUp(() => undefined).options;
  await assertRejects(() => measure(broken), DataError, "wanted pictures that can be read");
  await makeFiles(dir, Array.from({ length: 3000 }, (_, i) => `train/a/x${i}.jpg`));
  const read = async (seed: number) => {
    const { options, asked } = madeUp();
    await measure({ ...options, channels: 3, seed });
    return asked[0].read;
  };
  const places = await read(0);
  assertEquals([places.length, new Set(places).size], [2048, 2048]);
  assertEquals(await read(0), places);
  assert((await read(1)).join() !== places.join());
});

test("takeStratified() takes pictures with their files and labels", async (dir) => {
  await makeFiles(
    dir,
    ["train", "val"].flatMap((s) =>
      [1, 2, 3, 4].flatMap((i) => [`${s}/a/${i}.jpg`, `${s}/b/${i}.jpg`])
    ),
  );
  const { options, asked } = madeUp();
  const { train } = await open(dir, { ...options, normalization: { mean: [0], std: [1] } });
  const some = takeStratified(train, 4, 3);
  assertEquals([some.length, [...some.labels]], [4, [0, 0, 1, 1]]);
  await Promise.all(some.files.map((_, i) => some.source.read(i)));
  assertEquals(asked[0].read.map((place) => train.files[place]), some.files);
  assertEquals(takeStratified(train, 8, 3), train);
  await assertRejects(() => some.source.read(4), RangeError, "it has 4");
});
