import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { openDataset } from "../data/folder.ts";
import { gunzip } from "../data/gzip.ts";
import { idxDataset, parseIdx } from "../data/idx.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write");

/** An IDX file of unsigned bytes. */
function idx(shape: number[], values: number[], type = 8): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  bytes.set([0, 0, type, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((d, k) => view.setUint32(4 + 4 * k, d));
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

const images = (shape: number[]) => {
  const size = shape.reduce((product, d) => product * d, 1);
  return parseIdx(idx(shape, count(size)), "images");
};
const labels = (...values: number[]) => parseIdx(idx([values.length], values), "labels");

async function folder(files: Record<string, Uint8Array>): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const [name, bytes] of Object.entries(files)) {
    await Deno.writeFile(`${root}/${name}`, bytes);
  }
  return root;
}

Deno.test("parseIdx() reads shape and values, also from the middle of a buffer", () => {
  const file = idx([2, 3], [1, 2, 3, 4, 5, 6]);
  const larger = new Uint8Array(file.length + 7);
  larger.set(file, 7);
  const { shape, values, fileName } = parseIdx(larger.subarray(7), "a");
  assertEquals([fileName, shape, [...values]], ["a", [2, 3], [1, 2, 3, 4, 5, 6]]);
});

Deno.test("parseIdx() refuses files that are cut off, too long or of another kind", () => {
  const message = (bytes: Uint8Array) =>
    assertThrows(() => parseIdx(bytes, "a"), DataError).message;
  const file = idx([2, 3], count(6));
  assertEquals(
    message(file.subarray(0, 15)),
    "Cannot read a as IDX: wanted 18 bytes for shape [2,3], found 15; download it again",
  );
  assertEquals(
    message(Uint8Array.of(...file, 0)),
    "Cannot read a as IDX: wanted 18 bytes for shape [2,3], found 19; download it again",
  );
  assertEquals(
    message(file.subarray(0, 3)),
    "Cannot read a as IDX: wanted a header of at least 4 bytes, found 3; download it again",
  );
  assertEquals(
    message(file.subarray(0, 9)),
    "Cannot read a as IDX: wanted 12 bytes of header for 2 dimensions, found 9; download it again",
  );
  assertEquals(
    message(Uint8Array.of(0x50, 0x4b, 3, 4)),
    "Cannot read a as IDX: wanted it to start with 00 00 08, found 50 4b 03 04; is it another format?",
  );
  assertEquals(
    message(idx([1], count(4), 0x0d)),
    "Cannot read a as IDX: wanted unsigned bytes (8), found 32-bit floats (13); convert its values to bytes",
  );
});

Deno.test("idxDataset() takes grey images and images with channels", () => {
  const grey = idxDataset({ name: "grey", images: images([2, 3, 4]), labels: labels(2, 0) });
  assertEquals([grey.length, grey.height, grey.width, grey.channels], [2, 3, 4, 1]);
  assertEquals(grey.classes, ["0", "1", "2"]);
  assertEquals([...grey.pixels], count(24));
  const colour = idxDataset({ name: "c", images: images([1, 2, 2, 3]), labels: labels(0) });
  assertEquals([colour.length, colour.height, colour.width, colour.channels], [1, 2, 2, 3]);
});

Deno.test("idxDataset() refuses images and labels that do not fit together", () => {
  const build = (i: number[], l: number[][], classes?: number) => () =>
    idxDataset({
      name: "set",
      images: images(i),
      labels: l.length === 1 ? labels(...l[0]) : parseIdx(idx([l.length, 1], l.flat()), "labels"),
      classes,
    });
  const message = (run: () => unknown) => assertThrows(run, DataError).message;
  assertEquals(
    message(build([2, 2, 2], [[0, 1, 1]])),
    "Cannot use labels with images: wanted 2 labels, one for each image, found 3; take both from the same set",
  );
  assertEquals(
    message(build([2, 4], [[0, 1]])),
    "Cannot use images as images: wanted 3 or 4 dimensions, found shape [2,4]",
  );
  assertEquals(
    message(build([2, 2, 2], [[0], [1]])),
    "Cannot use labels as labels: wanted 1 dimension, found shape [2,1]",
  );
  assertEquals(
    message(build([2, 2, 2], [[0, 5]], 5)),
    "Cannot use set: wanted labels below its 5 classes, found 5 at image 1",
  );
  assertEquals(
    message(build([0, 2, 2], [[]])),
    "Cannot use set: wanted at least one image, found shape [0,2,2,1]",
  );
});

Deno.test("gunzip() unpacks gzip and leaves other bytes alone", async () => {
  const bytes = idx([3], [1, 2, 3]);
  assertEquals(await gunzip(await gzip(bytes), "a.gz"), bytes);
  assertEquals(await gunzip(bytes, "a"), bytes);
});

Deno.test("gunzip() says that a gzip is damaged", async () => {
  const packed = await gzip(idx([30], count(30)));
  const cut = packed.slice(0, packed.length - 9);
  const { message } = await assertRejects(() => gunzip(cut, "a.gz"), DataError);
  assertEquals(
    message,
    `Cannot unpack a.gz: wanted a whole gzip file, found ${cut.length} bytes that are cut off, damaged or of several members; download or pack it again`,
  );
  const flipped = packed.slice();
  flipped[flipped.length - 5] ^= 255;
  await assertRejects(
    () => gunzip(flipped, "a.gz"),
    DataError,
    "cut off, damaged or of several members",
  );
});

Deno.test("openDataset() reads IDX files with either name, packed or not", { ignore }, async () => {
  const dataDir = await folder({
    "train-images-idx3-ubyte.gz": await gzip(idx([3, 2, 2], count(12))),
    "train-labels.idx1-ubyte": idx([3], [0, 1, 2]),
    "t10k-images.idx3-ubyte": idx([2, 2, 2], count(8)),
    "t10k-labels-idx1-ubyte.gz": await gzip(idx([2], [3, 0])),
  });
  const { train, validation } = await openDataset("idx", { dataDir, seed: 0, trainCount: 2 });
  assertEquals([train.length, train.channels, validation.length], [2, 1, 2]);
  assertEquals([[...train.labels], [...validation.labels]], [[0, 1], [3, 0]]);
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
