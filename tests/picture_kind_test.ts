// Formats of pictures are told by their first bytes.
import { assertEquals } from "@std/assert";
import { pictureKind } from "../data/picture_kind.ts";

/** Bytes of text, one a character. */
function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** The box that AVIF and HEIF begin with. */
function brands(...names: readonly string[]): Uint8Array {
  const [major, ...others] = names;
  const size = 16 + 4 * others.length;
  return bytes(`\0\0\0${String.fromCharCode(size)}ftyp${major}\0\0\0\0${others.join("")}\0\0meta`);
}

Deno.test("pictureKind() tells formats by their first bytes", () => {
  assertEquals(pictureKind(bytes("\xff\xd8\xff\xe0\0\x10JFIF")), "jpeg");
  assertEquals(pictureKind(bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR")), "png");
  assertEquals(pictureKind(bytes("RIFF\x24\0\0\0WEBPVP8 ")), "webp");
  assertEquals(pictureKind(bytes("GIF87a")), "gif");
  assertEquals(pictureKind(bytes("GIF89a\x01\0\x01\0")), "gif");
  assertEquals(pictureKind(bytes("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0")), "bmp");
  for (const begin of ["II*\0", "MM\0*", "II+\0", "MM\0+"]) {
    assertEquals(pictureKind(bytes(begin)), "tiff");
  }
  assertEquals(pictureKind(brands("avif")), "avif");
  assertEquals(pictureKind(brands("mif1", "mif1", "avif", "miaf")), "avif");
  assertEquals(pictureKind(brands("heic", "mif1")), "heif");
});

Deno.test("pictureKind() takes nothing else for a picture", () => {
  const texts = [
    "",
    "B",
    "BM",
    "BMW and other cars, and more words",
    "RIFF\x24\0\0\0WAVEfmt ",
    "\xff\xd8",
    "GIF90a",
    "{}",
    "\0\0\0\x18ftyp",
  ];
  for (const text of texts) assertEquals(pictureKind(bytes(text)), undefined, text);
  assertEquals(pictureKind(brands("isom", "mp42")), undefined);
  // What follows the box is no brand.
  assertEquals(pictureKind(bytes("\0\0\0\x14ftypisom\0\0\0\0mp42avif")), undefined);
});

Deno.test("pictureKind() reads bytes from where they begin in a buffer", () => {
  const whole = new Uint8Array(80);
  const bmp = bytes("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0");
  whole.set(bmp, 7);
  assertEquals(pictureKind(whole.subarray(7)), "bmp");
});
