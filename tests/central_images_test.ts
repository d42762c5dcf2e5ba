import { assert, assertEquals } from "@std/assert";
import { centralImages } from "../data/central_images.ts";
import { openDataset, openValidationImages } from "../data/folder.ts";
import { generateImages } from "../data/generated.ts";
import { prepare } from "../data/preparation.ts";

Deno.test("central images in memory are those of pictures of their size", () => {
  const set = generateImages({ count: 3, seed: 1 });
  const cut = centralImages(set, 0.8);
  const picture = { height: 32, width: 32, channels: 3 };
  for (let i = 0; i < 3; i++) {
    const [from, to] = [i * 3072, (i + 1) * 3072];
    const wanted = prepare({ ...picture, pixels: new Uint8Array(set.pixels.slice(from, to)) }, {
      kind: "central",
      channels: 3,
      size: 32,
      cropPct: 0.8,
      interpolation: "bilinear",
    });
    assertEquals(cut.pixels.slice(from, to), wanted.pixels);
  }
  assertEquals(centralImages(set, 1), set);
});

Deno.test("central images keep an oblong size, and leave out the edges", () => {
  const pixels = Uint8Array.from(
    { length: 20 * 8 },
    (_, i) => i % 8 === 0 || i % 8 === 7 ? 255 : 9,
  );
  const labels = Uint8Array.of(0);
  const set = { name: "made", classes: ["a"], length: 1, height: 20, width: 8, channels: 1 };
  const cut = centralImages({ ...set, pixels, labels }, 0.5);
  assertEquals([cut.height, cut.width, cut.pixels.length], [20, 8, 160]);
  assert(cut.pixels.every((value) => value === 9));
});

Deno.test("validation images alone are cut, on both ways to them", async () => {
  const options = { seed: 1, trainCount: 4, validationCount: 4 };
  const whole = await openDataset("generated", options);
  const cut = await openDataset("generated", { ...options, cropPct: 0.8 });
  assertEquals(cut.train, whole.train);
  assert("pixels" in whole.validation && "pixels" in cut.validation);
  assertEquals(cut.validation, centralImages(whole.validation, 0.8));
  const alone = await openValidationImages("generated", { ...options, cropPct: 0.8 });
  assertEquals(alone, cut.validation);
});
