// Files that are no whole pictures are refused, each with its reason.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BrokenPictureError } from "../data/broken_picture.ts";
import { DataError } from "../data/error.ts";
import { Random } from "../data/random.ts";
import { decode } from "../pictures/decode.ts";
import { importSharp } from "../pictures/sharp.ts";
import { assertTakesLess } from "./least_cost.ts";
import { encode, noise, waves, WHOLE } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";
import { pngChunk, pngFile } from "./png_file.ts";

const ignore = lacks("read", "env", "ffi");
const EARLY = "that ends early";

async function refused(bytes: Uint8Array, ...reasons: string[]): Promise<void> {
  const error = await assertRejects(() => decode(bytes, WHOLE), BrokenPictureError);
  assert(error instanceof DataError);
  assert(error.message.length < 200 && !error.message.includes("\n"), error.message);
  assert(reasons.some((reason) => error.message.includes(reason)), error.message);
}

Deno.test("what is empty or no picture is named", { ignore }, async () => {
  const text = (text: string) => new TextEncoder().encode(text);
  await refused(new Uint8Array(), "0 bytes");
  await refused(text("<!doctype html><p>404"), "no picture (found a web page)");
  await refused(text("version https://git-lfs.github.com/spec/v1\n"), "a pointer of Git LFS");
  await refused(Uint8Array.of(1, 2, 3), "no picture (found an unknown format)");
  await refused(text("\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "a HEIF picture", "convert it to JPEG");
});

Deno.test("files that are cut off are refused, wherever they are cut", { ignore }, async () => {
  const picture = waves(40, 50, 3);
  for (
    const [format, options, name] of [
      ["jpeg", {}, "a JPEG picture"],
      ["jpeg", { progressive: true }, "a JPEG picture"],
      ["png", {}, "a PNG picture"],
      ["webp", {}, "a WebP picture"],
      ["gif", {}, "a GIF picture"],
      ["tiff", { compression: "lzw" }, "a TIFF picture"],
      ["avif", {}, "an AVIF picture"],
    ] as const
  ) {
    const whole = await encode(picture, format, options);
    for (const share of [0.3, 0.6, 0.9]) {
      const cut = whole.slice(0, Math.floor(whole.length * share));
      const known = ["jpeg", "png", "webp", "gif"].includes(format);
      await refused(cut, known ? `${name} ${EARLY}` : `${name} that`);
    }
  }
});

Deno.test("a JPEG without its last marker is whole, one without its last scan is not", {
  ignore,
}, async () => {
  const picture = waves(40, 50, 3);
  const whole = await encode(picture, "jpeg");
  assertEquals(
    (await decode(whole.slice(0, -2), WHOLE)).pixels,
    (await decode(whole, WHOLE)).pixels,
  );
  // What follows the end is nobody's business.
  const longer = new Uint8Array([...whole, 1, 2, 3]);
  assertEquals((await decode(longer, WHOLE)).pixels, (await decode(whole, WHOLE)).pixels);
  await refused(whole.slice(0, -40), EARLY);
  const scans = await encode(picture, "jpeg", { progressive: true });
  await refused(scans.slice(0, -2), EARLY);
});

Deno.test("heads that are a little odd do no harm", { ignore }, async () => {
  const picture = waves(40, 50, 3);
  const jpeg = await Deno.readFile(new URL("reference/pictures/baseline.jpg", import.meta.url));
  const { pixels } = await decode(jpeg, WHOLE);
  // After a marker, its length and "JFIF\0" comes the version, here 0.0.
  assertEquals(String.fromCharCode(...jpeg.subarray(6, 10)), "JFIF");
  jpeg.set([0, 0], 11);
  assertEquals((await decode(jpeg, WHOLE)).pixels, pixels);
  const scans = await encode(picture, "jpeg", { progressive: true });
  const filled = new Uint8Array([...scans.slice(0, -2), 0, 0, 0, 0xff, 0xd9]);
  assertEquals((await decode(filled, WHOLE)).pixels, (await decode(scans, WHOLE)).pixels);
  // Of chunks that say something twice, or nothing, libpng warns.
  const chunks = [pngChunk("gAMA", [0, 0, 0, 0]), pngChunk("cHRM", new Uint8Array(32))];
  const odd = pngFile({ width: 2, height: 1, bits: 8, type: 0, sample: (x) => x * 50, chunks });
  assertEquals([...(await decode(odd, WHOLE)).pixels], [0, 0, 0, 50, 50, 50]);
});

Deno.test("corrupt data is refused, where the format can tell", { ignore }, async () => {
  const png = await encode(noise(40, 50, 3), "png");
  png[png.length >> 1] ^= 0x55;
  await refused(png, "a PNG picture that cannot be decoded");
  // A run of ones, of which no code of a JPEG consists.
  const jpeg = await encode(waves(40, 50, 3), "jpeg");
  const scan = jpeg.findLastIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xda) + 14;
  for (let i = scan + 20; i < scan + 60; i += 2) jpeg.set([0xff, 0], i);
  await refused(jpeg, "a JPEG picture that");
});

Deno.test(
  "pictures of too many pixels are refused before memory is taken",
  { ignore },
  async () => {
    const small = pngFile({ width: 1, height: 1, bits: 8, type: 0, sample: () => 0 });
    const png = pngFile({ width: 0, height: 0, bits: 8, type: 0, sample: () => 0 });
    const jpeg = await encode(waves(16, 16, 3), "jpeg");
    const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    jpeg.set([0xea, 0x60, 0xea, 0x60], frame + 5);
    await refused(
      jpeg,
      "60000 x 60000 pixels, more than the 178,956,970 that are decoded at most: reduce it first",
    );
    await refused(png, "a PNG picture that", "0 x 0");
    assertEquals((await decode(small, WHOLE)).pixels, new Uint8Array(3));
  },
);

Deno.test("what keeps sharp from being loaded is said", { ignore }, async () => {
  const error = await assertRejects(() => importSharp("file:///not/there.js"), DataError);
  assert(!(error instanceof BrokenPictureError));
  assert(error.message.startsWith("Cannot decode pictures: wanted sharp 0.35.5"), error.message);
});

/** How many files are spoilt; the number takes a minute. */
const COUNT = lacks("env") ? 0 : Number(Deno.env.get("ADJOIN_SPOILT_PICTURES") ?? 1000);

Deno.test("spoilt JPEGs and PNGs are refused or decoded at a size that fits, at once", {
  ignore,
}, async () => {
  const random = new Random(19, "spoilt pictures");
  const picture = waves(48, 64, 3);
  const files = await Promise.all([
    encode(picture, "jpeg"),
    encode(picture, "jpeg", { progressive: true }),
    encode(noise(48, 64, 1), "jpeg"),
    encode(picture, "png"),
    encode(picture, "png", { palette: true }),
    pngFile({ width: 64, height: 48, bits: 16, type: 6, interlaced: true, sample: (x) => x * 999 }),
  ]);
  const below = (length: number) => random.integer(length);
  const spoil = (bytes: Uint8Array): Uint8Array => {
    const spoilt = bytes.slice();
    switch (below(4)) {
      case 0:
        return spoilt.slice(0, below(spoilt.length));
      case 1: {
        const other = files[below(files.length)];
        return new Uint8Array([
          ...spoilt.slice(0, below(spoilt.length)),
          ...other.slice(below(other.length)),
        ]);
      }
      default:
        for (let i = below(8); i >= 0; i--) {
          // Most of a small file is data: half of the flips fall on what comes before.
          const at = below(random.uniform() < 0.5 ? Math.min(spoilt.length, 200) : spoilt.length);
          spoilt[at] = below(256);
        }
        return spoilt;
    }
  };
  let decoded = 0;
  const preparation = {
    kind: "central",
    channels: 3,
    size: 16,
    cropPct: 0.875,
    interpolation: "bilinear",
  } as const;
  for (let i = 0; i < COUNT; i++) {
    const bytes = spoil(files[i % files.length]);
    const whole = i % 2 === 0;
    let done = false;
    await assertTakesLess({ milliseconds: 2000 }, async () => {
      try {
        const found = await decode(bytes, whole ? WHOLE : preparation);
        done = true;
        const { width, height, channels, pixels } = found;
        assertEquals([channels, pixels.length], [3, width * height * 3]);
        if (!whole) assertEquals([width, height], [16, 16]);
      } catch (error) {
        if (!(error instanceof BrokenPictureError)) throw error;
      }
    });
    if (done) decoded++;
  }
  assert(decoded > COUNT / 50 && decoded < COUNT, `${decoded} of ${COUNT} are decoded`);
});
