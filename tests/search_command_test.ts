import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { readArguments } from "../cli/arguments.ts";
import { EXIT } from "../cli/exit.ts";
import { initialState } from "../train/job.ts";
import { searchRequest } from "../cli/options.ts";
import { openSearch } from "../cli/run/open_run.ts";
import type { EpochMetrics, Summary } from "../train/types.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");

/** Short runs: 4 steps of 16 images. */
const SIZES = [
  ...["--train-size", "32", "--val-size", "16", "--batch-size", "16"],
  ...["--model", "resnet8", "--stem", "authors"],
];

const SHORT = ["--epochs", "2", ...SIZES];

const BUDGET = ["--search-epochs", "2", "--mask-from", "1", "--budget-macs", "0.8"];

const SEARCH = [...SHORT, ...BUDGET];

async function succeed(...args: string[]): Promise<string> {
  const { code, out, error } = await adjoinCommand(args);
  assertEquals(code, EXIT.ok, error);
  return out;
}

function files(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

function json<T>(path: string): T {
  return JSON.parse(Deno.readTextFileSync(path));
}

function epochs(path: string): EpochMetrics[] {
  return Deno.readTextFileSync(path).trim().split("\n").map((line) => JSON.parse(line));
}

interface Widths {
  readonly found: number;
  readonly widths: Record<string, number>;
}

Deno.test("a search for a budget of latency keeps what its networks were measured to take", {
  ignore,
}, () =>
  withFolder(async (dir) => {
    const run = `${dir}/run`;
    const flags = ["--budget-latency", "0.9", "--divisors", "1,2", "--image-size", "12"];
    const { code, out, error } = await adjoinCommand([
      ...["search", ...SIZES, "--epochs", "1", "--search-epochs", "2", "--mask-from", "3"],
      ...[...flags, "--output", run],
    ], { XDG_CACHE_HOME: dir });
    assertEquals(code, EXIT.ok, error);
    assertMatch(out, /found widths with \d\d\.\d % of the base network's latency, .* measured\n/);
    const { base, small } = json<Summary>(`${run}/summary.json`);
    assert(base?.latency && small?.latency && base.latency > 0 && small.latency > 0);
    const picture = Deno.readTextFileSync(`${run}/pareto.svg`);
    assert(picture.includes("ms for one image, onnxruntime-web"));
  }));

Deno.test(
  "search writes widths that cost the budget, and trains both networks with them",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const run = `${dir}/run`;
      const out = await succeed("search", ...SEARCH, "--output", run);
      assertMatch(out, /epoch 2\/2 {2}validation base .* cost \d\d\.\d of 80\.0 % {2}T .* entropy/);
      assertMatch(
        out,
        /found widths with \d\d\.\d % of .*multiply-accumulates.* budget is 80\.0 %/,
      );
      assertEquals(files(run), [
        ...[
          "base.safetensors",
          "batch.png",
          "checkpoints",
          "config.json",
          "confusion.svg",
          "curves.svg",
          "metrics.jsonl",
          "pareto.svg",
        ],
        ...[
          "report.html",
          "report.json",
          "search.jsonl",
          "small.safetensors",
          "summary.json",
          "widths.json",
          "widths.svg",
        ],
      ]);
      const { found, widths } = json<Widths>(`${run}/widths.json`);
      assert(Math.abs(found - 0.8) <= 0.02, `${found}`);
      const { base, small, seconds } = json<Summary>(`${run}/summary.json`);
      assert(base && small);
      assert(Math.abs(small.macs / base.macs - found) < 1e-12, `${found}`);
      assertEquals(small.verify?.top1Agreement, 1);
      const searched = epochs(`${run}/search.jsonl`);
      assertEquals(searched.map(({ search }) => search?.budget), [0.8, 0.8]);
      const all = [...searched, ...epochs(`${run}/metrics.jsonl`)];
      assert(seconds > all.reduce((sum, epoch) => sum + epoch.seconds, 0), `${seconds}`);
      assertEquals(epochs(`${run}/metrics.jsonl`).map(({ search }) => search), [
        undefined,
        undefined,
      ]);
      const { command, budgetMacs, budgetParams, widthsOnly } = json<Record<string, unknown>>(
        `${run}/config.json`,
      );
      assertEquals([command, budgetMacs, budgetParams, widthsOnly], ["search", 0.8, null, false]);
      const bytes = await Deno.readFile(`${run}/small.safetensors`);
      const cut = parseCheckpoint(bytes, "small.safetensors").network;
      for (const layer of cut.layers) {
        if (layer.kind !== "conv2d") continue;
        assertEquals(layer.out, widths[layer.name] ?? layer.out, layer.name);
      }

      const again = `${dir}/again`;
      const line = ["--widths", `${run}/widths.json`, ...SHORT.slice(0, 8)];
      const told = await succeed("train", ...line, "--output", again);
      assertMatch(told, /model {4}resnet8, stem authors, adjoined, given widths/);
      const trained = json<Summary>(`${again}/summary.json`);
      assertEquals([trained.small?.macs, trained.small?.params], [small.macs, small.params]);
      const config = json<{ maskFrom: number; widths: object }>(`${again}/config.json`);
      assertEquals([config.maskFrom, config.widths], [1, widths]);
    }),
);

