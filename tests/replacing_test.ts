// How a run takes the place of another: whenever the process ends, one whole run is there.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { cp } from "node:fs/promises";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import { checkFolder } from "../cli/run/output_folder.ts";
import { isExportedName } from "../cli/run/checkpoint_names.ts";
import { isExported } from "../cli/run/exported_names.ts";
import { demandWhole, isReplacing, ownCheckpoints, refuseMixed } from "../cli/run/replacing.ts";
import { RunFolder } from "../cli/run/run_folder.ts";
import { isTemporary } from "../cli/run/whole_file.ts";
import { DataError } from "../data/error.ts";
import { UsageError } from "../train/errors.ts";
import { parseTrainingState } from "../train/resume/training_state.ts";
import { withFolder } from "./folder.ts";
import { madeState } from "./made_state.ts";
import { lacks } from "./permissions.ts";
import { runSummary } from "./run_metrics.ts";

const ignore = lacks("read", "write");

function test(name: string, fn: (dir: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder(fn));
}

const { options } = trainRequest(readArguments("train", []));
const again = { named: true, overwrite: true };

/** A state that says by its epoch which run it is of. */
const states = [0, 1, 2, 3].map((seed) => madeState({ epoch: seed, step: 0 }));

/** Trains nothing, and saves files that all say which run they are of. */
async function runOf(dir: string, seed: number, names: readonly string[]): Promise<void> {
  using folder = new RunFolder(dir, again);
  folder.start({ ...options, seed });
  // That of the old run has a name more.
  await folder.keeper.save(states[seed], {
    best: seed === 1 ? ["base"] : [],
  });
  const files = new Map(names.map((name) => [name, `run ${seed}`]));
  await folder.finish(files, { ...runSummary, seed });
}

const OLD = ["base.safetensors", "small.safetensors", "curves.svg"];
const NEW = ["base.safetensors", "small.safetensors", "widths.json"];

/** The seed of the one run whose files, all of them, are in a folder; nothing where it is not one. */
function wholeRun(dir: string): number | undefined {
  const text = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  const names = [...Deno.readDirSync(dir)].filter(({ isFile }) => isFile).map(({ name }) => name);
  const { seed } = JSON.parse(text("config.json"));
  assertEquals(JSON.parse(text("summary.json")).seed, seed);
  const wanted = [...seed === 1 ? OLD : NEW, "config.json", "summary.json"];
  const own = names.filter((name) => name !== "notes.txt" && !isTemporary(name));
  assertEquals(own.toSorted(), wanted.toSorted());
  for (const name of seed === 1 ? OLD : NEW) assertEquals(text(name), `run ${seed}`);
  const checkpoints = ownCheckpoints(dir).map((name) => name.split("/")[1]);
  assertEquals(checkpoints, [...seed === 1 ? ["best-base.safetensors"] : [], "last.safetensors"]);
  for (const name of checkpoints) {
    const bytes = Deno.readFileSync(`${dir}/checkpoints/${name}`);
    assertEquals(parseTrainingState(bytes, name).position.epoch, seed);
  }
  return seed;
}

/** What changes a folder. */
const CALLS = ["renameSync", "removeSync", "linkSync", "copyFileSync", "mkdirSync"] as const;

/** Does `work`, with all calls that change a folder failing from the `count`th on; gives how many there were. */
async function killedAt(count: number, work: () => Promise<void>): Promise<number> {
  const real = Object.fromEntries(CALLS.map((name) => [name, Deno[name]]));
  let calls = 0;
  for (const name of CALLS) {
    const call = Deno[name] as (...args: unknown[]) => void;
    Object.assign(Deno, {
      [name]: (...args: unknown[]): void => {
        if (++calls > count) throw new Error("the process is gone");
        call(...args);
      },
    });
  }
  try {
    await work();
  } catch {
    /* It is gone. */
  } finally {
    Object.assign(Deno, real);
  }
  return calls;
}

test("wherever replacing a run ends, one whole run is there, and the next run goes on", async (dir) => {
  await runOf(`${dir}/old`, 1, OLD);
  let ended = 0;
  const seen = new Set<string>();
  for (let count = 0; ended < 1; count++) {
    const run = `${dir}/${count}`;
    await cp(`${dir}/old`, run, { recursive: true });
    await Deno.writeTextFile(`${run}/notes.txt`, "mine");
    const calls = await killedAt(count, () => runOf(run, 2, NEW));
    if (calls <= count) ended++;
    const mixed = isReplacing(run);
    const found = wholeRun(mixed ? `${run}/replacing` : run);
    seen.add(`${mixed} ${found}`);
    if (mixed) {
      const { message } = assertThrows(() => refuseMixed(run), DataError);
      assert(message.includes(`name ${run}/replacing, where the new one is whole`), message);
      assertThrows(() => demandWhole(run), DataError, message);
      const init = { ...again, reads: { "--init": run } };
      await assertRejects(() => checkFolder(`${dir}/other`, init), DataError, message);
    } else demandWhole(run);
    // What is there now is still there when the next run has just begun.
    {
      using next = new RunFolder(run, again);
      next.start({ ...options, seed: 3 });
      assertEquals([isReplacing(run), wholeRun(run)], [false, found]);
    }
    await runOf(run, 2, NEW);
    assertEquals(wholeRun(run), 2);
    const folders = [...Deno.readDirSync(run)].filter(({ isDirectory }) => isDirectory);
    assertEquals(folders.map(({ name }) => name), ["checkpoints"]);
    assertEquals(await Deno.readTextFile(`${run}/notes.txt`), "mine");
  }
  // Before, between and after.
  assertEquals([...seen].sort(), ["false 1", "false 2", "true 2"]);
});

