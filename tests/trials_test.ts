import { assert, assertEquals, assertThrows } from "@std/assert";
import { recipesTable, type Row, withSeed } from "../bench/recipes.ts";
import { severalTable } from "../bench/several.ts";
import { gain } from "../bench/spread.ts";
import { seedsOf, takeFlags, wholeNumber } from "../bench/trials.ts";
import type { ByNetwork } from "../nn/which.ts";
import { UsageError } from "../train/errors.ts";

const lines = (text: string): string[] => text.split("\n").map((line) => line.trimEnd());

Deno.test("a bench takes its own flags, and leaves those of train", () => {
  const flags = takeFlags(
    ["--seeds", "2", "--lr", "0.1", "--row=", "--row=--lr=1", "--seed=3"],
    ["seed", "seeds", "row"],
  );
  assertEquals(flags.rest, ["--lr", "0.1"]);
  assertEquals(flags.given("row"), ["", "--lr=1"]);
  assertEquals(seedsOf(flags), [3, 4]);
  assertThrows(() => takeFlags(["--seeds"], ["seeds"]), UsageError, "--seeds needs a value");
  for (const [text, least] of [["0", 1], ["-1", 0], ["1.5", 0], ["few", 0]] as const) {
    const given = takeFlags([`--seeds=${text}`], ["seeds"]);
    const read = () => wholeNumber(given, "seeds", { least, otherwise: 3 });
    assertThrows(read, UsageError, `--seeds is a whole number, at least ${least}, found ${text}`);
  }
});

Deno.test("a gain is the mean of differences seed by seed, and its standard error", () => {
  assertEquals(gain([0.25, 0.29], [0.2, 0.2]), "+7.0 ± 2.0");
  assertEquals(gain([0.1], [0.2]), "-10.0");
});

Deno.test("a bench of recipes has a column for each network of its rows", () => {
  const seedsOfRows: readonly (readonly [string, readonly Readonly<ByNetwork<number>>[]])[] = [
    ["", [{ base: 0.5, small: 0.2 }, { base: 0.5, small: 0.3 }]],
    ["--small-ce 1", [{ base: 0.4, small: 0.25 }, { base: 0.6, small: 0.35 }]],
    ["--compression 2,4", [{ base: 0.5, "small-2": 0.4, "small-4": 0.3 }]],
  ];
  const rows = new Map(seedsOfRows.map(([flags, seeds]) => {
    const row = seeds.reduce<Row>((row, top1) => withSeed(row, { top1 }), {});
    return [flags, row] as const;
  }));
  const [head, ...found] = lines(recipesTable(rows));
  assert(/^flags +base +small +small-2 +small-4 +small, against the first +seeds$/.test(head));
  assert(/^the defaults +50\.0 ± 0\.0 +25\.0 ± 7\.1 +2$/.test(found[0]), found[0]);
  assert(/^--small-ce 1 +50\.0 ± 14\.1 +30\.0 ± 7\.1 +\+5\.0 ± 0\.0 +2$/.test(found[1]), found[1]);
  assert(/^--compression 2,4 +50\.0 +40\.0 +30\.0 +1$/.test(found[2]), found[2]);
});

Deno.test("a bench of several small networks has each beside the one of its own run", () => {
  const run = (top1: Record<string, number>, stepMs: number) => ({ top1, stepMs, seconds: 1 });
  const seeds = [0, 0.1].map((more) => ({
    together: run({ base: 0.5, "small-2": 0.4 + more, "small-4": 0.3 }, 30 + more),
    alone: new Map(
      [
        ["small-2", run({ base: 0.4, small: 0.3 }, 21 - more)],
        ["small-4", run({ base: 0.6, small: 0.4 }, 20)],
      ] as const,
    ),
  }));
  const found = lines(severalTable(seeds));
  assert(/^base of small-2 +50\.0 ± 0\.0 +40\.0 ± 0\.0 +\+10\.0 ± 0\.0$/.test(found[1]), found[1]);
  assert(/^small-2 +45\.0 ± 7\.1 +30\.0 ± 0\.0 +\+15\.0 ± 5\.0$/.test(found[3]), found[3]);
  assert(/^small-4 +30\.0 ± 0\.0 +40\.0 ± 0\.0 +-10\.0 ± 0\.0$/.test(found[4]), found[4]);
  assertEquals(found.slice(6), [
    "a step of all together 30 ms; of each by itself 21 ms, 20 ms, in all 41 ms",
    "seeds: 2",
  ]);
});

Deno.test("each bench says how it is used where it is asked, and measures nothing", async () => {
  const names = ["card", "recipes", "several", "importance", "cost", "memory"];
  const outputs = names.map((name) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--lock=packages.lock", `bench/${name}.ts`, "--help"],
    }).output()
  );
  for (const [i, { code, stdout }] of (await Promise.all(outputs)).entries()) {
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 0, names[i]);
    assert(text.startsWith(`Usage: deno task bench ${names[i]}`), text);
  }
});
