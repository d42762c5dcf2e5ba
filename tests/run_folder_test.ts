import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { EXIT } from "../cli/exit.ts";
import { UsageError } from "../train/errors.ts";
import { trainRequest } from "../cli/options.ts";
import { RunFolder } from "../cli/run/run_folder.ts";
import type { EpochMetrics } from "../train/types.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { madeState } from "./made_state.ts";
import { lacks } from "./permissions.ts";
import { runSummary } from "./run_metrics.ts";

const { options } = trainRequest(readArguments("train", []));

const fresh = { named: true, overwrite: false };
const again = { named: true, overwrite: true };

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
    waiting: 0,
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
  using folder = new RunFolder(`${dir}/runs/a`, fresh);
  assertEquals([folder.started, namesIn(dir)], [false, []]);
  folder.start(options);
  assertEquals([folder.started, namesIn(folder.path)], [true, ["config.json"]]);
  const config = { ...options, dataDir: null, output: folder.path };
  assertEquals(await readJson(`${folder.path}/config.json`), JSON.parse(JSON.stringify(config)));
  for (const epoch of [1, 2]) {
    folder.append(metrics(epoch));
    const lines = (await Deno.readTextFile(`${folder.path}/metrics.jsonl`)).trimEnd().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line)), [...folder.metrics]);
    assertEquals(lines.length, epoch);
  }
  const bytes = new Uint8Array([1, 2, 3]);
  await folder.finish(
    new Map<string, Uint8Array | string>([["small.safetensors", bytes], ["curves.svg", "<svg/>"]]),
    runSummary,
  );
  const names = ["config.json", "curves.svg", "metrics.jsonl", "small.safetensors", "summary.json"];
  assertEquals(namesIn(folder.path), names);
  assertEquals(await Deno.readFile(`${folder.path}/small.safetensors`), bytes);
  assertEquals(await readJson(`${folder.path}/summary.json`), runSummary);
  const sizes = await folder.sizes();
  assertEquals([sizes.get("small.safetensors"), sizes.get("curves.svg")], [3, 6]);
});

test("what a run keeps so far is told by name", async (dir) => {
  using folder = new RunFolder(`${dir}/run`, fresh);
  assertEquals(folder.kept(), "nothing was written");
  folder.start(options);
  assertEquals(folder.kept(), `${dir}/run keeps config.json, but no weights`);
  const search = { expected: 0.6, budget: 0.5, entropy: 1, gamma: 1, temperature: 5 };
  for (const epoch of [1, 2]) folder.append({ ...metrics(epoch), search });
  await folder.put("widths.json", "{}");
  folder.append(metrics(1));
  const kept = `${dir}/run keeps config.json, search.jsonl with 2 epochs, widths.json`;
  assertEquals(folder.kept(), `${kept} and metrics.jsonl with 1 epoch, but no weights`);
  await folder.put("base.safetensors", "");
  assertEquals(folder.kept(), `${kept}, metrics.jsonl with 1 epoch and base.safetensors`);
  await folder.keeper.save(madeState({ epoch: 3, step: 17 }));
  await folder.settle();
  assertEquals(
    folder.kept(),
    `${kept}, metrics.jsonl with 1 epoch, base.safetensors and a checkpoint of epoch 4, step 17`,
  );
});

test("overwriting replaces the run at its end, and leaves other files alone", async (dir) => {
  using first = new RunFolder(dir, fresh);
  first.start(options);
  first.append(metrics(1));
  await first.finish(
    new Map([["base.safetensors", "old"], ["small.safetensors", "old"]]),
    runSummary,
  );
  await Deno.writeTextFile(`${dir}/small.onnx`, "old");
  await Deno.writeTextFile(`${dir}/notes.txt`, "mine");
  const before = namesIn(dir);
  using second = new RunFolder(dir, again);
  second.start({ ...options, seed: 7 });
  second.append(metrics(1, 3));
  assertEquals(
    second.kept(),
    `${dir}/unfinished keeps config.json and metrics.jsonl with 1 epoch, but no weights; the run ` +
      `before is still in ${dir}`,
  );
  assertEquals(namesIn(dir), [...before, "unfinished"].sort());
  assertEquals(await Deno.readTextFile(`${dir}/small.safetensors`), "old");
  assertStringIncludes(await Deno.readTextFile(`${dir}/config.json`), '"seed": 0');
  // One that ended early is replaced like any other.
  second[Symbol.dispose]();
  using third = new RunFolder(dir, again);
  third.start({ ...options, seed: 8 });
  assertEquals(namesIn(`${dir}/unfinished`), ["config.json"]);
  third.append(metrics(1, 4));
  await third.finish(new Map([["base.safetensors", "new"]]), runSummary);
  const after = ["base.safetensors", "config.json", "metrics.jsonl", "notes.txt", "summary.json"];
  assertEquals(namesIn(dir), after);
  assertEquals(await Deno.readTextFile(`${dir}/base.safetensors`), "new");
  assertStringIncludes(await Deno.readTextFile(`${dir}/config.json`), '"seed": 8');
  assertStringIncludes(await Deno.readTextFile(`${dir}/metrics.jsonl`), '"epochs":4');
});

