import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Comparison } from "../train/compare/comparison.ts";
import { METHOD_NAMES, rowsOf } from "../train/compare/methods.ts";
import { drawComparison } from "../cli/report/compare_picture.ts";
import { removeRuns, saveComparison } from "../cli/run/compare_files.ts";
import { comparisonTable, summaries } from "../cli/report/compare_table.ts";
import { EXIT } from "../cli/exit.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { networkSpecs } from "../nn/state.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");

const SOME: Comparison = {
  model: "resnet8",
  dataset: "generated",
  epochs: 3,
  methods: METHOD_NAMES,
  pruneBy: "l2",
  base: { macs: 1e7, params: 4000 },
  search: {
    budgeted: "macs",
    budget: 0.5,
    divisors: [1, 2],
    epochs: 2,
    lr: 0.05,
    temperature: [5, 0.5],
  },
  adapter: "Test GPU",
  runtime: "a runtime",
  test: false,
  seconds: 12,
  outcomes: [0.8, 0.9, 0.7].flatMap((top1, seed) => [
    {
      ...{ method: "alone", which: "small", seed, top1, params: 1000 + seed } as const,
      ...{ macs: 5e6, latency: 2, file: `alone-${seed}/small.safetensors` },
    },
    {
      ...{ method: "base", which: "base", seed, top1: 0.95, params: 4000 } as const,
      ...{ macs: 1e7, latency: 4, file: `base-${seed}/base.safetensors` },
    },
  ]),
};

Deno.test("a comparison has the mean and the deviation of the sample of each method", () => {
  const [base, small] = summaries(SOME);
  assertEquals([base.text, small.text], ["base alone", "small alone"]);
  assertEquals([base.mean, base.deviation].map((x) => x?.toFixed(12)), [
    "0.950000000000",
    "0.000000000000",
  ]);
  assertEquals([small.mean, small.deviation].map((x) => x?.toFixed(12)), [
    "0.800000000000",
    "0.100000000000",
  ]);
  assertEquals([small.params, small.seeds], [1001, 3]);
  const table = comparisonTable(SOME);
  assertMatch(table, /small alone +80\.0 % ± 10\.0 +1,001 +5\.000 M +2\.00 ms/);
  assertStringIncludes(
    table,
    "\nthe small networks have 50.0 % of the base network's multiply-accumulates; filters are " +
      "pruned by l2\n",
  );
  assertStringIncludes(table, "3 seeds, budget 50.0 % of the multiply-accumulates, on Test GPU");
});

Deno.test("a single seed has no deviation, neither in the table nor in the file", () => {
  const outcomes = SOME.outcomes.filter(({ seed }) => seed === 0);
  const found = summaries({ ...SOME, outcomes });
  assertEquals(found.map((summary) => "deviation" in summary), [false, false]);
  const table = comparisonTable({ ...SOME, outcomes, test: true });
  assert(!table.includes("±"), table);
  assertMatch(table, /small alone +80\.0 % +1,000/);
  assertStringIncludes(table, "top-1 on the test images; latency of one image in a runtime");
});

Deno.test(
  "networks of an earlier comparison give way, and nothing else",
  { ignore },
  () =>
    withFolder(async (dir) => {
      for (const name of ["adjoined-0", "adjoined-7", "adjoined-7b", "my-own-1"]) {
        await Deno.mkdir(`${dir}/${name}`);
        await Deno.writeTextFile(`${dir}/${name}/small.safetensors`, "");
      }
      await Deno.writeTextFile(`${dir}/adjoined-7/notes.txt`, "");
      await removeRuns(dir);
      const left = [...Deno.readDirSync(dir)].map(({ name }) => name).toSorted();
      assertEquals(left, ["adjoined-7", "adjoined-7b", "my-own-1"]);
      assertEquals([...Deno.readDirSync(`${dir}/adjoined-7`)].map(({ name }) => name), [
        "notes.txt",
      ]);
    }),
);

Deno.test("the picture of a comparison names every method", { ignore }, async () => {
  const svg = await drawComparison(SOME);
  for (const text of ["1  base alone", "2  small alone", "resnet8 on generated"]) {
    assertStringIncludes(svg, text);
  }
});

Deno.test(
  "a comparison names the files that it saved, with a picture or without",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const notes: string[] = [];
      const note = (text: string): void => void notes.push(text);
      assertEquals(await saveComparison(dir, SOME, { note }), [
        "compare.json",
        "compare.svg",
        "pareto.svg",
      ]);
      assertStringIncludes(await Deno.readTextFile(`${dir}/compare.svg`), "<svg");
      const draw = () => Promise.reject(new Error("no library"));
      const one = { ...SOME, outcomes: SOME.outcomes.slice(0, 1) };
      assertEquals(await saveComparison(dir, one, { note, draw }), ["compare.json"]);
      assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["compare.json"]);
      assertEquals(notes, ["Cannot draw compare.svg: no library"]);
    }),
);

