import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { asked, memoryTable } from "../bench/memory.ts";
import { GPU } from "../kernels/preset.ts";
import { UsageError } from "../train/errors.ts";
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

Deno.test("bench memory takes whole numbers and an implementation of WebGPU", () => {
  const usual = { batch: 64, size: 56, channels: 64, repeats: 5 };
  assertEquals(asked([]), { ...usual, webgpu: undefined });
  assertEquals(asked(["--webgpu", "dawn", "--size=8"]), { ...usual, size: 8, webgpu: "dawn" });
  assertThrows(
    () => asked(["--webgpu", "metal"]),
    UsageError,
    "--webgpu is deno or dawn, found metal",
  );
  assertThrows(() => asked(["--profile"]), UsageError, "found --profile");
});

Deno.test(
  "bench memory says to its end why it cannot measure",
  { ignore: lacks("run") },
  async () => {
    const config = fileURLToPath(new URL("../bench/tasks.json", import.meta.url));
    const size = ["--size", "1000", "--batch", "100000", "--channels", "640"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "--config", config, "memory", ...size],
    }).output();
    const text = new TextDecoder().decode(stderr);
    assertEquals(code, 4, text);
    assertMatch(text, /^adjoin: Cannot allocate .* takes 256000000000000 bytes, .* is \d+[^.]*\n$/);
  },
);
