// Augmentations against Pillow's and torchvision's: tests/python/augmentations.py made the numbers.
import { assert, assertEquals } from "@std/assert";
import { colorJitter } from "../kernels/ops/color_jitter.ts";
import { type Operation, OPERATIONS, randAugment } from "../kernels/ops/rand_augment.ts";
import { lacks } from "./permissions.ts";

interface Reference {
  readonly fill: readonly number[];
  readonly pictures: Readonly<Record<string, { shape: readonly number[]; pixels: string }>>;
  readonly cases: readonly {
    readonly picture: string;
    readonly operation: Operation;
    readonly magnitude: number;
    readonly pixels: string;
  }[];
  readonly jitter: readonly {
    readonly picture: string;
    /** Of brightness, contrast and saturation, and the turn of the hue. */
    readonly factors: readonly number[];
    readonly order: readonly number[];
    readonly pixels: string;
  }[];
}

/** Operations that reckon with fractions which both sides round in ways of their own. */
const ROUNDED: ReadonlySet<Operation> = new Set([
  "AutoContrast",
  "Rotate",
  "ShearX",
  "ShearY",
  "TranslateXRel",
  "TranslateYRel",
]);

async function reference(): Promise<Reference> {
  const file = new URL("reference/augmentations.json", import.meta.url);
  return JSON.parse(await Deno.readTextFile(file));
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function pictureOf({ pictures }: Reference, name: string) {
  const { shape, pixels } = pictures[name];
  return { shape: [1, ...shape], data: Float64Array.from(bytes(pixels)) };
}

Deno.test({
  name: "operations of RandAugment are Pillow's",
  ignore: lacks("read"),
  fn: async () => {
    const found = await reference();
    const changed = new Set<string>(["Identity"]);
    for (const { picture, operation, magnitude, pixels } of found.cases) {
      const x = pictureOf(found, picture);
      const wanted = bytes(pixels);
      if (wanted.some((v, i) => v !== x.data[i])) changed.add(operation);
      const [{ data }] = randAugment.reference([
        x,
        { shape: [1, 2], data: Float64Array.of(OPERATIONS.indexOf(operation), magnitude) },
      ], { fill: found.fill.slice(0, x.shape[3]) });
      assertEquals(data.length, wanted.length);
      const off = Array.from(data, (v, i) => Math.abs(v - wanted[i]));
      const most = Math.max(...off);
      const part = off.filter((x) => x > 0).length / off.length;
      // Pillow cuts fractions off after other roundings: a whole number may come out one lower.
      assert(
        ROUNDED.has(operation) ? most <= 1 && part < 0.01 : most === 0,
        `${operation} ${magnitude} of ${picture}: ${most} off, ${part} of all bytes`,
      );
    }
    assertEquals(changed, new Set<string>(OPERATIONS));
  },
});

Deno.test({
  name: "the jitter of colours is torchvision's",
  ignore: lacks("read"),
  fn: async () => {
    const found = await reference();
    assert(found.jitter.length > 0);
    for (const { picture, factors, order, pixels } of found.jitter) {
      const wanted = new Float32Array(bytes(pixels).buffer);
      const digits = order.reduce((number, which) => number * 4 + which, 0);
      const [{ data }] = colorJitter.reference([
        pictureOf(found, picture),
        { shape: [1, 5], data: Float64Array.of(...factors, digits) },
      ], {});
      assertEquals(data.length, wanted.length);
      const most = data.reduce((most, v, i) => Math.max(most, Math.abs(v - wanted[i])), 0);
      // Single precision of values up to 255, some of them differences of near ones.
      assert(most < 0.01, `${picture}, ${factors}, ${order}: ${most} off`);
    }
  },
});
