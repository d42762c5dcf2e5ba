// Sets in files: which are taken, in which form, and how much is read of them.
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import type { DatasetName } from "../data/recipes.ts";
import { DataError } from "../data/error.ts";
import { type OpenOptions, openValidationImages } from "../data/folder.ts";
import { openInMemory as openDataset } from "./in_memory.ts";
import { withFolder } from "./folder.ts";
import { count, gzip, idx, idxSet, writeFiles } from "./idx_files.ts";
import { assertTakesLess } from "./least_cost.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write");

async function folder(files: Record<string, Uint8Array>): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const [name, bytes] of Object.entries(files)) {
    await Deno.writeFile(`${root}/${name}`, bytes);
  }
  return root;
}

Deno.test("openDataset() reads IDX files with either name, packed or not", { ignore }, async () => {
  const dataDir = await folder({
    "train-images-idx3-ubyte.gz": await gzip(idx([3, 2, 2], count(12))),
    "train-labels.idx1-ubyte": idx([3], [0, 1, 2]),
    "t10k-images.idx3-ubyte": idx([2, 2, 2], count(8)),
    "t10k-labels-idx1-ubyte.gz": await gzip(idx([2], [3, 0])),
  });
  const { train, validation } = await openDataset("idx", { dataDir, seed: 0 });
  assertEquals([train.length, train.channels, validation.length], [3, 1, 2]);
  assertEquals([[...train.labels], [...validation.labels]], [[0, 1, 2], [3, 0]]);
  assertEquals(train.classes, ["0", "1", "2", "3"], "the validation set counts too");
  const more = await openDataset("idx", { dataDir, seed: 0, classes: 6 });
  assertEquals(more.train.classes.length, 6);
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test(
  "openDataset() names missing IDX files and halves of different sizes",
  { ignore },
  async () => {
    const dataDir = await folder({
      "train-images-idx3-ubyte": idx([1, 2, 2], count(4)),
      "train-labels-idx1-ubyte": idx([1], [0]),
      "t10k-images-idx3-ubyte": idx([1, 3, 3], count(9)),
    });
    const open = () => openDataset("idx", { dataDir, seed: 0 });
    const missing = await assertRejects(open, DataError);
    assertEquals(
      missing.message,
      `Cannot open idx in ${dataDir}: wanted train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (each may end in .gz), found t10k-images-idx3-ubyte, train-images-idx3-ubyte, train-labels-idx1-ubyte, no t10k-labels-idx1-ubyte; put the four files of MNIST, Fashion-MNIST or a set in their format there`,
    );
    await Deno.writeFile(`${dataDir}/t10k-labels-idx1-ubyte`, idx([1], [0]));
    const sizes = await assertRejects(open, DataError);
    assertEquals(
      sizes.message,
      `Cannot validate on ${dataDir}/t10k-images-idx3-ubyte: wanted images of [2,2,1] as in ${dataDir}/train-images-idx3-ubyte, found [3,3,1]; take both from the same set`,
    );
    await Deno.remove(dataDir, { recursive: true });
  },
);

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const LABELS = [0, 1, 2, 0, 1, 2];
const IMAGES = "train-images-idx3-ubyte";
const images = idx([6, 2, 2], count(24));

/** Opens an IDX set with other files for the training images. */
async function withImages<T>(
  files: Record<string, Uint8Array>,
  use: (open: (options?: Partial<OpenOptions>) => ReturnType<typeof openDataset>, dir: string) => T,
): Promise<void> {
  await withFolder(async (dir) => {
    const { [IMAGES]: _, ...set } = idxSet({ labels: LABELS });
    await writeFiles(dir, { ...set, ...files });
    await use((options) => openDataset("idx", { dataDir: dir, seed: 0, ...options }), dir);
  });
}

const FORMS:
  readonly (readonly [what: string, files: () => Promise<Record<string, Uint8Array>>])[] = [
    ["with a dot", () => Promise.resolve({ "train-images.idx3-ubyte": images })],
    ["packed", async () => ({ [`${IMAGES}.gz`]: await gzip(images) })],
    ["packed without saying so", async () => ({ [IMAGES]: await gzip(images) })],
    ["packed in two members", async () => ({
      [IMAGES]: join(await gzip(images.slice(0, 9)), await gzip(images.slice(9))),
    })],
    ["packed, with zeros behind it", async () => ({
      [IMAGES]: join(await gzip(images), new Uint8Array(700)),
    })],
    ["in a folder of its name", () => Promise.resolve({ [`${IMAGES}/${IMAGES}`]: images })],
    [
      "in a folder of the other spelling",
      () => Promise.resolve({ [`${IMAGES}/train-images.idx3-ubyte`]: images }),
    ],
    [
      "beside a folder of the other spelling",
      () =>
        Promise.resolve({ "train-images.idx3-ubyte": images, [`${IMAGES}/a.txt`]: idx([0], []) }),
    ],
    [
      "beside the same packed",
      async () => ({ [IMAGES]: images, [`${IMAGES}.gz`]: await gzip(images) }),
    ],
  ];

for (const [what, files] of FORMS) {
  Deno.test(
    `an IDX file is taken ${what}`,
    { ignore },
    async () =>
      await withImages(await files(), async (open) => {
        const { train } = await open();
        assertEquals([...train.pixels], count(24));
        // Of some images only as much is read.
        const { train: part } = await open({ trainCount: 3 });
        assertEquals([...part.labels].sort(), [0, 1, 2]);
        for (let i = 0; i < 3; i++) {
          const place = part.pixels[4 * i] / 4;
          assertEquals(LABELS[place], part.labels[i]);
          assertEquals(
            [...part.pixels.subarray(4 * i, 4 * i + 4)],
            count(4).map((k) => 4 * place + k),
          );
        }
      }),
  );
}

const REFUSED: readonly (readonly [
  what: string,
  files: () => Promise<Record<string, Uint8Array>>,
  says: string,
])[] = [
  [
    "of two forms side by side",
    () =>
      Promise.resolve({
        [IMAGES]: images,
        "train-images-idx4-ubyte": idx([6, 2, 2, 1], count(24)),
      }),
    "wanted one file of each kind, found train-images-idx3-ubyte and train-images-idx4-ubyte; move",
  ],
  [
    "with channels before the rest",
    () => Promise.resolve({ "train-images-idx4-ubyte": idx([6, 3, 8, 8], count(1152)) }),
    "found shape [6,3,8,8]; the axes are count, height, width, channels, not count, channels, height",
  ],
  [
    "cut off",
    () => Promise.resolve({ [IMAGES]: images.slice(0, 30) }),
    "found 30; download it again",
  ],
  [
    "too long",
    () => Promise.resolve({ [IMAGES]: join(images, images) }),
    "found 80; download it again",
  ],
  [
    "packed after it was cut off",
    async () => ({ [IMAGES]: await gzip(images.slice(0, 30)) }),
    "wanted 40 bytes for shape [6,2,2], found 30; download it again",
  ],
  [
    "packed and cut off",
    async () => ({ [IMAGES]: (await gzip(images)).slice(0, 30) }),
    "wanted a whole gzip file, found 30 bytes that are cut off or damaged",
  ],
  [
    "packed, and damaged behind it",
    async () => ({
      [IMAGES]: join(await gzip(images), Uint8Array.of(1, 2, 3)),
    }),
    "that are cut off or damaged",
  ],
  [
    "of which there are too few",
    () => Promise.resolve({ [IMAGES]: idx([5, 2, 2], count(20)) }),
    "wanted 5 labels, one for each image, found 6",
  ],
  [
    "as a web page",
    () => Promise.resolve({ [IMAGES]: new TextEncoder().encode("<!doctype html>") }),
    "found a web page; download the file itself again",
  ],
  [
    "as a pointer of Git LFS",
    () =>
      Promise.resolve({
        [IMAGES]: new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n"),
      }),
    "found a pointer of Git LFS; fetch the file itself with git lfs pull",
  ],
  [
    "empty",
    () => Promise.resolve({ [IMAGES]: new Uint8Array() }),
    "a header of at least 4 bytes, found 0",
  ],
  ["as an empty folder", () => Promise.resolve({ [`${IMAGES}/x`]: images }), "found a folder at"],
];

for (const [what, files, says] of REFUSED) {
  Deno.test(
    `an IDX file is refused ${what}`,
    { ignore },
    async () => await withImages(await files(), (open) => assertRejects(open, DataError, says)),
  );
}

Deno.test("no more is unpacked than the header of an IDX file says", { ignore }, async () => {
  // 256 MiB of zeros in 260 kB, behind a header of 24 values.
  const bomb = new Blob([images, ...new Array(256).fill(new Uint8Array(1 << 20))]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(bomb).arrayBuffer());
  assertLess(packed.length, 1 << 20);
  const claims = await gzip(idx([4_000_000_000, 2, 2], []));
  await withImages({ [IMAGES]: packed }, async (open, dir) => {
    await assertTakesLess(
      { milliseconds: 1000, bytes: 100e6 },
      () => assertRejects(open, DataError, "wanted 40 bytes for shape [6,2,2], found more"),
    );
    await Deno.writeFile(`${dir}/${IMAGES}`, claims);
    await assertRejects(open, DataError, "for shape [4000000000,2,2], found fewer");
  });
});

Deno.test(
  "a plain IDX file above 2 GB is read in part",
  { ignore },
  async () =>
    await withFolder(async (dir) => {
      const length = 15_000;
      const size = 224 * 224 * 3;
      await writeFiles(dir, {
        ...idxSet({ labels: LABELS, image: [224, 224, 3] }),
        "train-labels-idx1-ubyte": idx([length], new Array(length).fill(0)),
      });
      const file = await Deno.open(`${dir}/train-images-idx4-ubyte`, { write: true });
      await file.write(idx([length, 224, 224, 3], []));
      await file.truncate(20 + length * size);
      file.close();
      const options = { dataDir: dir, seed: 3, trainCount: 4 };
      const { train } = await openDataset("idx", options);
      assertEquals([train.length, train.pixels.length, train.channels], [4, 4 * size, 3]);
    }),
);

Deno.test("pipes and devices are refused at once", {
  ignore: lacks("read", "write", "run") || Deno.build.os === "windows",
}, async () =>
  await withImages({ [IMAGES]: images }, async (open, dir) => {
    await Deno.remove(`${dir}/${IMAGES}`);
    await new Deno.Command("mkfifo", { args: [`${dir}/${IMAGES}`] }).output();
    await assertRejects(open, DataError, "which cannot be read: it is a device or a pipe");
  }));

const CLASSES: readonly (readonly [text: string, says: string | readonly string[]])[] = [
  ["cat\r\ndog\ncow\n\n", ["cat", "dog", "cow"]],
  ["cat\ndog\ncow\nhen", ["cat", "dog", "cow", "hen"]],
  ["cat\ndog", "wanted 3 names in classes.txt, as labels go up to 2, found 2"],
  ["cat\n\ncow", "wanted a name of a class in each line, found none in line 2"],
  ["cat\ncat\ncow", "found cat twice"],
  ["a".repeat(2 << 20), "found more than 1048576 bytes"],
];

for (const [text, wanted] of CLASSES) {
  Deno.test(
    `classes.txt: ${JSON.stringify(text.slice(0, 20))}`,
    { ignore },
    () =>
      withFolder(async (dir) => {
        const bytes = new TextEncoder().encode(text);
        await writeFiles(dir, { ...idxSet({ labels: LABELS }), "classes.txt": bytes });
        const open = () => openDataset("idx", { dataDir: dir, seed: 0 });
        if (typeof wanted === "string") await assertRejects(open, DataError, wanted);
        else assertEquals((await open()).train.classes, wanted);
      }),
  );
}

Deno.test("validation images need no training files, and take the classes of a network", {
  ignore,
}, () =>
  withFolder(async (dir) => {
    const set = idxSet({ labels: LABELS });
    await writeFiles(dir, Object.fromEntries(Object.entries(set).filter(([n]) => /t10k/.test(n))));
    const classes = async (known?: string[]) =>
      (await openValidationImages("idx", { dataDir: dir, seed: 0, classNames: known })).classes;
    const numbers = ["0", "1", "2", "3"];
    assertEquals(await classes(numbers), numbers);
    assertEquals(await classes(["a", "b", "c", "d"]), ["a", "b", "c", "d"]);
    // Those of too few classes do not fit, which is told where network and images meet.
    assertEquals(await classes(["a", "b"]), ["0", "1", "2"]);
    assertEquals(await classes(), ["0", "1", "2"]);
    const text = new TextEncoder().encode("x\ny\nz\nw");
    await Deno.writeFile(`${dir}/classes.txt`, text);
    assertEquals(await classes(numbers), numbers);
    assertEquals(await classes(["a", "b", "c", "d"]), ["x", "y", "z", "w"]);
    await assertRejects(
      () => openDataset("idx", { dataDir: dir, seed: 0 }),
      DataError,
      "no train-images-idx3-ubyte, train-labels-idx1-ubyte",
    );
  }));

/** Labels with so many of each class, sorted. */
const sorted = (...counts: number[]) => counts.flatMap((n, label) => new Array(n).fill(label));

const NOTES:
  readonly (readonly [what: string, train: number[], test: number[], notes: string[]])[] = [
    ["nothing of an even set", sorted(4, 4, 5), sorted(1, 1, 1), []],
    ["a stray label", [...sorted(4, 4, 4), 255], sorted(2, 2, 2), [
      "no images of classes 3, 4, 5, 6, 7, 8 and 246 more, out of 256; labels go up to 255",
      "no test images of class 255, but training images",
      "training images are 1 to 4 of each class: 0 4, 1 4, 2 4, 255 1",
    ]],
    ["labels from 1", sorted(0, 4, 4), sorted(0, 1, 1), [
      "no images of class 0, out of 3; labels begin at 1",
    ]],
    ["a gap", sorted(4, 0, 4), sorted(1, 0, 1), [
      "no images of class 1, out of 3; labels go up to 2",
    ]],
    ["a class only in validation", sorted(4, 4), sorted(1, 1, 1), [
      "no training images of class 2, but test images",
    ]],
    ["a class only in training", sorted(4, 4, 4), sorted(1, 1), [
      "no test images of class 2, but training images",
    ]],
    ["classes of different size", sorted(3, 12, 4), sorted(1, 1, 1), [
      "training images are 3 to 12 of each class: 0 3, 1 12, 2 4",
    ]],
  ];

for (const [what, labels, testLabels, wanted] of NOTES) {
  Deno.test(`notes of a set say ${what}`, { ignore }, () =>
    withFolder(async (dir) => {
      await writeFiles(dir, idxSet({ labels, testLabels }));
      const { notes } = await openDataset("idx", { dataDir: dir, seed: 0 });
      assertEquals(notes, wanted);
    }));
}

/** How many images there are of each of three classes. */
const each = ({ labels }: { labels: ArrayLike<number> }) =>
  [0, 1, 2].map((label) => Array.from(labels).filter((found) => found === label).length);

Deno.test(
  "a part of sorted files has each class in proportion, by the seed",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await writeFiles(dir, idxSet({ labels: sorted(40, 20, 20), testLabels: sorted(10, 10, 10) }));
      const open = (options: Partial<OpenOptions> = {}) =>
        openDataset("idx", {
          dataDir: dir,
          seed: 0,
          trainCount: 20,
          validationCount: 6,
          ...options,
        });
      const { train, validation } = await open();
      assertEquals([each(train), each(validation)], [[10, 5, 5], [2, 2, 2]]);
      assertEquals((await open()).train, train);
      assert((await open({ seed: 1 })).train.pixels.some((v, i) => v !== train.pixels[i]));
      assertEquals(each((await open({ trainCount: 3 })).train), [1, 1, 1]);
      // The whole set is what it was, whatever the seed.
      const whole = await open({ trainCount: 80, validationCount: 30, seed: 7 });
      assertEquals(whole, await open({ trainCount: undefined, validationCount: undefined }));
      assertEquals([...whole.train.pixels.subarray(0, 9)], count(9));
      await assertRejects(
        () => open({ trainCount: 81 }),
        RangeError,
        "Cannot take 81 images of idx train",
      );
      await assertRejects(
        () => open({ validationCount: 31 }),
        RangeError,
        "of idx test: it has 30",
      );
    }),
);

