// Resampled noise against Pillow and torchvision: see tests/python/pictures.py.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { prepare } from "../data/preparation.ts";
import { INTERPOLATIONS, resample } from "../data/resample.ts";
import resized from "./reference/pictures/resized.json" with { type: "json" };
import { fromBase64, meanDifference, noise } from "./made_pictures.ts";

for (const { height, width, channels, preparation, pillow, tensor } of resized) {
  const { kind, size, side, interpolation } = preparation as {
    kind: string;
    size?: number;
    side?: number;
    interpolation?: string;
  };
  const what = [kind, size ?? side, interpolation ?? "bilinear"].join(" ");
  Deno.test(`noise of ${width} x ${height} x ${channels} as ${what} equals Pillow's`, () => {
    const wanted = INTERPOLATIONS.find((name) => name === interpolation) ?? "bilinear";
    const found = prepare(
      noise(height, width, channels),
      kind === "central"
        ? {
          ...{ kind: "central", channels, size: size ?? 0, interpolation: wanted },
          cropPct: preparation.cropPct ?? 0,
        }
        : { kind: "level", channels, side: side ?? 0, area: preparation.area ?? 0 },
    );
    assertEquals(found.channels, channels);
    assertEquals(found.pixels, fromBase64(pillow));
    const difference = meanDifference(found.pixels, fromBase64(tensor));
    assert(difference < 1, `${difference} from torchvision's on tensors`);
  });
}

const AS_IT_IS = { x: 0, y: 0, stepX: 1, stepY: 1 };

Deno.test("a step of one pixel leaves pixels as they are", () => {
  const picture = noise(9, 11, 3);
  for (const interpolation of INTERPOLATIONS) {
    const { pixels } = resample(picture, { ...AS_IT_IS, to: picture, interpolation });
    assertEquals(pixels, picture.pixels);
    const part = { height: 4, width: 5 };
    const cut = resample(picture, { ...AS_IT_IS, x: 3, y: 2, to: part, interpolation });
    assertEquals([...cut.pixels.subarray(0, 15)], [...picture.pixels.subarray(75, 90)]);
  }
});

Deno.test("what lies outside a picture shows its edge", () => {
  const picture = noise(4, 4, 1);
  const to = { height: 4, width: 3 };
  const { pixels } = resample(picture, { ...AS_IT_IS, x: 6, to, interpolation: "bilinear" });
  for (let row = 0; row < 4; row++) {
    const edge = picture.pixels[4 * row + 3];
    assertEquals([...pixels.subarray(3 * row, 3 * row + 3)], [edge, edge, edge]);
  }
});

Deno.test("resample() refuses steps that go nowhere", () => {
  const picture = noise(4, 4, 1);
  for (const step of [0, -1, NaN]) {
    const options = { ...AS_IT_IS, stepX: step, to: picture, interpolation: "bilinear" } as const;
    assertThrows(() => resample(picture, options), RangeError, "wanted steps above 0");
  }
});
