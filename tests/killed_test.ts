// Runs that are killed, and runs whose folder cannot be written to any more. Many more:
// `deno task torture --only killed`, and `--only full-disks`.
import { assertMatch } from "@std/assert";
import { Random } from "../data/random.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { troubledRuns, withoutFiles } from "./torture/full_disks.ts";
import { killedWhileReplacing, killedWhileSaving } from "./torture/killed.ts";

const ignore = lacks("read", "write", "run") || Deno.build.os === "windows";

/** A test with a folder, and numbers of its own. */
function test(name: string, fn: (dir: string, random: Random) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder((dir) => fn(dir, new Random(1, name))));
}

test(
  "a run that is killed while it saves goes on, and loses one checkpoint at most",
  async (dir, random) => {
    assertMatch(await killedWhileSaving(dir, 6, random), /^6 kills/);
  },
);

test("of runs that are killed while they replace another, one is whole", async (dir, random) => {
  assertMatch(await killedWhileReplacing(dir, 4, random), /^4 kills/);
});

test(
  "a run whose folder is removed goes on, and is whole elsewhere at its end",
  async (disk, random) => {
    const found = await troubledRuns("removed folder", { disk, count: 6, random });
    assertMatch(found, /^6 runs .*: \d all there, \d all elsewhere$/);
  },
);

test("a run that can open no files goes on, and keeps its checkpoints", async (disk) => {
  assertMatch(await withoutFiles(disk, 3), /^3 runs with no file descriptors/);
});
