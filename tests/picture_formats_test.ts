// Each kind of picture, made here, is decoded to the pixels that it was made of.
import { assert, assertEquals } from "@std/assert";
import type { Picture } from "../data/picture.ts";
import { decode } from "../pictures/decode.ts";
import { encode, encoder, meanDifference, noise, waves, WHOLE } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";
import { pngChunk, type PngContent, pngFile } from "./png_file.ts";

const ignore = lacks("read", "env", "ffi");

/** Samples that take all values a picture of those bits may have. */
function sampleOf(bits: number): PngContent["sample"] {
  return (x, y, c) => (x * 7919 + y * 104729 + c * 1299709) % 2 ** bits;
}

/** Colour types and the bits that PNG allows for each. */
const KINDS = [[0, [1, 2, 4, 8, 16]], [2, [8, 16]], [4, [8, 16]], [6, [8, 16]]] as const;

/** A sample as a byte: scaled where it has fewer bits, its high byte where it has 16. */
function byteOf(sample: number, bits: number): number {
  return bits === 16 ? sample >> 8 : sample * 255 / (2 ** bits - 1);
}

function laid(value: number, alpha: number): number {
  return Math.round((value * alpha + 255 * (255 - alpha)) / 255);
}

const [WIDTH, HEIGHT] = [13, 11];

for (const [type, depths] of KINDS) {
  for (const bits of depths) {
    for (const interlaced of [false, true]) {
      const name = `PNG of colour type ${type}, ${bits} bits${interlaced ? ", interlaced" : ""}`;
      Deno.test(`${name}, is decoded exactly`, { ignore }, async () => {
        const sample = sampleOf(bits);
        const size = { width: WIDTH, height: HEIGHT };
        const file = pngFile({ ...size, bits, type, interlaced, sample });
        const { pixels, ...rest } = await decode(file, WHOLE);
        assertEquals(rest, { ...size, channels: 3 });
        const wanted = [];
        for (let y = 0; y < HEIGHT; y++) {
          for (let x = 0; x < WIDTH; x++) {
            const at = (c: number) => byteOf(sample(x, y, c), bits);
            const alpha = type === 4 ? at(1) : type === 6 ? at(3) : 255;
            for (let c = 0; c < 3; c++) {
              wanted.push(laid(at(type < 2 || type === 4 ? 0 : c), alpha));
            }
          }
        }
        assertEquals([...pixels], wanted);
      });
    }
  }
}

Deno.test("palettes of 1 to 8 bits are decoded, their transparency laid on white", {
  ignore,
}, async () => {
  for (const bits of [1, 2, 4, 8]) {
    for (const interlaced of [false, true]) {
      const count = 2 ** bits;
      const palette = Uint8Array.from({ length: 3 * count }, (_, i) => i * 37 % 256);
      const alphas = Uint8Array.from({ length: count }, (_, i) => i * 101 % 256);
      const sample = sampleOf(bits);
      const chunks = [pngChunk("PLTE", palette), pngChunk("tRNS", alphas)];
      const size = { width: WIDTH, height: HEIGHT };
      const file = pngFile({ ...size, bits, type: 3, interlaced, sample, chunks });
      const { pixels } = await decode(file, WHOLE);
      const wanted = Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
        const [c, x, y] = [i % 3, Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)];
        const colour = sample(x, y, 0);
        return laid(palette[3 * colour + c], alphas[colour]);
      });
      assertEquals([...pixels], wanted, `${bits} bits`);
    }
  }
});

Deno.test("a colour that stands for nothing is white", { ignore }, async () => {
  const sample: PngContent["sample"] = (x, _, c) => x === 2 ? [10, 20, 30][c] : 40 + c;
  const chunks = [pngChunk("tRNS", [0, 10, 0, 20, 0, 30])];
  const file = pngFile({ width: 4, height: 1, bits: 8, type: 2, sample, chunks });
  const { pixels } = await decode(file, WHOLE);
  assertEquals([...pixels], [40, 41, 42, 40, 41, 42, 255, 255, 255, 40, 41, 42]);
});

Deno.test("a profile of 16-bit pixels becomes sRGB, too", { ignore }, async () => {
  const chunk = async (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let at = 8;
    while (String.fromCharCode(...bytes.subarray(at + 4, at + 8)) !== "iCCP") {
      at += 12 + view.getUint32(at);
    }
    return await Promise.resolve(bytes.slice(at, at + 12 + view.getUint32(at)));
  };
  const profile = await chunk(
    await Deno.readFile(new URL("reference/pictures/profile.png", import.meta.url)),
  );
  const size = { width: 16, height: 16, type: 2, chunks: [profile] };
  const byte: PngContent["sample"] = (x, y, c) => [x * 17, y * 17, 128][c];
  const eight = await decode(pngFile({ ...size, bits: 8, sample: byte }), WHOLE);
  const sixteen = await decode(
    pngFile({ ...size, bits: 16, sample: (x, y, c) => byte(x, y, c) * 257 }),
    WHOLE,
  );
  assert(meanDifference(eight.pixels, sixteen.pixels) < 1.5);
  const plain = await decode(pngFile({ ...size, chunks: [], bits: 8, sample: byte }), WHOLE);
  assert(meanDifference(plain.pixels, eight.pixels) > 4);
});

