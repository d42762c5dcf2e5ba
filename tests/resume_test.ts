// Which run --resume goes on with, with which options, and what its folder is afterwards.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { searchRequest, trainRequest } from "../cli/options.ts";
import { nothingLeft, readRequest } from "../cli/resuming.ts";
import { findRun, newestRun } from "../cli/run/found_run.ts";
import { goOnCommand } from "../cli/run/go_on.ts";
import { RunFolder } from "../cli/run/run_folder.ts";
import { sameImages } from "../train/resume/same_images.ts";
import { DataError } from "../data/error.ts";
import { UsageError } from "../train/errors.ts";
import type { TrainingState } from "../train/resume/training_state.ts";
import { withFolder } from "./folder.ts";
import { generatedSplit } from "../data/generated.ts";
import { madeMetrics, madeState } from "./made_state.ts";
import { lacks } from "./permissions.ts";
import { runSummary } from "./run_metrics.ts";

const ignore = lacks("read", "write");

function test(name: string, fn: (dir: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder(fn));
}

/** Leaves a run in a folder that has trained nothing, with the checkpoints of some states. */
async function leaveRun(
  path: string,
  states: readonly TrainingState[],
  { overwrite = false, ends = false, keep = 0 } = {},
): Promise<void> {
  using folder = new RunFolder(path, { named: true, overwrite }, { keep });
  folder.start(states[0].run.config ?? {});
  for (const state of states) {
    await folder.keeper.save(state);
    await folder.keeper.settled();
  }
  const epochs = states.at(-1)?.position.epoch ?? 0;
  if (ends) await folder.finish(new Map(), { ...runSummary, epochs });
}

function resumed(args: readonly string[]) {
  return readRequest("train", args, trainRequest);
}

const PLAIN = ["--mode", "plain", "--sched", "constant"];

/** A state of a run of five epochs. */
function at(epoch: number, step = 0, args: readonly string[] = []): TrainingState {
  return madeState({ epoch, step, args: ["--epochs", "5", "--lr", "0.01", ...args] });
}

test("a run goes on with its own options, in its own folder", async (dir) => {
  await leaveRun(dir, [at(2, 7)]);
  const { options, from, notes } = await resumed(["--resume", `${dir}/`, "--no-quiet"]);
  assertEquals([options.epochs, options.lr, options.output], [5, 0.01, dir]);
  assertEquals([from?.path, from?.work, from?.state.position], [dir, dir, { epoch: 2, step: 7 }]);
  assertEquals(notes, []);
});

test("a flag that would change the course of a run is refused by name", async (dir) => {
  await leaveRun(dir, [at(2)]);
  const refused = (...args: string[]) =>
    assertRejects(() => resumed(["--resume", dir, ...args]), UsageError);
  const { message } = await refused("--lr", "0.5", "--opt", "sgd", "--nesterov");
  assertEquals(
    message,
    `Cannot go on with ${dir}: --lr is 0.01 there, found 0.5; --opt is adamw there, found sgd; ` +
      `--nesterov is false there, found true; leave out --lr, --opt and --nesterov, or train anew ` +
      `with another --output`,
  );
  const output = await refused("--output", `${dir}/other`);
  assert(output.message.includes("--output"), output.message);
  const overwrite = await refused("--overwrite");
  assert(overwrite.message.includes("--overwrite has no effect beside --resume"));
  // Those that it has, and those that do not change it, may be there.
  const { options } = await resumed([
    ...["--resume", dir, "--lr", "1e-2", "--epochs", "5", "--output", dir],
    ...["--keep", "3", "--checkpoint-steps", "9", "--patience", "2", "--quiet"],
  ]);
  assertEquals([options.keep, options.checkpointSteps, options.patience], [3, 9, 2]);
});

