// Where runs write: folders that are refused, and those that are made.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { EXIT } from "../cli/exit.ts";
import { UsageError } from "../train/errors.ts";
import { searchRequest, trainRequest } from "../cli/options.ts";
import { checkFolder, type FolderRequest, takeFolder } from "../cli/run/output_folder.ts";
import { cureFor, whyNot } from "../cli/run/unwritable.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write");

function test(name: string, fn: (dir: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder(fn));
}

/** What tells the config.json of a run from others. */
const CONFIG = '{"model": "resnet8", "dataset": "generated", "seed": 0}';

const SHORT = ["--epochs", "1", "--train-size", "16", "--val-size", "8", "--batch-size", "16"];

const free = { named: false, overwrite: false };
const named = { named: true, overwrite: false };
const again = { named: true, overwrite: true };

/** Why a folder is refused. */
async function refusal(output: string, request: FolderRequest): Promise<string> {
  const { message } = await assertRejects(() => checkFolder(output, request), UsageError);
  const begin = `Cannot use ${output} as the run folder: `;
  assertEquals(message.slice(0, begin.length), begin);
  return message.slice(begin.length);
}

test("a default name that is taken gives way to the next number", async (dir) => {
  const take = () => takeFolder(`${dir}/runs/a`, free);
  await Deno.mkdir(`${dir}/runs`);
  await Deno.writeTextFile(`${dir}/runs/a-2`, "");
  assertEquals([take(), take(), take()], ["a", "a-3", "a-4"].map((name) => `${dir}/runs/${name}`));
  await checkFolder(`${dir}/runs/a`, free);
});

test("a named folder that is not empty is refused, unless it may be overwritten", async (dir) => {
  await Deno.writeTextFile(`${dir}/config.json`, CONFIG);
  assertEquals(
    await refusal(dir, named),
    "it is not empty; choose another --output or pass --overwrite",
  );
  await checkFolder(`${dir}/new`, named);
  await checkFolder(dir, again);
  assertEquals(takeFolder(dir, again), dir);
  assertEquals(takeFolder(`${dir}/new/one`, named), `${dir}/new/one`);
});

test("a file in the place of a folder is refused", async (dir) => {
  await Deno.writeTextFile(`${dir}/x`, "");
  const why = "a file is in the place of a folder; choose another --output";
  for (const path of [`${dir}/x`, `${dir}/x/y`]) {
    for (const request of [named, again]) assertEquals(await refusal(path, request), why);
    for (const request of [named, again]) {
      assertThrows(() => takeFolder(path, request), UsageError, why);
    }
  }
});

test("a folder is refused that holds what is read", async (dir) => {
  await Deno.mkdir(`${dir}/run/old`, { recursive: true });
  await Deno.writeTextFile(`${dir}/run/base.safetensors`, "");
  await Deno.mkdir(`${dir}/links`);
  await Deno.symlink(`${dir}/run/base.safetensors`, `${dir}/links/base.safetensors`);
  await Deno.symlink(`${dir}/run`, `${dir}/same`);
  for (const folder of ["run", "links"]) {
    await Deno.writeTextFile(`${dir}/${folder}/config.json`, CONFIG);
  }
  const inside = ["run", "run/", "same", "links", "run/base.safetensors", "run/old", "run/../run"];
  for (const path of inside.map((name) => `${dir}/${name}`)) {
    const reads = { "--teacher": undefined, "--init": path };
    for (const output of [`${dir}/run`, `${dir}/same`]) {
      assertEquals(
        await refusal(output, { ...again, reads }),
        `--init reads from it, found ${path}; choose another --output`,
      );
    }
  }
  const reads = { "--init": `${dir}/run` };
  await checkFolder(`${dir}/run/old`, { ...again, reads });
  await checkFolder(`${dir}/run-2`, { ...again, reads });
  await checkFolder(`${dir}/links`, { ...again, reads });
  await checkFolder(`${dir}/run`, { ...free, reads });
});

Deno.test("what cannot be written is told by its reason", () => {
  const why = (code: string) => whyNot(Object.assign(new Error("broken"), { code }));
  assertEquals([why("ENOSPC"), why("EDQUOT")], ["no space is left", "no space is left"]);
  assertEquals(why("EACCES"), "there is no permission to write");
  assertEquals([why("EROFS"), why("EIO")], ["the disk is read-only", "the disk fails"]);
  assertEquals([why("EMFILE"), why("EOTHER")], ["too many files are open", "broken"]);
});