Deno.test(
  "search --widths-only stops before the training",
  { ignore },
  () =>
    withFolder(async (dir) => {
      // The run that it replaces had weights.
      await Deno.mkdir(`${dir}/run`);
      await Deno.writeTextFile(`${dir}/run/base.safetensors`, "");
      const config = { model: "resnet8", dataset: "generated", seed: 0 };
      await Deno.writeTextFile(`${dir}/run/config.json`, JSON.stringify(config));
      const output = ["--output", `${dir}/run`, "--overwrite"];
      const out = await succeed("search", ...SIZES, ...BUDGET, "--widths-only", ...output);
      assertEquals(files(`${dir}/run`), [
        "batch.png",
        "checkpoints",
        "config.json",
        "report.html",
        "search.jsonl",
        "widths.json",
        "widths.svg",
      ]);
      assert(
        out.endsWith(
          `config.json, search.jsonl, widths.json, widths.svg, batch.png, report.html, checkpoints in ${dir}/run\n`,
        ),
        out,
      );
      const svg = await Deno.readTextFile(`${dir}/run/widths.svg`);
      assert(svg.includes("layer3.0.downsample.1"), svg);
      const page = await Deno.readTextFile(`${dir}/run/report.html`);
      assertMatch(page, /<title>run, adjoin<[^]*The widths found come to/);
    }),
);

Deno.test(
  "search --init begins with the given weights, at full width in both networks",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await succeed("train", ...SHORT, "--mode", "plain", "--output", `${dir}/base`);
      const line = [...SEARCH, "--init", `${dir}/base`, "--output", `${dir}/run`];
      const { options, find } = searchRequest(readArguments("search", line));
      const state = initialState((await openSearch(options, find)).job);
      const bytes = await Deno.readFile(`${dir}/base/base.safetensors`);
      const given = parseCheckpoint(bytes, "base.safetensors").state;
      assert([...given.values()].some((values) => values.some((value) => value !== 0)));
      for (const [name, values] of given) {
        assertEquals(state.get(name), values, name);
        if (!/layer\d\.0\.(bn|downsample\.2)/.test(name)) continue;
        assertEquals(state.get(`small.${name}`), values, name);
      }
      assert(state.has("small.layer3.0.bn2.running_var"));
      const out = await succeed("search", ...line);
      assertMatch(out, /starts from 57 of the 57 tensors of .*base\.safetensors/);
      assertEquals(epochs(`${dir}/run/search.jsonl`).length, 2);
    }),
);

