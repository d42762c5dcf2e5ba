// What is told of a picture's file.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BrokenPictureError } from "../data/broken_picture.ts";
import { inspect } from "../pictures/inspect.ts";
import { encode, encoder, noise } from "./made_pictures.ts";
import { lacks } from "./permissions.ts";
import { pngFile } from "./png_file.ts";

const ignore = lacks("read", "env", "ffi");

Deno.test("inspect() tells format, size as shown, and grey", { ignore }, async () => {
  for (const type of [0, 2, 4, 6]) {
    const png = pngFile({ width: 5, height: 3, bits: 16, type, sample: (x, y) => 1000 * x + y });
    const grey = type === 0 || type === 4;
    assertEquals(await inspect(png), { kind: "png", width: 5, height: 3, grey });
  }
  const turned = (await encoder(noise(20, 30, 3))).withMetadata({ orientation: 6 });
  const jpeg = await turned.toFormat("jpeg", {}).toBuffer();
  assertEquals(await inspect(new Uint8Array(jpeg)), {
    kind: "jpeg",
    width: 20,
    height: 30,
    grey: false,
  });
  const webp = await encode(noise(4, 6, 3), "webp");
  const shown = await inspect(webp, {
    kind: "central",
    channels: 3,
    size: 2,
    cropPct: 1,
    interpolation: "bilinear",
  });
  assertEquals([shown.kind, shown.width, shown.height], ["webp", 6, 4]);
  assertEquals(shown.picture?.pixels.length, 12);
});

Deno.test("inspect() finds what is wrong with small and large files", { ignore }, async () => {
  const small = await encode(noise(40, 40, 3), "jpeg");
  const large = await encode(noise(700, 700, 3), "jpeg", { quality: 95 });
  assert(large.length > 200_000);
  assertEquals(await inspect(large), { kind: "jpeg", width: 700, height: 700, grey: false });
  for (const whole of [small, large]) {
    for (const part of [0.3, 0.9]) {
      const short = whole.slice(0, part * whole.length);
      await assertRejects(() => inspect(short), BrokenPictureError);
    }
  }
  await assertRejects(() => inspect(new Uint8Array()), BrokenPictureError, "0 bytes");
});