Deno.test(
  "validation images are taken from the training images, in proportion",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const set = idxSet({ labels: sorted(40, 20, 20), image: [1, 1] });
      // Of a set without test images.
      await writeFiles(
        dir,
        Object.fromEntries(Object.entries(set).filter(([n]) => /train/.test(n))),
      );
      const options = { dataDir: dir, seed: 0, validationSplit: 0.25 };
      const { train, validation } = await openDataset("idx", options);
      assertEquals([train.part, validation.part], ["train", "validation"]);
      assertEquals([train.name, validation.name], ["idx train", "idx validation"]);
      assertEquals([each(train), each(validation)], [[30, 15, 15], [10, 5, 5]]);
      assertEquals([...train.pixels, ...validation.pixels].toSorted((a, b) => a - b), count(80));
      assertEquals(await openValidationImages("idx", options), validation);
      const less = await openDataset("idx", { ...options, trainCount: 12, validationCount: 4 });
      assertEquals([each(less.train), each(less.validation)], [[6, 3, 3], [2, 1, 1]]);
      const held = new Set(validation.pixels);
      assert(less.train.pixels.every((pixel) => !held.has(pixel)));
      for (const validationSplit of [0, 1, NaN]) {
        await assertRejects(() => openDataset("idx", { ...options, validationSplit }), RangeError);
      }
      await assertRejects(
        () => openDataset("generated", { seed: 0, validationSplit: 0.5 }),
        RangeError,
        "Cannot split generated images",
      );
    }),
);

Deno.test("test images are called so, others are not", { ignore }, () =>
  withFolder(async (dir) => {
    await writeFiles(dir, idxSet({ labels: LABELS }));
    const part = async (name: DatasetName, options: Partial<OpenOptions>) =>
      (await openDataset(name, { seed: 0, ...options })).validation.part;
    assertEquals(await part("idx", { dataDir: dir }), "test");
    assertEquals(await part("idx", { dataDir: dir, validationSplit: 0.5 }), "validation");
    assertEquals(await part("generated", { trainCount: 1, validationCount: 1 }), "validation");
  }));
