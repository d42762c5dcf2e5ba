// The operations of RandAugment against Pillow's: tests/python/augmentations.py made the numbers.
import { assert, assertEquals } from "@std/assert";
import { type Operation, OPERATIONS, randAugment } from "../kernels/ops/rand_augment.ts";
import { lacks } from "./permissions.ts";

interface Reference {
  readonly width: number;
  readonly height: number;
  readonly fill: number[];
  readonly pixels: number[];
  readonly cases: { readonly operation: Operation; magnitude: number; pixels: number[] }[];
}

const file = new URL("reference/augmentations.json", import.meta.url);

Deno.test({
  name: "operations of RandAugment are Pillow's",
  ignore: lacks("read"),
  fn: async () => {
    const found: Reference = JSON.parse(await Deno.readTextFile(file));
    const { width, height, fill, pixels, cases } = found;
    const tried = new Set(["Identity", ...cases.map(({ operation }) => operation)]);
    assertEquals(tried, new Set<string>(OPERATIONS));
    for (const { operation, magnitude, pixels: wanted } of cases) {
      const [{ data }] = randAugment.reference([
        { shape: [1, height, width, 3], data: Float64Array.from(pixels) },
        { shape: [1, 2], data: Float64Array.of(OPERATIONS.indexOf(operation), magnitude) },
      ], { fill });
      const off = Array.from(data, (v, i) => Math.abs(v - wanted[i]));
      const most = Math.max(...off);
      const part = off.filter((x) => x > 0).length / off.length;
      // A fraction that is cut off in single precision may be cut off at the next byte.
      assert(
        most <= 1 && part < 0.02,
        `${operation} ${magnitude}: ${most} off, ${part} of all bytes`,
      );
    }
  },
});