Deno.test(
  "compare makes its folder before it trains anything",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const args = [
        ...["compare", "--budget-macs", "0.8", "--mask-from", "1", "--seeds", "1", "--epochs", "2"],
        ...["--search-epochs", "2", "--train-size", "32", "--val-size", "16", "--batch-size", "16"],
      ];
      // Nothing but the link's target can be made, and its folder is not there.
      await Deno.symlink(`${dir}/nowhere/run`, `${dir}/link`);
      const { code, out, error } = await adjoinCommand([...args, "--output", `${dir}/link`]);
      assertEquals([code, out], [EXIT.usage, ""], error);
      assertStringIncludes(error, `Cannot use ${dir}/link as the run folder: `);
      assertEquals(error.trim().split("\n").length, 1);
    }),
);

Deno.test(
  "compare trains all methods at one budget and saves table and picture",
  { ignore },
  async () => {
    const dir = await Deno.makeTempDir();
    try {
      const { code, out, error } = await adjoinCommand([
        ...["compare", "--budget-macs", "0.8", "--mask-from", "1", "--seeds", "1"],
        ...["--epochs", "2", "--search-epochs", "2", "--train-size", "32", "--val-size", "16"],
        ...["--batch-size", "16", "--output", `${dir}/run`],
      ]);
      assertEquals(code, EXIT.ok, error);
      const { outcomes } = JSON.parse(await Deno.readTextFile(`${dir}/run/compare.json`));
      assertEquals(outcomes.length, rowsOf().length);
      for (const { text } of rowsOf()) assertStringIncludes(out, `\n${text} `);
      const whole = outcomes[0].macs;
      for (const { method, which, macs, latency } of outcomes) {
        assert(latency > 0);
        const wanted = which === "base" ? 1 : 0.8;
        assert(Math.abs(macs / whole - wanted) < 0.02, `${method} ${macs / whole}`);
      }
      assertStringIncludes(await Deno.readTextFile(`${dir}/run/compare.svg`), "<svg");
      const page = await Deno.readTextFile(`${dir}/run/report.html`);
      assertStringIncludes(page, 'class="state finished"');
      const [own] = page.match(/[\w-]+\/report\.html/) ?? [];
      assertStringIncludes(await Deno.readTextFile(`${dir}/run/${own}`), "How it was made");
      assertMatch(
        out,
        /^adapter .*\nmodel {4}resnet8, stem authors\ndata .* 32x32 pixels, 3 channels, 10 classes\n/,
      );
      assertStringIncludes(
        out,
        "\ncompare  7 methods at 80.0 % of the multiply-accumulates, seed 0: 7 runs\n",
      );
      assertMatch(out, /searched-0 in .*, 7 runs after \d/);
      assert(!out.includes("±"), out);
      // The networks are kept, each where compare.json says, and can be exported.
      for (const { which, file, top1, params } of outcomes) {
        const checkpoint = parseCheckpoint(await Deno.readFile(`${dir}/run/${file}`), file);
        const count = [...networkSpecs(checkpoint.network).parameters]
          .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
        assertEquals([checkpoint.which, checkpoint.top1, count], [which, top1, params], file);
      }
      const written = await adjoinCommand(["export", `${dir}/run/searched-0`]);
      assertEquals(written.code, EXIT.ok, written.error);
      assertStringIncludes(written.out, "searched-0/small.onnx: ");
      const { widths } = JSON.parse(
        await Deno.readTextFile(`${dir}/run/searched-0/widths.json`),
      );
      assert(Object.keys(widths).length > 0);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
);

Deno.test(
  "a comparison without a budget, or an impossible one, is refused",
  { ignore },
  async () => {
    const cases: [string[], RegExp][] = [
      [[], /compare needs one of --budget-macs or --budget-params, found none/],
      [["--budget-macs", "0.1"], /the small network can have 0\.\d+ to 1\.0000 of the base/],
      [["--budget-macs", "0.8", "--seeds", "0"], /--seeds is a whole number at least 1, found 0/],
    ];
    for (const [flags, message] of cases) {
      const { code, error } = await adjoinCommand(["compare", ...flags, "--train-size", "64"]);
      assertEquals(code, EXIT.usage, error);
      assertMatch(error, message);
    }
  },
);