/** Where a pixel of a picture as it is shown lies in its file. */
const STORED: readonly ((x: number, y: number, w: number, h: number) => [number, number])[] = [
  (x, y) => [x, y],
  (x, y, w) => [w - 1 - x, y],
  (x, y, w, h) => [w - 1 - x, h - 1 - y],
  (x, y, _, h) => [x, h - 1 - y],
  (x, y) => [y, x],
  (x, y, _, h) => [y, h - 1 - x],
  (x, y, w, h) => [w - 1 - y, h - 1 - x],
  (x, y, w) => [w - 1 - y, x],
];

Deno.test("EXIF's eight orientations are applied, of JPEG, PNG, WebP and TIFF", {
  ignore,
}, async () => {
  const picture = noise(9, 14, 3);
  for (
    const [format, options] of [["png", {}], ["webp", { lossless: true }], ["tiff", {
      compression: "lzw",
    }]] as const
  ) {
    for (const [i, stored] of STORED.entries()) {
      const orientation = i + 1;
      const file = await (await encoder(picture)).withMetadata({ orientation })
        .toFormat(format, options).toBuffer();
      const found = await decode(file, WHOLE);
      const turned = i >= 4;
      assertEquals([found.width, found.height], turned ? [9, 14] : [14, 9]);
      for (let y = 0; y < found.height; y++) {
        for (let x = 0; x < found.width; x++) {
          const [column, row] = stored(x, y, 14, 9);
          const [at, from] = [(y * found.width + x) * 3, (row * 14 + column) * 3];
          assertEquals(
            [...found.pixels.subarray(at, at + 3)],
            [...picture.pixels.subarray(from, from + 3)],
            `${format} ${orientation}`,
          );
        }
      }
    }
  }
  const upright = await decode(await encode(picture, "jpeg"), WHOLE);
  for (const orientation of [3, 6]) {
    const file = await (await encoder(picture)).withMetadata({ orientation })
      .toFormat("jpeg", {}).toBuffer();
    const { pixels, width } = await decode(file, WHOLE);
    const [column, row] = STORED[orientation - 1](0, 0, 14, 9);
    const from = (row * 14 + column) * 3;
    assertEquals(width, orientation === 3 ? 14 : 9);
    assertEquals([...pixels.subarray(0, 3)], [...upright.pixels.subarray(from, from + 3)]);
  }
});

/** Grey of colours, by Pillow's weights. */
function luma({ pixels }: Picture): number[] {
  return Array.from({ length: pixels.length / 3 }, (_, i) => {
    const [red, green, blue] = pixels.subarray(3 * i, 3 * i + 3);
    return Math.floor(0.299 * red + 0.587 * green + 0.114 * blue + 0.5);
  });
}

Deno.test("colour becomes grey, and grey colour, as asked for", { ignore }, async () => {
  const grey = noise(7, 9, 1);
  const file = await encode(grey, "png", { colourspace: "b-w" });
  assertEquals((await decode(file, { ...WHOLE, channels: 1 })).pixels, grey.pixels);
  const { pixels } = await decode(file, WHOLE);
  assertEquals([...pixels], [...grey.pixels].flatMap((value) => [value, value, value]));
  const colours = noise(7, 9, 3);
  const found = await decode(await encode(colours, "png"), { ...WHOLE, channels: 1 });
  assertEquals([found.channels, found.pixels.length], [1, 63]);
  const differences = luma(colours).map((value, i) => Math.abs(value - found.pixels[i]));
  assert(Math.max(...differences) <= 1);
});

Deno.test("WebP, AVIF, GIF and TIFF are decoded by their content", { ignore }, async () => {
  const picture = waves(24, 30, 3);
  for (
    const [format, options, tolerance] of [
      ["webp", { lossless: true }, 0],
      ["webp", { quality: 95 }, 4],
      ["avif", { lossless: true }, 0.5],
      ["avif", { quality: 90 }, 4],
      ["gif", { dither: 0 }, 6],
      ["tiff", { compression: "lzw" }, 0],
      ["tiff", { compression: "deflate", tile: true, tileWidth: 16, tileHeight: 16 }, 0],
      ["tiff", { compression: "jpeg", quality: 95 }, 4],
      ["jpeg", { quality: 95, progressive: true }, 4],
      ["jpeg", { quality: 95, chromaSubsampling: "4:4:4" }, 4],
    ] as const
  ) {
    const found = await decode(await encode(picture, format, options), WHOLE);
    assertEquals([found.width, found.height, found.channels], [30, 24, 3]);
    const difference = meanDifference(found.pixels, picture.pixels);
    assert(difference <= tolerance, `${format} ${JSON.stringify(options)}: ${difference}`);
  }
});

Deno.test("of an animation the first picture is decoded", { ignore }, async () => {
  const { default: sharp } = await import("sharp" as string);
  const frame = (background: string) =>
    sharp({ create: { width: 8, height: 6, channels: 3, background } }).png().toBuffer();
  const frames = [await frame("#f00"), await frame("#00f")];
  for (const format of ["gif", "webp"]) {
    const options = format === "webp" ? { lossless: true } : {};
    const file = await sharp(frames, { join: { animated: true } }).toFormat(format, options)
      .toBuffer();
    const { width, height, pixels } = await decode(new Uint8Array(file), WHOLE);
    assertEquals([width, height, ...pixels.subarray(0, 3)], [8, 6, 255, 0, 0], format);
  }
});
