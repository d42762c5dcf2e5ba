import { assertEquals, assertRejects } from "@std/assert";
import { BrokenPictureError } from "../data/broken_picture.ts";
import { decode } from "../pictures/decode.ts";
import { type BmpContent, bmpFile } from "./bmp_file.ts";
import { WHOLE } from "./made_pictures.ts";

const [RED, GREEN, BLUE, WHITE] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];
const PALETTE = [RED, GREEN, BLUE, WHITE];

/** Pixels of 3 x 2, the first row at the top. */
async function pixelsOf(content: Omit<BmpContent, "width" | "height">, height = 2) {
  const found = await decode(bmpFile({ ...content, width: 3, height }), WHOLE);
  assertEquals([found.width, found.height, found.channels], [3, 2, 3]);
  return [0, 3, 6, 9, 12, 15].map((at) => [...found.pixels.subarray(at, at + 3)]);
}

const WANTED = [RED, GREEN, BLUE, WHITE, BLUE, GREEN];

Deno.test("BMPs of 1 to 8 bits have the colours of their table, rows from the bottom", async () => {
  const rows = [[3, 2, 1], [0, 1, 2]];
  for (const bits of [2, 4, 8]) {
    const pixels = rows.flatMap((row) => {
      const packed = [0, 0, 0, 0];
      row.forEach((value, x) => packed[x * bits >> 3] |= value << 8 - bits - (x * bits & 7));
      return packed;
    });
    for (const header of [12, 40, 124]) {
      assertEquals(await pixelsOf({ bits, header, palette: PALETTE, pixels }), WANTED);
    }
    const topDown = [...pixels.slice(4), ...pixels.slice(0, 4)];
    assertEquals(await pixelsOf({ bits, palette: PALETTE, pixels: topDown }, -2), WANTED);
  }
  const two = { bits: 1, palette: [RED, BLUE], pixels: [0b101 << 5, 0, 0, 0, 0b010 << 5, 0, 0, 0] };
  assertEquals(await pixelsOf(two), [RED, BLUE, RED, BLUE, RED, BLUE]);
  assertEquals((await pixelsOf({ bits: 8, palette: [RED], pixels: [0, 9, 0, 0, 0, 0, 0, 0] }))[4], [
    ...[0, 0, 0],
  ]);
});

Deno.test("BMPs of 16, 24 and 32 bits have their fields at full scale", async () => {
  const words = (rows: number[][], size: number) =>
    rows.flatMap((row) => {
      const bytes = row.flatMap((pixel) =>
        Array.from({ length: size }, (_, i) => Math.floor(pixel / 256 ** i) % 256)
      );
      return [...bytes, ...new Array((4 - bytes.length % 4) % 4).fill(0)];
    });
  const of = (red: number, green: number, blue: number, white: number) => [
    [white, blue, green],
    [red, green, blue],
  ];
  const fields = of(0x7c00, 0x3e0, 0x1f, 0x7fff);
  assertEquals(await pixelsOf({ bits: 16, pixels: words(fields, 2) }), WANTED);
  const masks = [0xf800, 0x7e0, 0x1f];
  const six = words(of(0xf800, 0x7e0, 0x1f, 0xffff), 2);
  assertEquals(await pixelsOf({ bits: 16, compression: 3, masks, pixels: six }), WANTED);
  const plain = of(0xff0000, 0xff00, 0xff, 0xffffff);
  assertEquals(await pixelsOf({ bits: 24, pixels: words(plain, 3) }), WANTED);
  // The fourth byte of plain pixels says nothing; masks may give it to alpha, here half of 255.
  assertEquals(await pixelsOf({ bits: 32, pixels: words(plain, 4) }), WANTED);
  const alpha = { bits: 32, compression: 3, header: 124 };
  const clear = [0xff0000, 0xff00, 0xff, 0xff000000];
  const half = words(plain.map((row) => row.map((pixel) => pixel + 0x80000000)), 4);
  const faint = WANTED.map((colour) => colour.map((value) => value || 127));
  assertEquals(await pixelsOf({ ...alpha, masks: clear, pixels: half }), faint);
});

Deno.test("BMPs in runs are unpacked: runs, plain stretches, moves and short rows", async () => {
  const eight = [2, 3, 1, 2, 0, 0, 0, 3, 0, 1, 2, 0, 0, 1];
  const palette = PALETTE;
  assertEquals(await pixelsOf({ bits: 8, compression: 1, palette, pixels: eight }), [
    ...[RED, GREEN, BLUE],
    ...[WHITE, WHITE, BLUE],
  ]);
  const four = [3, 0x32, 0, 0, 0, 3, 0x01, 0x20, 0, 1];
  assertEquals(await pixelsOf({ bits: 4, compression: 2, palette, pixels: four }), [
    ...[RED, GREEN, BLUE],
    ...[WHITE, BLUE, WHITE],
  ]);
  // One pixel, then two to the right and one up, where one is; the others are the first colour.
  const moved = [1, 1, 0, 2, 1, 1, 1, 2, 0, 1];
  assertEquals(await pixelsOf({ bits: 8, compression: 1, palette, pixels: moved }), [
    ...[RED, RED, BLUE],
    ...[GREEN, RED, RED],
  ]);
});

Deno.test("BMPs that end early, or are of no known kind, are refused", async () => {
  const content = { width: 3, height: 2, bits: 24, pixels: new Array(24).fill(9) };
  const whole = bmpFile(content);
  for (const length of [20, 40, whole.length - 1]) {
    await assertRejects(
      () => decode(whole.slice(0, length), WHOLE),
      BrokenPictureError,
      "a BMP picture that ends early",
    );
  }
  const runs = bmpFile({ ...content, bits: 8, compression: 1, palette: PALETTE, pixels: [2, 3] });
  const odd = bmpFile({ ...content, bits: 24, compression: 5 });
  const large = bmpFile({ ...content, width: 20_000, height: 10_000 });
  const none = bmpFile({ ...content, width: 0 });
  for (
    const [file, reason] of [
      [runs, "a BMP picture that ends early"],
      [odd, "24 bits and compression 5, which is not known"],
      [large, "20000 x 10000 pixels, more than the 178,956,970 that are decoded at most"],
      [none, "a picture of 0 x 2 pixels"],
    ] as const
  ) await assertRejects(() => decode(file, WHOLE), BrokenPictureError, reason);
});
