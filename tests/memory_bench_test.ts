import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { memoryTable } from "../bench/memory.ts";
import { GPU } from "../kernels/preset.ts";
import { lacks } from "./permissions.ts";

Deno.test({
  name: "bench memory times norms and sums in half floats, 8 and 16 bytes at a time",
  ignore: lacks("env"),
  fn: async () => {
    const text = await memoryTable({ batch: 1, size: 4, channels: 8, repeats: 1 }, GPU);
    assertStringIncludes(text, "images   1 of 4x4 pixels, 8 channels\n");
    const [head, ...rows] = text.split("\n").slice(4).map((line) => line.split(/ {2,}/));
    const kinds = ["float32", "half floats, by 8 bytes", "half floats, by 16 bytes"];
    assertEquals(head, ["GB/s", ...kinds.flatMap((kind) => [kind, "of a copy"])]);
    assertEquals(rows.length, 5);
    for (const [name, ...cells] of rows) {
      assertEquals(cells.length, 6, name);
      assert(cells.every((cell) => Number.parseFloat(cell) >= 0), name);
    }
  },
});
