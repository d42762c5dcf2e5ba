// Checkpoints whose bytes are others than those that were saved, and what to go on from then.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DiskKeeper, readCheckpoint } from "../cli/run/checkpoint_files.ts";
import { findRun } from "../cli/run/found_run.ts";
import { isDamaged, sealed } from "../cli/run/seal.ts";
import { trainRequest } from "../cli/options.ts";
import { readRequest } from "../cli/resuming.ts";
import { DataError } from "../data/error.ts";
import { joined } from "../data/safetensors.ts";
import { encodeTrainingState } from "../train/resume/training_state.ts";
import { withFolder } from "./folder.ts";
import { madeState } from "./made_state.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "env");

/** The run in a folder, with a checkpoint that is the last and the best. */
async function made(run: string): Promise<string> {
  await Deno.mkdir(run);
  const keeper = new DiskKeeper({ folder: () => `${run}/checkpoints`, note: () => {} });
  await keeper.save(madeState({ epoch: 2, step: 0 }), { best: ["base", "small"] });
  await keeper.settled();
  return `${run}/checkpoints/last.safetensors`;
}

Deno.test("each bit of a checkpoint counts, and one that was not sealed is taken as it is", async () => {
  const pieces = encodeTrainingState(madeState({ epoch: 1, step: 3 }));
  assertEquals(await isDamaged(joined(pieces)), false);
  const bytes = joined(await sealed(pieces));
  assertEquals(await isDamaged(bytes), false);
  const places = [...Array(40).keys()].map((i) => 8 + Math.floor((bytes.length - 9) * i / 39));
  for (const place of places) {
    bytes[place] ^= 1;
    assertEquals(await isDamaged(bytes), true, `${place}`);
    bytes[place] ^= 1;
  }
});

Deno.test(
  "a damaged checkpoint is refused, and the others are named",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const file = await made(`${dir}/run`);
      // The best are the same file: they are copied before the last one is damaged.
      for (const which of ["base", "small"]) {
        const best = `${dir}/run/checkpoints/best-${which}.safetensors`;
        const bytes = await Deno.readFile(best);
        await Deno.remove(best);
        await Deno.writeFile(best, bytes);
      }
      const bytes = await Deno.readFile(file);
      bytes[bytes.length - 3] ^= 4;
      await Deno.writeFile(file, bytes);
      await assertRejects(() => readCheckpoint(file), DataError, "the file is damaged");
      const { message } = await assertRejects(() => findRun(`${dir}/run`), DataError);
      assertMatch(
        message,
        /; name another one of \S+\/checkpoints: best-base\.safetensors and best-small\.safetensors$/,
      );
      await Deno.remove(file);
      const wanted = /wanted last\.safetensors in its checkpoints, found none; name another one of/;
      assertMatch((await assertRejects(() => findRun(`${dir}/run`), DataError)).message, wanted);
      const args = ["--resume", "auto", "--output", `${dir}/run`];
      const auto = await assertRejects(() => readRequest("train", args, trainRequest), DataError);
      assertMatch(auto.message, wanted);
    }),
);