Deno.test("room is asked for only where there is none", () => {
  const cure = (code: string) => cureFor(Object.assign(new Error("broken"), { code }), "a");
  assertEquals(cure("ENOSPC"), "make room or choose another --output");
  for (const code of ["EROFS", "EACCES"]) {
    assertEquals(cure(code), "choose another --output");
  }
  assertEquals(cure("EISDIR"), "move that folder away or choose another --output");
});

Deno.test(
  "a folder of the system that Deno keeps programs out of is refused with what helps",
  { ignore: lacks("read", "write", "run", "env") || Deno.build.os !== "linux" },
  async () => {
    const run = `/dev/shm/adjoin-${crypto.randomUUID()}`;
    const train = ["train", ...SHORT, "--quiet", "--output", run];
    const { code, error } = await adjoinCommand(train);
    assertEquals([code, error], [
      EXIT.usage,
      `adjoin: Cannot use ${run} as the run folder: Deno lets programs write to /dev, /proc and ` +
      `/sys with --allow-all only; choose another --output or type deno run --allow-all ` +
      `--lock=packages.lock cli/main.ts in place of deno task\n`,
    ]);
    const cured = await adjoinCommand(train, {}, ["--allow-all"]);
    assertEquals(cured.code, EXIT.ok, cured.error);
    await Deno.remove(run, { recursive: true });
  },
);

Deno.test("what a run reads is told by the flags that name it", () => {
  const reads = (...args: string[]) => trainRequest(readArguments("train", args)).reads;
  assertEquals(reads("--init", "a"), {
    "--init": "a",
    "--model": undefined,
    "--teacher": undefined,
    "--widths": undefined,
  });
  assertEquals(reads("--mode", "distill", "--teacher", "b")?.["--teacher"], "b");
  assertEquals(reads("--widths", "c")?.["--widths"], "c");
  assertEquals(reads("--model", "e.onnx")?.["--model"], "e.onnx");
  const search = ["--budget-macs", "0.8", "--init", "d"];
  assertEquals(searchRequest(readArguments("search", search)).reads?.["--init"], "d");
});

Deno.test(
  "train does not replace the run that it reads, nor any run before it has its own",
  { ignore: lacks("read", "write", "run", "env") },
  () =>
    withFolder(async (dir) => {
      const run = `${dir}/run`;
      const train = (...args: string[]) =>
        adjoinCommand(["train", ...SHORT, "--output", run, "--quiet", ...args]);
      const made = await train("--mode", "plain");
      assertEquals(made.code, EXIT.ok, made.error);
      const before = await Deno.readFile(`${run}/base.safetensors`);
      const refused: [string[], number][] = [
        [["--init", run], EXIT.usage],
        [["--mode", "distill", "--teacher", `${run}/base.safetensors`], EXIT.usage],
        [["--lr", "3e38", "--sched", "constant"], EXIT.diverged],
      ];
      for (const [args, code] of refused) {
        const found = await train("--overwrite", ...args);
        assertEquals(found.code, code, found.error);
        assertEquals(await Deno.readFile(`${run}/base.safetensors`), before);
        await Deno.stat(`${run}/summary.json`);
      }
    }),
);

test("--overwrite replaces runs, and nothing that is none", async (dir) => {
  const refused = (path: string, found: string) =>
    assertRejects(
      () => checkFolder(path, again),
      UsageError,
      `--overwrite replaces a run, and it holds none, but ${found}`,
    );
  await Deno.mkdir(`${dir}/mine`);
  await checkFolder(`${dir}/mine`, again);
  await Deno.writeTextFile(`${dir}/mine/config.json`, '{"thesis": 1}');
  await Deno.writeTextFile(`${dir}/mine/small.onnx`, "mine");
  await refused(`${dir}/mine`, "config.json");
  await refused("/", "");
  await Deno.writeTextFile(`${dir}/mine/config.json`, CONFIG);
  await checkFolder(`${dir}/mine`, again);
  await Deno.mkdir(`${dir}/begun/unfinished`, { recursive: true });
  await checkFolder(`${dir}/begun`, again);
});