test("a folder that a run still writes to is not overwritten", async (dir) => {
  const busy = `Cannot use ${dir} as the run folder: another run is writing to it; wait for its ` +
    `end, or choose another --output`;
  const start = (seed: number) => {
    using folder = new RunFolder(dir, again);
    folder.start({ ...options, seed });
  };
  {
    using first = new RunFolder(dir, fresh);
    first.start(options);
    assertThrows(() => start(7), UsageError, busy);
    await first.finish(new Map([["base.safetensors", "first"]]), runSummary);
  }
  {
    using second = new RunFolder(dir, again);
    second.start({ ...options, seed: 8 });
    assertThrows(() => start(9), UsageError, busy);
    assertStringIncludes(await Deno.readTextFile(`${dir}/unfinished/config.json`), '"seed": 8');
  }
  start(10);
  assertStringIncludes(await Deno.readTextFile(`${dir}/unfinished/config.json`), '"seed": 10');
});

test("config.json names the images wherever it is read from", async (dir) => {
  using folder = new RunFolder(dir, again);
  folder.start({ ...options, dataset: "cifar10", dataDir: "images" });
  const { dataDir } = JSON.parse(await Deno.readTextFile(`${dir}/config.json`));
  assertEquals(dataDir, `${Deno.cwd()}/images`);
});

test("a folder without a run is overwritten in place", async (dir) => {
  await Deno.writeTextFile(`${dir}/notes.txt`, "mine");
  using folder = new RunFolder(dir, again);
  folder.start(options);
  assertEquals(namesIn(dir), ["config.json", "notes.txt"]);
});

test("nothing is overwritten unless asked", async (dir) => {
  using first = new RunFolder(dir, fresh);
  first.start(options);
  first[Symbol.dispose]();
  const before = await Deno.readTextFile(`${dir}/config.json`);
  using second = new RunFolder(dir, fresh);
  assertThrows(() => second.start({ ...options, seed: 7 }), UsageError, "Cannot write");
  assertEquals(await Deno.readTextFile(`${dir}/config.json`), before);
  assertEquals(second.started, false);
});

/** The folder that an error says the run is in. */
function rescuedIn(message: string): string {
  const [, folder] = message.match(/; all there is of the run is in (\S+)$/) ?? [];
  assert(folder, message);
  return folder;
}

const RESULTS = new Map([["base.safetensors", "weights"]]);

test("results that cannot be written are kept in another folder", async (dir) => {
  using folder = new RunFolder(dir, fresh);
  folder.start(options);
  folder.append(metrics(1));
  await Deno.mkdir(`${dir}/base.safetensors`);
  const { message } = await assertRejects(() => folder.finish(RESULTS, runSummary), UsageError);
  assertStringIncludes(
    message,
    `Cannot write ${dir}/base.safetensors: a folder is in its place; move that folder away or choose another --output; all`,
  );
  assertEquals(namesIn(dir), ["base.safetensors", "config.json", "metrics.jsonl"]);
  const rescued = rescuedIn(message);
  const names = ["base.safetensors", "config.json", "metrics.jsonl", "summary.json"];
  assertEquals(namesIn(rescued), names);
  assertEquals(await Deno.readTextFile(`${rescued}/base.safetensors`), "weights");
  await Deno.remove(rescued, { recursive: true });
});