interface Refusal {
  readonly what: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "a budget that is impossible",
    args: ["search", ...SHORT, "--budget-macs", "0.1"],
    code: EXIT.usage,
    says: /can have 0\.\d{4} to 1\.0000 of the base network's multiply-acc.*found 0\.1; raise/,
  },
  {
    what: "no budget",
    args: ["search"],
    code: EXIT.usage,
    says: /search needs one of --budget-macs, --budget-params or --budget-latency, found none/,
  },
  {
    what: "two budgets",
    args: ["search", "--budget-macs", "0.8", "--budget-params", "0.8"],
    code: EXIT.usage,
    says: /found --budget-macs and --budget-params/,
  },
  {
    what: "divisors that are none",
    args: ["search", "--budget-macs", "0.8", "--divisors", "1,x"],
    code: EXIT.usage,
    says: /--divisors is 2 to 8 different numbers .*found 1,x/,
  },
  {
    what: "stages that are not there",
    args: ["search", ...SHORT, "--budget-macs", "0.8", "--mask-from", "9"],
    code: EXIT.usage,
    says: /no convolution is masked; lower --mask-from$/m,
  },
  {
    what: "widths that are not there",
    args: ["train", "--widths", "/nowhere/widths.json"],
    code: EXIT.data,
    says: /found no file \/nowhere\/widths\.json/,
  },
];

for (const { what, args, code, says } of REFUSALS) {
  Deno.test(
    `${args[0]} refuses ${what} in one sentence, with exit code ${code}`,
    { ignore },
    () =>
      withFolder(async (dir) => {
        const found = await adjoinCommand([...args, "--output", `${dir}/run`]);
        assertEquals(found.code, code, found.error);
        assertMatch(found.error, says);
        assertEquals(found.error.trim().split("\n").length, 1, found.error);
        assertEquals(files(dir), []);
      }),
  );
}

Deno.test(
  "a search that diverges ends with its own exit code and flag",
  { ignore },
  () =>
    withFolder(async (dir) => {
      for (const lr of ["1e5", "1e38"]) {
        const line = ["search", ...SIZES, ...BUDGET, "--search-lr", lr, "--output", `${dir}/${lr}`];
        const { code, error } = await adjoinCommand(line);
        assertEquals(code, EXIT.diverged, error);
        assertMatch(
          error,
          /^adjoin: Cannot go on with the search: wanted logits of widths of at most 10000, found -?\d\S+; lower --search-lr \(found 1\S+\)\n$/,
        );
        assert(!files(`${dir}/${lr}`).includes("widths.json"));
      }
      const line = ["search", ...SIZES, ...BUDGET, "--lr", "1e30", "--output", `${dir}/lr`];
      const { code, error } = await adjoinCommand(line);
      assertEquals(code, EXIT.diverged, error);
      assertMatch(error, /loss is .*; lower --lr \(found 1e\+30\)/);
    }),
);

Deno.test(
  "train refuses broken widths, those of others, and a compression",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const cases: [string, string[], number, RegExp][] = [
        ["{", [], EXIT.data, /Cannot read widths from .*: wanted JSON; search writes such files/],
        ['{"layer2.0.conv1": 0}', [], EXIT.data, /layer2\.0\.conv1 is a whole number .*found 0/],
        [
          '{"layer9.0.conv1": 4}',
          [],
          EXIT.usage,
          /widths name layer9\.0\.conv1, which is no layer/,
        ],
        [
          '{"layer2.0.conv1": 99}',
          [],
          EXIT.usage,
          /layer2\.0\.conv1 is from 1 to 32, or a list of different filters from 0 to 31, found 99/,
        ],
        ['{"layer1.0.conv1": 4}', [], EXIT.usage, /layer1\.0\.conv1, which is not masked/],
        ['{"layer2.0.conv1": 4}', ["--compression", "4"], EXIT.usage, /no effect beside --widths/],
      ];
      const results = await Promise.all(cases.map(async ([text, args], i) => {
        await Deno.writeTextFile(`${dir}/${i}.json`, text);
        const line = ["--widths", `${dir}/${i}.json`, ...args, "--output", `${dir}/run`];
        return await adjoinCommand(["train", ...SHORT, ...line]);
      }));
      results.forEach(({ code, error }, i) => {
        assertEquals(code, cases[i][2], error);
        assertMatch(error, cases[i][3]);
        assertEquals(error.trim().split("\n").length, 1, error);
      });
      assert(!files(dir).includes("run"));
    }),
);
