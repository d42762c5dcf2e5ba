// Files that cannot be read: each command says what it found, and all are errors of data.
import { assertEquals, assertRejects } from "@std/assert";
import { DataError } from "../data/error.ts";
import { foundInstead } from "../data/found_instead.ts";
import { generatedSplit } from "../data/generated.ts";
import { readArguments } from "../cli/arguments.ts";
import { evaluate } from "../cli/evaluate.ts";
import { exportNetwork } from "../cli/export.ts";
import { loadGiven } from "../cli/run/weights_files.ts";
import { trainRequest } from "../cli/options.ts";
import { readValidationOptions } from "../cli/run/run_data.ts";
import { loadTeacher } from "../cli/run/weights_files.ts";
import { readAllWidths } from "../cli/run/widths_files.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

Deno.test("what cannot be read is told by its reason", () => {
  const told = (code: string, wanted?: "file" | "folder") =>
    foundInstead("a/b", Object.assign(new Error("broken"), { code }), wanted);
  assertEquals([told("ENOENT"), told("ENOENT", "folder")], ["no file a/b", "no folder a/b"]);
  assertEquals([told("ENOTDIR"), told("ENOTDIR", "folder")], ["no file a/b", "a file at a/b"]);
  assertEquals([told("EISDIR"), told("EACCES")], ["a folder at a/b", "no permission to read a/b"]);
  assertEquals(told("EIO"), "a/b, which cannot be read: broken");
  assertEquals(
    foundInstead("/dev/shm/a", new Deno.errors.NotCapable("Requires all access to /dev/shm/a")),
    "the special file /dev/shm/a, which Deno opens only with all permissions: copy it elsewhere, " +
      "or run deno run --allow-all --lock=packages.lock cli/main.ts in place of deno task",
  );
  assertEquals(
    foundInstead("\x1b[2J", new Error("no\x07")),
    "\\x1b[2J, which cannot be read: no\\x07",
  );
});

const { options } = trainRequest(readArguments("train", []));
const toExport = { format: "onnx", includeNormalization: false, overwrite: false } as const;
const onImages = { dataset: "generated", seed: 0, batchSize: 8 } as const;

interface Reader {
  readonly what: string;
  readonly name: string;
  readonly read: (dir: string) => Promise<unknown>;
}

const READERS: readonly Reader[] = [
  { what: "--widths", name: "widths.json", read: (dir) => readAllWidths(`${dir}/widths.json`) },
  {
    what: "--teacher",
    name: "base.safetensors",
    read: (dir) => loadTeacher(dir, generatedSplit({ train: 1, validation: 1, seed: 0 })),
  },
  {
    what: "--init",
    name: "base.safetensors",
    read: (dir) => loadGiven({ ...options, init: dir }),
  },
  {
    what: "export",
    name: "small.safetensors",
    read: (dir) => exportNetwork({ run: dir, ...toExport }),
  },
  {
    what: "eval",
    name: "small.onnx",
    read: (dir) => evaluate({ file: `${dir}/small.onnx`, ...onImages }),
  },
  { what: "the images of a run", name: "config.json", read: readValidationOptions },
];

for (const { what, name, read } of READERS) {
  Deno.test(
    `${what} tells a missing file from a folder`,
    { ignore: lacks("read", "write") },
    () =>
      withFolder(async (dir) => {
        const path = `${dir}/${name}`;
        await assertRejects(() => read(dir), DataError, `found no file ${path}`);
        await Deno.mkdir(path);
        await assertRejects(() => read(dir), DataError, `found a folder at ${path}`);
      }),
  );
}
