// Commands that take a run take a checkpoint of one, and say which there are in a run without end.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { EXIT } from "../cli/exit.ts";
import { exportNetwork } from "../cli/export.ts";
import { checkpointsIn } from "../cli/run/run_checkpoints.ts";
import { readNetwork } from "../cli/run/open_network.ts";
import { imagesOfRun, openCheckpoint } from "../cli/run/run_images.ts";
import { loadGiven, loadTeacher } from "../cli/run/weights_files.ts";
import { DataError } from "../data/error.ts";
import { encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { UsageError } from "../train/errors.ts";
import type { Given } from "../train/given.ts";
import { networksOfState } from "../train/resume/state_networks.ts";
import { encodeTrainingState, type TrainingState } from "../train/resume/training_state.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { joined } from "../data/safetensors.ts";
import { digest, digested, stateOfRun } from "./run_states.ts";

const ignore = lacks("read", "write");

function test(name: string, fn: (dir: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder(fn));
}

/** Writes a checkpoint into the folder of a run; gives its path. */
async function write(run: string, state: TrainingState, name = "last"): Promise<string> {
  await Deno.mkdir(`${run}/checkpoints`, { recursive: true });
  const file = `${run}/checkpoints/${name}.safetensors`;
  await Deno.writeFile(file, joined(encodeTrainingState(state)));
  return file;
}

function tensorsOf({ tensors }: Given): string[] {
  return digest(new Map([...tensors].map(([name, { data }]) => [name, data])));
}

/** Writes the networks of a state as those of a run. */
async function writeNetworks(run: string, state: TrainingState): Promise<void> {
  for (const { network, state: values, ...info } of networksOfState(state, "state")) {
    const bytes = encodeCheckpoint(network, values, info);
    await Deno.writeFile(`${run}/${info.which}.safetensors`, bytes);
  }
}

test("a run starts from a checkpoint, and learns of it, as from the run's base network", async (dir) => {
  for (const args of [[], ["--mode", "plain", "--which", "small"]]) {
    const { state, job } = stateOfRun(args);
    const file = await write(dir, state);
    await writeNetworks(dir, state);
    for (const [mode, which] of [["adjoined", "base"], ["plain", "small"]] as const) {
      const saved = args.length ? `${dir}/small.safetensors` : dir;
      const [found, wanted] = await Promise.all(
        [file, saved].map((init) => loadGiven({ init, mode, which })),
      );
      assert(found && wanted);
      assertEquals([found.metadata, found.notes], [wanted.metadata, wanted.notes]);
      assertEquals(tensorsOf(found), tensorsOf(wanted));
    }
    if (args.length === 0) {
      const teacher = await loadTeacher(file, job.split);
      assertEquals(digested(teacher), digested(await loadTeacher(dir, job.split)));
      assertEquals(teacher.which, "base");
    }
  }
});

test("of a checkpoint the small network is meant, unless told; of a search there is none yet", async (dir) => {
  const file = await write(dir, stateOfRun([]).state);
  for (const which of [undefined, "small", "base"] as const) {
    assertEquals((await readNetwork(file, which)).info.which, which ?? "small");
  }
  const search = await write(dir, stateOfRun([], { phase: "search" }).state);
  assertEquals((await readNetwork(search)).info.which, "base");
  const none =
    `the small network out of ${search}: the search has not chosen its widths yet; take ` +
    `a checkpoint of the training after it, or --which base`;
  await assertRejects(
    () => readNetwork(search, "small"),
    UsageError,
    `Cannot predict with ${none}`,
  );
  const options = { format: "onnx", includeNormalization: false, overwrite: false } as const;
  await assertRejects(
    () => exportNetwork({ run: search, which: "small", ...options }),
    UsageError,
    `Cannot export ${none}`,
  );
  const plain = await write(dir, stateOfRun(["--mode", "plain"]).state);
  await assertRejects(
    () => readNetwork(plain, "small"),
    UsageError,
    `out of ${plain}: it holds the base one; leave out --which`,
  );
});

test("the images of a checkpoint are those that it names, and the folder may have moved", async (dir) => {
  const { state } = stateOfRun(["--seed", "3"]);
  const file = await write(dir, state);
  const opened = await openCheckpoint(file);
  assertEquals(digest(opened?.state.tensors ?? new Map()), digest(state.tensors));
  const wanted = { dataset: "generated", seed: 3, valSize: 8 };
  assertEquals(await imagesOfRun(file, {}, opened?.state), wanted);
  assertEquals(await openCheckpoint(dir), undefined);
  assertEquals(await openCheckpoint(`${dir}/none`), undefined);
  const options = { ...state.run.options, dataset: "folder", dataDir: "photos" } as const;
  const config = { dataDir: `${dir}/photos` };
  const moved = { ...state, run: { ...state.run, options, config } };
  await assertRejects(
    () => imagesOfRun(file, {}, moved),
    DataError,
    `Cannot open the images of ${file}: it names the folder ${dir}/photos, found none; --data-dir`,
  );
  await Deno.mkdir(`${dir}/photos`);
  assertEquals(await imagesOfRun(file, {}, moved), { ...wanted, dataset: "folder", ...config });
  assertEquals(await imagesOfRun(file, { dataset: "generated" }, moved), {});
});

test("what is exported out of a checkpoint lies beside it, and is what the run would save", async (dir) => {
  const { state } = stateOfRun([]);
  const file = await write(dir, state);
  const best = await write(dir, state, "best-base");
  await writeNetworks(dir, state);
  const written = { includeNormalization: false, overwrite: true, format: "safetensors" } as const;
  const options = { run: file, ...written };
  for (const which of ["base", "small"] as const) {
    const { output, verify } = await exportNetwork({ ...options, which });
    assertEquals(output, `${dir}/checkpoints/last.${which}.torch.safetensors`);
    assertEquals(verify.images, 8);
    const [found, wanted] = await Promise.all(
      [output, `${dir}/${which}.safetensors`].map(async (file) =>
        digested(parseCheckpoint(await Deno.readFile(file), file))
      ),
    );
    assertEquals(found, wanted);
  }
  for (const output of [file, best, `${dir}/small.safetensors`]) {
    await assertRejects(
      () => exportNetwork({ ...options, output }),
      UsageError,
      `Cannot write ${output}: it is a file of the run`,
    );
  }
});

test("a run without end names its checkpoints, the last and the best first", async (dir) => {
  const names = [
    "epoch-0002",
    "best-base",
    "epoch-0010",
    "best-small",
    "last",
    "other",
    "last.base",
  ];
  for (const name of names) {
    await Deno.mkdir(`${dir}/checkpoints`, { recursive: true });
    await Deno.writeTextFile(`${dir}/checkpoints/${name}.safetensors`, "");
  }
  await Deno.mkdir(`${dir}/unfinished/checkpoints`, { recursive: true });
  await Deno.writeTextFile(`${dir}/unfinished/checkpoints/last.safetensors`, "");
  const [last, ...rest] = ["last", "best-small", "best-base", "epoch-0010", "epoch-0002"]
    .map((name) => `${name}.safetensors`);
  const inRun = [last, ...rest].map((name) => `checkpoints/${name}`);
  assertEquals(checkpointsIn(dir), [...inRun, "unfinished/checkpoints/last.safetensors"]);
  assertEquals(checkpointsIn(`${dir}/checkpoints`), [last, ...rest]);
  await Deno.writeTextFile(`${dir}/config.json`, "{}");
  const cure = `name a checkpoint in it (checkpoints/last.safetensors, ` +
    `checkpoints/best-small.safetensors, checkpoints/best-base.safetensors and 3 more), or go on ` +
    `with the run by --resume ${dir}`;
  await assertRejects(
    () => readNetwork(dir),
    DataError,
    `wanted one that has ended well, found no summary.json, which is written last; ${cure}`,
  );
  const { job: { split } } = stateOfRun([]);
  const init = { init: dir, mode: "adjoined", which: "base" } as const;
  for (const read of [() => loadTeacher(dir, split), () => loadGiven(init)]) {
    await assertRejects(read, DataError, `found no file ${dir}/base.safetensors; ${cure}`);
  }
  await Deno.remove(`${dir}/config.json`);
  for (const place of ["checkpoints", "unfinished"]) {
    await assertRejects(
      () => readNetwork(`${dir}/${place}`),
      DataError,
      `or go on with the run by --resume ${dir}`,
    );
  }
});

Deno.test(
  "eval measures both networks of a checkpoint on the images of its run",
  { ignore: ignore || lacks("run", "env") },
  () =>
    withFolder(async (dir) => {
      const file = await write(dir, stateOfRun([]).state);
      const { code, out, error } = await adjoinCommand(["eval", file]);
      assertEquals([code, error], [EXIT.ok, ""]);
      const [first, ...lines] = out.split("\n");
      assertEquals(first, `${file} on 8 validation images of generated`);
      assertMatch(lines[0], /^network +top-1 /);
      assertEquals(lines.slice(1, 3).map((line) => line.split(" ")[0]), ["base", "small"]);
      assertEquals([...Deno.readDirSync(`${dir}/checkpoints`)].length, 1);
      const args = ["--json", "--output", `${dir}/seen`, "--val-size", "4"];
      const json = await adjoinCommand(["eval", file, ...args]);
      assertEquals(json.code, EXIT.ok, json.error);
      const both = JSON.parse(json.out);
      assertEquals([both.base.images, both.small.images, both.small.file], [4, 4, file]);
      const drawn = [...Deno.readDirSync(`${dir}/seen`)].map(({ name }) => name).sort();
      assertStringIncludes(drawn.join(), "base-confusion.svg");
      assertStringIncludes(drawn.join(), ",confusion.svg");
    }),
);
