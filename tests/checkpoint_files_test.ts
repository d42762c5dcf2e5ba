// Checkpoints on a disk: what is there, in which order, and what is said where it cannot be.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DiskKeeper, readCheckpoint } from "../cli/run/checkpoint_files.ts";
import { isTemporary } from "../cli/run/whole_file.ts";
import { DataError } from "../data/error.ts";
import type { Position, TrainingState } from "../train/resume/training_state.ts";
import { withFolder } from "./folder.ts";
import { madeState } from "./made_state.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write");

function test(name: string, fn: (dir: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder(fn));
}

function keeperIn(dir: string, keep = 0): { keeper: DiskKeeper; notes: string[] } {
  const notes: string[] = [];
  const keeper = new DiskKeeper({
    folder: () => `${dir}/checkpoints`,
    keep,
    note: (text) => notes.push(text),
  });
  return { keeper, notes };
}

function at(epoch: number, step = 0): TrainingState {
  return madeState({ epoch, step });
}

function namesIn(dir: string): string[] {
  return [...Deno.readDirSync(`${dir}/checkpoints`)].map(({ name }) => name).sort();
}

async function positionIn(dir: string, name: string): Promise<Position> {
  return (await readCheckpoint(`${dir}/checkpoints/${name}.safetensors`)).position;
}

test("a state comes back as it was, under all its names", async (dir) => {
  const { keeper } = keeperIn(dir);
  assertEquals([keeper.where(), keeper.written, await keeper.last()], [
    undefined,
    undefined,
    undefined,
  ]);
  const state = at(2, 5);
  await keeper.save(state, { best: ["small"] });
  await keeper.settled();
  assertEquals(keeper.where(), `${dir}/checkpoints/last.safetensors`);
  assertEquals(keeper.written, "epoch 3, step 5");
  assertEquals(namesIn(dir), ["best-small.safetensors", "last.safetensors"]);
  const plain = JSON.parse(JSON.stringify({ ...state, tensors: 0 }));
  for (const found of [await keeper.last(), await keeper.best("small")]) {
    assertEquals(found?.tensors, state.tensors);
    assertEquals({ ...found, tensors: 0 }, plain);
  }
  assertEquals(await keeper.best("base"), undefined);
  await keeper.save(at(3), { best: ["base"] });
  await keeper.settled();
  assertEquals(
    await Promise.all(["last", "best-base", "best-small"].map((name) => positionIn(dir, name))),
    [{ epoch: 3, step: 0 }, { epoch: 3, step: 0 }, { epoch: 2, step: 5 }],
  );
});

test("training waits for the checkpoint before, not for its own", async (dir) => {
  const { keeper } = keeperIn(dir);
  const { open } = Deno;
  let go = (): void => {};
  const held = new Promise<void>((resolve) => go = resolve);
  Deno.open = async (...args) => {
    await held;
    return await open(...args);
  };
  try {
    await keeper.save(at(1));
    let second = false;
    const saving = keeper.save(at(2)).then(() => second = true);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assertEquals(second, false);
    go();
    await saving;
    await keeper.settled();
    assertEquals(await positionIn(dir, "last"), { epoch: 2, step: 0 });
  } finally {
    Deno.open = open;
  }
});

test("the last state comes last, so that the best before it is never lost", async (dir) => {
  const { keeper } = keeperIn(dir, 1);
  const { rename } = Deno;
  const names: (string | undefined)[] = [];
  Deno.rename = (from, to) => {
    names.push(String(to).split("/").at(-1));
    return rename(from, to);
  };
  try {
    await keeper.save(at(1), { best: ["base", "small"] });
    await keeper.settled();
  } finally {
    Deno.rename = rename;
  }
  const best = ["best-base.safetensors", "best-small.safetensors"];
  assertEquals(names, ["epoch-0001.safetensors", ...best, "last.safetensors"]);
});

