import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { gunzip } from "../data/gzip.ts";
import { idxDataset, parseIdx } from "../data/idx.ts";
import { count, gzip, idx } from "./idx_files.ts";

const images = (shape: number[]) => {
  const size = shape.reduce((product, d) => product * d, 1);
  return parseIdx(idx(shape, count(size)), "images");
};
const labels = (...values: number[]) => parseIdx(idx([values.length], values), "labels");

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
    "Cannot read a as IDX: wanted it to start with 00 00 08, found a zip archive; unpack it first",
  );
  assertEquals(
    message(Uint8Array.of(1, 2, 3, 4)),
    "Cannot read a as IDX: wanted it to start with 00 00 08, found 01 02 03 04; is it another format?",
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
    "Cannot use images as images: wanted 3 or 4 dimensions, found shape [2,4]; the axes are count, height, width, or count, height, width, channels",
  );
  assertEquals(
    message(build([4, 5, 2], [[0, 1]])),
    "Cannot use labels with images: wanted 4 labels, one for each image, found 2; take both from the same set: the axes are count, height, width, or count, height, width, channels",
  );
  assertEquals(
    message(build([2, 3, 8, 8], [[0, 1]])),
    "Cannot use images as images: wanted 1 to 4 channels, found shape [2,3,8,8]; the axes are count, height, width, channels, not count, channels, height, width",
  );
  assertEquals(
    message(build([2, 8, 8, 5], [[0, 1]])),
    "Cannot use images as images: wanted 1 to 4 channels, found shape [2,8,8,5]; the axes are count, height, width, channels",
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
    `Cannot unpack a.gz: wanted a whole gzip file, found ${cut.length} bytes that are cut off or damaged; download or pack it again`,
  );
  const flipped = packed.slice();
  flipped[flipped.length - 5] ^= 255;
  await assertRejects(
    () => gunzip(flipped, "a.gz"),
    DataError,
    "cut off or damaged",
  );
});

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("gunzip() unpacks several members, and leaves out zeros behind them", async () => {
  const [one, two] = [idx([30], count(30)), idx([3], [1, 2, 3])];
  // A member that ends with zeros itself: packed of nothing.
  const nothing = await gzip(new Uint8Array());
  const [a, b, zeros] = [await gzip(one), await gzip(two), new Uint8Array(513)];
  const cases = [
    { packed: join(a, b), wanted: join(one, two) },
    { packed: join(a, b, a, nothing, b), wanted: join(one, two, one, two) },
    { packed: join(a, zeros), wanted: one },
    { packed: join(b, a, zeros), wanted: join(two, one) },
    { packed: join(a, nothing, zeros), wanted: one },
    { packed: join(nothing, zeros), wanted: new Uint8Array() },
  ];
  for (const { packed, wanted } of cases) assertEquals(await gunzip(packed, "a.gz"), wanted);
  for (const rest of [Uint8Array.of(1, 2, 3), join(zeros, b), a.subarray(0, 20)]) {
    await assertRejects(() => gunzip(join(a, rest), "a.gz"), DataError, "cut off or damaged");
  }
});

Deno.test("gunzip() unpacks no more than is wanted", async () => {
  const packed = await gzip(new Uint8Array(1 << 26));
  await assertRejects(
    () => gunzip(packed, "a.gz", 1000),
    DataError,
    "Cannot unpack a.gz: wanted at most 1000 bytes, found more",
  );
  const twice = join(await gzip(new Uint8Array(600)), await gzip(new Uint8Array(600)));
  await assertRejects(() => gunzip(twice, "a.gz", 1000), DataError, "wanted at most 1000 bytes");
  assertEquals((await gunzip(twice, "a.gz", 1200)).length, 1200);
});

Deno.test("gunzip() gives up on bytes that begin as members do, again and again", async () => {
  const member = await gzip(Uint8Array.of(1));
  const false_ = new Array(20_000).fill([0x1f, 0x8b, 8, 0, 1]).flat();
  await assertRejects(() => gunzip(join(member.subarray(0, 12), Uint8Array.from(false_)), "a"));
});