test("epochs grow where no step depends on them alone", async (dir) => {
  await leaveRun(`${dir}/adjoined`, [at(2, 0, ["--sched", "constant"])]);
  await leaveRun(`${dir}/cosine`, [at(2, 0, ["--mode", "plain", "--sched", "cosine"])]);
  for (const [name, why] of [["adjoined", "the KL term"], ["cosine", "schedule cosine"]]) {
    await assertRejects(
      () => resumed(["--resume", `${dir}/${name}`, "--epochs", "9"]),
      UsageError,
      why,
    );
  }
  await leaveRun(`${dir}/plain`, [at(5, 0, PLAIN)], { ends: true });
  const done = await nothingLeft(await resumed(["--resume", `${dir}/plain`]));
  assertEquals(done, `${dir}/plain has nothing left to do: it has trained all 5 epochs`);
  const request = await resumed(["--resume", `${dir}/plain`, "--epochs", "9"]);
  assertEquals(await nothingLeft(request), undefined);
  assertEquals([request.options.epochs, request.config.epochs], [9, 9]);
  assertEquals(request.from?.history.map(({ epochs }) => epochs), [9, 9, 9, 9, 9]);
  assertEquals(request.notes?.length, 1);
  await assertRejects(
    () => resumed(["--resume", `${dir}/plain`, "--epochs", "4"]),
    UsageError,
    "begun",
  );
});

test("what --resume names and is no run is told in a sentence", async (dir) => {
  await leaveRun(`${dir}/run`, [at(1), at(2)], { keep: 2 });
  const refused = (path: string) =>
    assertRejects(() => findRun(path), DataError).then(({ message }) => message);
  assert((await refused(`${dir}/none`)).endsWith("found neither folder nor file there"));
  assert((await refused(dir)).endsWith("found a folder without a run"));
  await Deno.mkdir(`${dir}/early`);
  await Deno.copyFile(`${dir}/run/config.json`, `${dir}/early/config.json`);
  assert((await refused(`${dir}/early`)).includes("found a run without"));
  await Deno.writeTextFile(`${dir}/early/compare.json`, "{}");
  assert((await refused(`${dir}/early`)).endsWith("found that of a comparison"));
  await Deno.copyFile(`${dir}/run/checkpoints/last.safetensors`, `${dir}/loose.safetensors`);
  assert((await refused(`${dir}/loose.safetensors`)).includes("found one elsewhere"));
  assert((await refused(`${dir}/run/config.json`)).includes("config.json"));
  const search = readRequest("search", ["--resume", `${dir}/run`], searchRequest);
  const { message } = await assertRejects(() => search, UsageError);
  assert(message.endsWith(`go on with deno task train --resume ${dir}/run`), message);
});

test("a run goes on from the checkpoint that is named", async (dir) => {
  await leaveRun(dir, [at(1), at(5)], { keep: 2, ends: true });
  const args = ["--resume", `${dir}/checkpoints/epoch-0001.safetensors`];
  const request = await resumed(args);
  assertEquals([request.from?.path, request.from?.state.position.epoch], [dir, 1]);
  assertEquals(request.from?.last?.position.epoch, 5);
  assertEquals(await nothingLeft(request), undefined);
  const { state } = await findRun(`${dir}/checkpoints`);
  assertEquals(state.position.epoch, 5);
});

test("the run that is to replace another goes on before that one", async (dir) => {
  await leaveRun(dir, [at(5)], { ends: true });
  await leaveRun(dir, [at(3)], { overwrite: true });
  for (const path of [dir, `${dir}/unfinished`]) {
    const { path: found, work, state } = await findRun(path);
    assertEquals([found, work, state.position.epoch], [dir, `${dir}/unfinished`, 3]);
  }
  const { from, config } = await resumed(["--resume", dir]);
  assert(from);
  using folder = new RunFolder(dir, { named: true, overwrite: false });
  folder.resume(from, config);
  assertEquals(folder.metrics.length, 3);
  await folder.keeper.save(at(5));
  await folder.finish(new Map(), { ...runSummary, epochs: 5 });
  assertEquals([...Deno.readDirSync(dir)].some(({ name }) => name === "unfinished"), false);
  assertEquals((await findRun(dir)).state.position.epoch, 5);
});

