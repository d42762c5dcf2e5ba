import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { readArguments } from "../train/arguments.ts";
import { drawCurves } from "../train/curves.ts";
import { UsageError } from "../train/errors.ts";
import { trainRequest } from "../train/options.ts";
import { chooseFolder, RunFolder } from "../train/run_folder.ts";
import type { EpochMetrics, Summary } from "../train/types.ts";
import { lacks } from "./permissions.ts";

const { options } = trainRequest(readArguments("train", []));

const SUMMARY: Summary = {
  mode: "adjoined",
  model: "resnet8",
  dataset: "generated",
  seed: 0,
  adapter: "test",
  epochs: 2,
  seconds: 1,
};

function metrics(epoch: number, epochs = 2): EpochMetrics {
  return {
    epoch,
    epochs,
    imagesPerSecond: 100,
    loss: 2 / epoch,
    crossEntropy: 1 / epoch,
    kl: 1 / epoch,
    lambda: 1,
    lr: 1e-3,
    training: { base: 0.5, small: 0.25 },
    etaSeconds: 0,
    seconds: 1,
    validation: {
      base: { top1: 1 - 0.5 / epoch, top5: 1, loss: 1 / epoch },
      small: { top1: 1 - 0.75 / epoch, top5: 1, loss: 1.5 / epoch },
    },
  };
}

/** A test with a new folder. */
function test(name: string, fn: (dir: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: lacks("read", "write"),
    fn: async () => {
      const dir = await Deno.makeTempDir();
      try {
        await fn(dir);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  });
}

function namesIn(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await Deno.readTextFile(path));
}

test("a run leaves its options, its epochs, its files and its summary", async (dir) => {
  const folder = new RunFolder(`${dir}/runs/a`, { overwrite: false });
  assertEquals([folder.started, namesIn(dir)], [false, []]);
  folder.start(options);
  assertEquals([folder.started, namesIn(folder.path)], [true, ["config.json"]]);
  assertEquals(await readJson(`${folder.path}/config.json`), JSON.parse(JSON.stringify(options)));
  for (const epoch of [1, 2]) {
    folder.append(metrics(epoch));
    const lines = (await Deno.readTextFile(`${folder.path}/metrics.jsonl`)).trimEnd().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line)), [...folder.metrics]);
    assertEquals(lines.length, epoch);
  }
  const bytes = new Uint8Array([1, 2, 3]);
  await folder.finish(
    new Map<string, Uint8Array | string>([["small.safetensors", bytes], ["curves.svg", "<svg/>"]]),
    SUMMARY,
  );
  const names = ["config.json", "curves.svg", "metrics.jsonl", "small.safetensors", "summary.json"];
  assertEquals(namesIn(folder.path), names);
  assertEquals(await Deno.readFile(`${folder.path}/small.safetensors`), bytes);
  assertEquals(await readJson(`${folder.path}/summary.json`), SUMMARY);
  const sizes = await folder.sizes();
  assertEquals([sizes.get("small.safetensors"), sizes.get("curves.svg")], [3, 6]);
});

test("a folder that is taken gives way to the next number", async (dir) => {
  const free = { named: false, overwrite: false };
  assertEquals(await chooseFolder(`${dir}/a`, free), `${dir}/a`);
  // An empty folder is free, a file is not.
  await Deno.mkdir(`${dir}/a`);
  assertEquals(await chooseFolder(`${dir}/a`, free), `${dir}/a`);
  await Deno.writeTextFile(`${dir}/a/x`, "");
  await Deno.writeTextFile(`${dir}/a-2`, "");
  assertEquals(await chooseFolder(`${dir}/a`, free), `${dir}/a-3`);
});

test("a named folder that is not empty is refused, unless it may be overwritten", async (dir) => {
  await Deno.writeTextFile(`${dir}/x`, "");
  const named = { named: true, overwrite: false };
  const { message } = await assertRejects(() => chooseFolder(dir, named), UsageError);
  assertEquals(
    message,
    `Cannot use ${dir} as the run folder: it is not empty; choose another --output or pass --overwrite`,
  );
  assertEquals(await chooseFolder(`${dir}/new`, named), `${dir}/new`);
  assertEquals(await chooseFolder(dir, { named: true, overwrite: true }), dir);
});

test("overwriting replaces the run and leaves other files alone", async (dir) => {
  const first = new RunFolder(dir, { overwrite: false });
  first.start(options);
  first.append(metrics(1));
  await first.finish(new Map([["base.safetensors", "old"]]), SUMMARY);
  await Deno.writeTextFile(`${dir}/notes.txt`, "mine");
  const second = new RunFolder(dir, { overwrite: true });
  second.start({ ...options, seed: 7 });
  assertEquals(namesIn(dir), ["config.json", "notes.txt"]);
  assertStringIncludes(await Deno.readTextFile(`${dir}/config.json`), '"seed": 7');
});

test("nothing is overwritten unless asked", async (dir) => {
  new RunFolder(dir, { overwrite: false }).start(options);
  const before = await Deno.readTextFile(`${dir}/config.json`);
  const again = new RunFolder(dir, { overwrite: false });
  assertThrows(() => again.start({ ...options, seed: 7 }), UsageError, "Cannot use");
  assertEquals(await Deno.readTextFile(`${dir}/config.json`), before);
  assertEquals(again.started, false);
});

test("a file that cannot be written whole leaves nothing behind", async (dir) => {
  const folder = new RunFolder(dir, { overwrite: false });
  folder.start(options);
  await Deno.mkdir(`${dir}/base.safetensors`);
  await assertRejects(() => folder.finish(new Map([["base.safetensors", "x"]]), SUMMARY));
  assertEquals(namesIn(dir), ["base.safetensors", "config.json"]);
});

test("a folder that cannot be made is told in one sentence", async (dir) => {
  await Deno.writeTextFile(`${dir}/file`, "");
  const folder = new RunFolder(`${dir}/file/run`, { overwrite: false });
  const { message } = assertThrows(() => folder.start(options), UsageError);
  assertStringIncludes(message, `Cannot use ${dir}/file/run as the run folder: `);
  assertStringIncludes(message, "; choose another --output");
});

Deno.test("the curves are an SVG of their own, with a line for each network", async () => {
  for (const epochs of [1, 3, 100]) {
    const all = Array.from({ length: epochs }, (_, i) => metrics(i + 1, epochs));
    const svg = await drawCurves(all, "a < b & c");
    assert(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
    assertStringIncludes(svg, "a &lt; b &amp; c");
    assertStringIncludes(svg, `base ${(100 - 50 / epochs).toFixed(1)} %`);
    assertStringIncludes(svg, `small ${(100 - 75 / epochs).toFixed(1)} %`);
    assertStringIncludes(svg, `training loss ${(2 / epochs).toFixed(3)}`);
    // Two lines of accuracy and three of loss.
    const lines = svg.match(/aria-label="line"[^]*?<\/g>/g) ?? [];
    const paths = lines.map((group) => group.match(/<path /g)?.length);
    assertEquals(paths, [2, 3]);
    assert(!svg.includes("NaN"));
  }
});

Deno.test("the curves of one network alone, or of a run that diverged, can be drawn", async () => {
  const { validation: { base }, ...rest } = metrics(1);
  const svg = await drawCurves([{ ...rest, loss: NaN, validation: { base } }], "alone");
  assert(!svg.includes("NaN"));
  assert(!svg.includes(">small"));
  assertStringIncludes(svg, "base 50.0 %");
});