test("the latest checkpoints are kept, as many as are asked for", async (dir) => {
  const { keeper } = keeperIn(dir, 2);
  for (const state of [at(1), at(1, 7), at(2)]) {
    await keeper.save(state);
    await keeper.settled();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Deno.writeTextFile(`${dir}/checkpoints/mine.safetensors`, "");
  await keeper.save(madeState({ phase: "search", epoch: 3, step: 0 }));
  await keeper.settled();
  assertEquals(namesIn(dir), [
    "epoch-0002.safetensors",
    "last.safetensors",
    "mine.safetensors",
    "search-epoch-0003.safetensors",
  ]);
});

/** Fails to write for as long as it lasts, with the code of a system's error. */
async function failing(code: string, work: () => Promise<void>): Promise<void> {
  const { write } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.write = () => Promise.reject(Object.assign(new Error(code), { code }));
  try {
    await work();
  } finally {
    Deno.FsFile.prototype.write = write;
  }
}

test("a full disk is told of once, and what is there stays", async (dir) => {
  const { keeper, notes } = keeperIn(dir);
  await keeper.save(at(1), { best: ["small"] });
  await keeper.settled();
  const before = await Deno.readFile(`${dir}/checkpoints/last.safetensors`);
  await failing("ENOSPC", async () => {
    for (const epoch of [2, 3]) {
      await keeper.save(at(epoch), { best: epoch === 2 ? ["small"] : [] });
      await keeper.settled();
    }
    assertEquals(notes, [
      `Cannot keep a checkpoint in ${dir}/checkpoints: no space is left; the run goes on and tries ` +
      `again at the next, the one there is of the end of epoch 1`,
    ]);
    assertEquals(await Deno.readFile(`${dir}/checkpoints/last.safetensors`), before);
    assertEquals(namesIn(dir), ["best-small.safetensors", "last.safetensors"]);
    // What is not on the disk is still in memory.
    assertEquals((await keeper.last())?.position.epoch, 3);
    assertEquals((await keeper.best("small"))?.position.epoch, 2);
    assertEquals(keeper.written, "the end of epoch 1");
  });
  await failing("EROFS", async () => {
    await keeper.save(at(4));
    await keeper.settled();
  });
  assert(notes[1].includes("the disk is read-only"), notes[1]);
  await keeper.save(at(5));
  await keeper.settled();
  assertEquals([notes.length, keeper.owed.size], [2, 0]);
  // The best of the time in which nothing could be written, too.
  assertEquals(await positionIn(dir, "best-small"), { epoch: 2, step: 0 });
  assertEquals(await positionIn(dir, "last"), { epoch: 5, step: 0 });
  await failing("EROFS", async () => {
    await keeper.save(at(6));
    await keeper.settled();
  });
  assertEquals(notes.length, 3);
});

test("the folder of a run that is gone is no error of training", async (dir) => {
  await Deno.mkdir(`${dir}/run`);
  const { keeper, notes } = keeperIn(`${dir}/run`);
  await keeper.save(at(1));
  await keeper.settled();
  await Deno.remove(`${dir}/run/checkpoints`, { recursive: true });
  await assertRejects(() => keeper.last(), DataError, "found no file");
  await keeper.save(at(2));
  await keeper.settled();
  assertEquals([await positionIn(`${dir}/run`, "last"), notes], [{ epoch: 2, step: 0 }, []]);
  await Deno.remove(`${dir}/run`, { recursive: true });
  await keeper.save(at(3));
  await keeper.settled();
  assertEquals(notes.length, 1);
  assert(notes[0].includes("its folder is not there"), notes[0]);
  assertEquals((await keeper.last())?.position.epoch, 3);
});

test("at every change of the folder, its checkpoints are whole", async (dir) => {
  const { keeper } = keeperIn(dir, 2);
  await keeper.save(at(1), { best: ["small"] });
  await keeper.settled();
  const { rename, link, remove } = Deno;
  let seen = 0;
  const checked = async (): Promise<void> => {
    for (const name of namesIn(dir)) {
      if (isTemporary(name)) continue;
      await readCheckpoint(`${dir}/checkpoints/${name}`);
      seen++;
    }
  };
  const watched =
    <A extends unknown[]>(call: (...args: A) => Promise<void>) => async (...args: A) => {
      await checked();
      await call(...args);
      await checked();
    };
  Object.assign(Deno, { rename: watched(rename), link: watched(link), remove: watched(remove) });
  try {
    for (const epoch of [2, 3]) {
      await keeper.save(at(epoch), { best: ["small", "base"] });
      await keeper.settled();
    }
  } finally {
    Object.assign(Deno, { rename, link, remove });
  }
  assert(seen > 40, `${seen}`);
});
