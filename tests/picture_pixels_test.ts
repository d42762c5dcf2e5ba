// Decoded pictures against Pillow's pixels, which tests/python/pictures.py wrote.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { prepare } from "../data/preparation.ts";
import { decode } from "../pictures/decode.ts";
import decoded from "./reference/pictures/decoded.json" with { type: "json" };
import {
  encode,
  encoder,
  fromBase64,
  meanDifference,
  noise,
  waves,
  WHOLE,
} from "./made_pictures.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "env", "ffi");
const folder = new URL("reference/pictures/", import.meta.url);

function file(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(name, folder));
}

/** The mean difference that a file may have: inverse cosine transforms and profiles round. */
function tolerance(name: string): number {
  return name.startsWith("profile.") || name.endsWith(".jpg") || name === "colours.webp" ? 2 : 0;
}

for (const [name, { width, height, rgb, grey }] of Object.entries(decoded)) {
  Deno.test(`${name} has the pixels that Pillow gives it`, { ignore }, async () => {
    const bytes = file(name);
    for (const [channels, wanted] of [[3, fromBase64(rgb)], [1, fromBase64(grey)]] as const) {
      const found = await decode(bytes, { ...WHOLE, channels });
      assertEquals([found.width, found.height, found.channels], [width, height, channels]);
      const difference = meanDifference(found.pixels, wanted);
      assert(difference <= tolerance(name), `${channels} channels: ${difference}`);
    }
  });
}

Deno.test("inks and profiles change pixels by far more than is tolerated", { ignore }, async () => {
  const scene = fromBase64(decoded["colours.png"].rgb);
  for (const name of ["profile.png", "profile.jpg", "ycck.jpg"] as const) {
    assert(meanDifference(scene, fromBase64(decoded[name].rgb)) > 4, name);
  }
  const { pixels } = await decode(file("profile.png"), WHOLE);
  assert(meanDifference(scene, pixels) > 4);
});

Deno.test("a profile of sRGB leaves pixels as they are", { ignore }, async () => {
  const picture = noise(20, 30, 3);
  const profiled = (await encoder(picture)).withIccProfile("srgb").toFormat("png", {});
  const bytes = new Uint8Array(await profiled.toBuffer());
  assertStringIncludes(String.fromCharCode(...bytes), "iCCP");
  assertEquals((await decode(bytes, WHOLE)).pixels, picture.pixels);
});

/** Each reduces by another factor: 9, 5, 5, 3. */
const REDUCING = [
  { kind: "level", channels: 3, side: 40, area: 1e5 },
  { kind: "level", channels: 3, side: 80, area: 1e5 },
  { kind: "central", channels: 3, size: 64, cropPct: 0.875, interpolation: "bicubic" },
  { kind: "central", channels: 3, size: 100, cropPct: 0.875, interpolation: "bilinear" },
] as const;

Deno.test("a large JPEG is reduced while it is decoded, to what the whole gives", {
  ignore,
}, async () => {
  // Sides that are no multiples of 8, so that nothing may be stretched.
  const picture = waves(895, 1190, 3, 40);
  for (const orientation of [1, 3, 6, 7]) {
    const jpeg = (await encoder(picture)).withMetadata({ orientation }).toFormat("jpeg", {
      quality: 98,
    });
    const bytes = new Uint8Array(await jpeg.toBuffer());
    const whole = await decode(bytes, WHOLE);
    assertEquals(whole.width, orientation > 4 ? 895 : 1190);
    for (const preparation of REDUCING) {
      const found = await decode(bytes, preparation);
      const exact = prepare(whole, preparation);
      assertEquals([found.height, found.width], [exact.height, exact.width]);
      const difference = meanDifference(found.pixels, exact.pixels);
      const what = `${orientation} ${JSON.stringify(preparation)}: ${difference}`;
      assert(difference > 0 && difference < 0.6, what);
    }
    // Here nothing is reduced: the filter sees all pixels.
    const near = { kind: "level", channels: 3, side: 160, area: 1e6 } as const;
    assertEquals((await decode(bytes, near)).pixels, prepare(whole, near).pixels);
  }
});

Deno.test("a decoded picture has its memory for itself", { ignore }, async () => {
  const { pixels } = await decode(await encode(noise(5, 7, 3), "png"), WHOLE);
  assertEquals(pixels.buffer.byteLength, pixels.length);
  const moved = structuredClone(pixels, { transfer: [pixels.buffer] });
  assertEquals([pixels.length, moved.length], [0, 105]);
});