test("where the end cannot be written, the run that was to be replaced stays", async (dir) => {
  using first = new RunFolder(dir, fresh);
  first.start(options);
  await first.finish(new Map([["base.safetensors", "old"]]), runSummary);
  const notes: string[] = [];
  using second = new RunFolder(dir, again, { note: (text) => notes.push(text) });
  second.start(options);
  const file = `${dir}/unfinished/metrics.jsonl`;
  for (const path of [file, `${dir}/unfinished/base.safetensors`]) await Deno.mkdir(path);
  for (const epoch of [1, 2]) second.append(metrics(epoch));
  assertEquals(notes, [
    `Cannot write ${file}: a folder is in its place; move that folder away or choose another --output`,
  ]);
  const { message } = await assertRejects(() => second.finish(RESULTS, runSummary), UsageError);
  assertEquals(await Deno.readTextFile(`${dir}/base.safetensors`), "old");
  assert(namesIn(dir).includes("summary.json"));
  const rescued = rescuedIn(message);
  assertStringIncludes(await Deno.readTextFile(`${rescued}/metrics.jsonl`), '"epoch":1');
  await Deno.remove(rescued, { recursive: true });
});

function epochsIn(dir: string): number[] {
  const lines = Deno.readTextFileSync(`${dir}/metrics.jsonl`).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line).epoch);
}

test("lines that could not be appended are told of once, and come with the next", async (dir) => {
  const notes: string[] = [];
  using folder = new RunFolder(dir, fresh, { note: (text) => notes.push(text) });
  folder.start(options);
  const fail = async () => {
    await Deno.mkdir(`${dir}/metrics.jsonl`);
    for (const epoch of [1, 2]) folder.append(metrics(epoch));
    await Deno.remove(`${dir}/metrics.jsonl`);
  };
  await fail();
  assertEquals(notes.length, 1);
  folder.append(metrics(3));
  assertEquals(epochsIn(dir), [1, 2, 3]);
  folder.append(metrics(4));
  assertEquals(epochsIn(dir), [1, 2, 3, 4]);
  // It had worked in between.
  await Deno.remove(`${dir}/metrics.jsonl`);
  await fail();
  assertEquals(notes.length, 2);
  await folder.finish(RESULTS, runSummary);
  assertEquals(epochsIn(dir), [1, 2, 3, 4, 1, 2]);
});

Deno.test({
  name: "train tells of a full disk in one sentence, and keeps the run elsewhere",
  ignore: lacks("read", "write", "run", "env") || Deno.build.os !== "linux",
  fn: () =>
    withFolder(async (dir) => {
      const args = ["--epochs", "1", "--train-size", "16", "--val-size", "8", "--batch-size", "16"];
      const train = ["train", ...args, "--output", dir, "--overwrite", "--quiet"];
      const { code, error } = await adjoinCommand(train, { FULL: dir }, [
        "--allow-all",
        "--preload=tests/full_disk.ts",
      ]);
      assertEquals(code, EXIT.usage, error);
      const file = `${dir}/base.safetensors`;
      const begin = `adjoin: Cannot write ${file}: no space is left; make room or choose another `;
      assertEquals(error.slice(0, begin.length), begin);
      const rescued = rescuedIn(error.trimEnd());
      const { network } = parseCheckpoint(
        await Deno.readFile(`${rescued}/small.safetensors`),
        "it",
      );
      assertEquals(network.layers.at(-1)?.kind, "linear");
      assert(namesIn(rescued).includes("summary.json"));
      await Deno.remove(rescued, { recursive: true });
    }),
});

test("a folder that cannot be made is told in one sentence", async (dir) => {
  await Deno.writeTextFile(`${dir}/file`, "");
  using folder = new RunFolder(`${dir}/file/run`, fresh);
  const { message } = assertThrows(() => folder.start(options), UsageError);
  assertEquals(
    message,
    `Cannot use ${dir}/file/run as the run folder: a file is in the place of a folder; choose ` +
      `another --output`,
  );
});

test("of two runs with one default name, each has a folder of its own", async (dir) => {
  const runs = [1, 2].map(() => new RunFolder(`${dir}/runs/a`, { named: false, overwrite: false }));
  for (const run of runs) run.start(options);
  assertEquals(runs.map(({ path }) => path), [`${dir}/runs/a`, `${dir}/runs/a-2`]);
  const config = await Deno.readTextFile(`${dir}/runs/a-2/config.json`);
  assertEquals(JSON.parse(config).output, `${dir}/runs/a-2`);
});