test("a run takes the place of another where files have no second names", async (dir) => {
  await runOf(dir, 1, OLD);
  const link = Deno.linkSync;
  Deno.linkSync = () => {
    throw new Error("not here");
  };
  try {
    await runOf(dir, 2, NEW);
  } finally {
    Deno.linkSync = link;
  }
  assertEquals(wholeRun(dir), 2);
});

test("a link is never followed to another run", async (dir) => {
  await runOf(`${dir}/other`, 1, OLD);
  await runOf(`${dir}/run`, 1, OLD);
  for (const name of ["unfinished", "replacing", "checkpoints"]) {
    await Deno.rename(`${dir}/run/checkpoints`, `${dir}/aside`);
    await Deno.symlink(`${dir}/other`, `${dir}/run/${name}`);
    const { message } = await assertRejects(() => runOf(`${dir}/run`, 2, NEW), UsageError);
    assertEquals(
      message,
      `Cannot use ${dir}/run as the run folder: runs need the name ${name} in it for a folder, ` +
        `found a link; remove it, or choose another --output`,
    );
    await Deno.remove(`${dir}/run/${name}`);
    await Deno.rename(`${dir}/aside`, `${dir}/run/checkpoints`);
    assertEquals([wholeRun(`${dir}/run`), wholeRun(`${dir}/other`)], [1, 1]);
  }
});

test("what a user keeps in a run's folders is not touched", async (dir) => {
  await runOf(dir, 1, OLD);
  for (const name of ["unfinished", "replacing"]) {
    await Deno.mkdir(`${dir}/${name}`);
    await Deno.writeTextFile(`${dir}/${name}/mine.txt`, "mine");
    await assertRejects(
      () => runOf(dir, 2, NEW),
      UsageError,
      `runs need ${dir}/${name} for themselves, found mine.txt in it; move it elsewhere`,
    );
    assertEquals(await Deno.readTextFile(`${dir}/${name}/mine.txt`), "mine");
    await Deno.remove(`${dir}/${name}`, { recursive: true });
  }
  await Deno.remove(`${dir}/curves.svg`);
  await Deno.mkdir(`${dir}/curves.svg`);
  const place = "a folder is in the place of the file curves.svg; choose another --output";
  await assertRejects(() => runOf(dir, 2, NEW), UsageError, place);
});

test("what was exported out of checkpoints goes with their run", async (dir) => {
  const names = ["last.small.onnx", "best-base.base.torch.safetensors", "epoch-0001.base.onnx"];
  const write = async (folder: string, own: readonly string[]): Promise<void> => {
    await Deno.mkdir(`${folder}/checkpoints`, { recursive: true });
    for (const name of own) await Deno.writeTextFile(`${folder}/checkpoints/${name}`, "old");
  };
  await runOf(dir, 1, OLD);
  await write(dir, [...names, "mine.onnx", "other.small.onnx"]);
  // Of one that had begun to replace it.
  await write(`${dir}/unfinished`, names);
  await runOf(dir, 2, NEW);
  assertEquals(wholeRun(dir), 2);
  const left = [...Deno.readDirSync(`${dir}/checkpoints`)].map(({ name }) => name).toSorted();
  assertEquals(left, ["last.safetensors", "mine.onnx", "other.small.onnx"]);
});

test("a folder whose run has not ended well is told from a whole one", async (dir) => {
  await runOf(dir, 1, OLD);
  await Deno.remove(`${dir}/summary.json`);
  await Deno.remove(`${dir}/checkpoints`, { recursive: true });
  const { message } = assertThrows(() => demandWhole(dir), DataError);
  assertEquals(
    message,
    `Cannot read the run in ${dir}: wanted one that has ended well, found no summary.json, which ` +
      `is written last; name one of its files, or train it again`,
  );
});

Deno.test("what export writes of a network, and of a checkpoint, is told by its name", () => {
  for (const which of ["base", "small", "small-2", "small-0.25"]) {
    for (const end of ["onnx", "int8.onnx", "fp16.onnx", "html", "int8.html", "fp16.html"]) {
      assert(isExported(`${which}.${end}`), `${which}.${end}`);
      assert(isExportedName(`last.${which}.${end}`) && isExportedName(`best-base.${which}.${end}`));
      assert(!isExportedName(`${which}.${end}`) && !isExportedName(`mine.${which}.${end}`));
    }
    assert(isExported(`${which}.torch.safetensors`) && !isExported(`${which}.safetensors`));
    assert(isExportedName(`epoch-0003.${which}.torch.safetensors`));
  }
  for (const name of ["mine.onnx", "small.int4.onnx", "index.html", ".onnx", "small.json"]) {
    assert(!isExported(name), name);
  }
});