test("auto takes the newest run of a name that has a checkpoint, or begins anew", async (dir) => {
  const output = `${dir}/resnet8-adjoined-generated-0`;
  const auto = (...args: string[]) => resumed(["--resume", "auto", "--lr", "0.01", ...args]);
  const anew = await auto("--output", output);
  assertEquals(anew.from, undefined);
  assertEquals(anew.notes, [`there is no run ${output} with a checkpoint: one begins anew`]);
  await leaveRun(output, [at(1)]);
  assertEquals((await auto("--output", output)).from?.path, output);
  const usual = `${dir}/runs/resnet8`;
  await leaveRun(usual, [at(1)]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await leaveRun(`${usual}-3`, [at(2)]);
  await leaveRun(`${usual}-old`, [at(3)]);
  assertEquals(newestRun({ output: usual, named: false }), `${usual}-3`);
  assertEquals(newestRun({ output: usual, named: true }), usual);
});

test("a run that goes on writes its epochs anew, and is held against others", async (dir) => {
  await leaveRun(dir, [at(2)]);
  await Deno.writeTextFile(`${dir}/metrics.jsonl`, '{"epoch":1}\n{"epoch":2}\n{"epoch":3}\n{"ep');
  await Deno.writeTextFile(`${dir}/checkpoints/adjoin-${crypto.randomUUID()}.tmp`, "half");
  const { from, config } = await resumed(["--resume", dir]);
  assert(from);
  using folder = new RunFolder(dir, { named: true, overwrite: false });
  folder.resume(from, config);
  const rows = () => Deno.readTextFileSync(`${dir}/metrics.jsonl`).trimEnd().split("\n");
  assertEquals(rows().map((row) => JSON.parse(row)), [madeMetrics(1), madeMetrics(2)]);
  assertEquals([...Deno.readDirSync(`${dir}/checkpoints`)].map(({ name }) => name), [
    "last.safetensors",
  ]);
  assertEquals(folder.kept().split(" and ").at(-1), "a checkpoint of the end of epoch 2");
  folder.append(madeMetrics(3));
  assertEquals(rows().length, 3);
  folder.rewrite([madeMetrics(1)]);
  assertEquals([rows().length, folder.metrics.length], [1, 1]);
  using other = new RunFolder(dir, { named: true, overwrite: false });
  assertThrows(() => other.resume(from, config), UsageError, "another run is writing to it");
});

test("a run that ends early where its folder cannot be written goes on elsewhere", async (dir) => {
  await Deno.mkdir(`${dir}/run`);
  using folder = new RunFolder(`${dir}/run`, { named: true, overwrite: true });
  const state = at(2);
  folder.start(state.run.config ?? {});
  folder.append(madeMetrics(1));
  await Deno.remove(`${dir}/run`, { recursive: true });
  await folder.keeper.save(state);
  assertEquals(await folder.settle(), true);
  const { resumable } = folder;
  assert(resumable && resumable !== `${dir}/run`);
  assertEquals(folder.kept(), `all there is of the run is in ${resumable}`);
  try {
    const { options, from } = await resumed(["--resume", resumable]);
    assertEquals([options.lr, from?.state.position.epoch], [0.01, 2]);
  } finally {
    await Deno.remove(resumable, { recursive: true });
  }
});

Deno.test("other images than those that a run began with are refused", () => {
  const split = generatedSplit({ train: 16, validation: 8, size: 16, seed: 0 });
  const { classes } = split.train;
  const state = at(1);
  const { normalization } = split;
  const image: [number, number, number] = [16, 16, 3];
  const run = { ...state.run, classes, image, normalization };
  assertEquals(sameImages(split, { ...state, run }), split);
  const refused = (changed: Partial<typeof run>, why: string) =>
    assertThrows(
      () => sameImages(split, { ...state, run: { ...run, ...changed } }),
      UsageError,
      why,
    );
  refused({ classes: classes.slice(1) }, `the class ${classes[0]} is new`);
  refused({ classes: [...classes, "z"] }, "the class z is gone");
  refused({ image: [32, 32, 3] }, "of 16x16x3 pixels and channels, not 32x32x3");
  refused({ normalization: { ...normalization, mean: [0, 0, 0] } }, "the mean and deviation");
});

Deno.test("a command that goes on can be pasted into a shell", () => {
  assertEquals(goOnCommand("train", "runs/a-1"), "deno task train --resume runs/a-1");
  assertEquals(goOnCommand("train", "my runs/a"), "deno task train --resume 'my runs/a'");
});
