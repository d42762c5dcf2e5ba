// The command data: what it finds in a set of pictures, and what it draws of it.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EXIT } from "../cli/exit.ts";
import { inspect } from "../pictures/inspect.ts";
import { adjoinCommand, type Outcome } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { makeFiles, makePictures, onePicture } from "./picture_folders.ts";

const ignore = lacks("read", "write", "run", "env", "ffi");

function test(name: string, check: (dir: string) => Promise<void>): void {
  Deno.test(name, { ignore }, () => withFolder(check));
}

/** Checks `DIR/set`. */
async function data(dir: string, ...args: string[]): Promise<Outcome> {
  const outcome = await adjoinCommand([
    "data",
    `${dir}/set`,
    "--output",
    `${dir}/sheet.png`,
    ...args,
  ]);
  return { ...outcome, out: outcome.out.replaceAll(dir, "DIR") };
}

const CLASSES = ["cat", "dog"];

/** Some pictures of each class. */
function some(count: number): string[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  return CLASSES.flatMap((name) => numbers.map((i) => `train/${name}/${i}.png`))
    .concat(CLASSES.map((name) => `val/${name}/0.png`));
}

test("data counts classes, sizes and formats, and draws a sheet of them", async (dir) => {
  await makePictures(`${dir}/set`, some(2));
  await makeFiles(`${dir}/set`, {
    "train/cat/wide.png": await onePicture({ width: 30, height: 10 }),
    "train/dog/notes.txt": new Uint8Array(4),
  });
  const { code, out, error } = await data(dir);
  assertEquals(code, EXIT.ok, error);
  const lines = out.split("\n").map((line) => line.replace(/ +/g, " ").trim());
  assertEquals(lines, [
    "DIR/set as folder: 2 classes, pictures: 5 in train and 2 in val",
    "1 file of train that is no picture is passed over: DIR/set/train/dog/notes.txt",
    "",
    "class train val",
    "cat 3 1",
    "dog 2 1",
    "all 5 2",
    "",
    "train val",
    lines[9],
    "formats PNG 5 PNG 2",
    "width 8 to 30, median 8 8",
    "height 8 to 10, median 8 8",
    "colour 5, grey 0 2, grey 0",
    "",
    "broken pictures: none",
    "same bytes on both sides, a leak: none",
    "same bytes under two classes: none",
    "same bytes on one side: none",
    "",
    "sheet: DIR/sheet.png",
    "",
  ]);
  const sheet = await inspect(await Deno.readFile(`${dir}/sheet.png`));
  assertEquals([sheet.kind, sheet.height], ["png", 64 + 2 * 102 - 6 + 16]);
  assertEquals(await data(dir, "--overwrite", "--quiet"), { code: 0, out: "", error: "" });
  const again = await data(dir);
  assertEquals(again.code, EXIT.usage);
  assertStringIncludes(again.error, "sheet.png: it is there already; choose another --output");
});

test("data names broken pictures, copies, leaks and copies under two classes", async (dir) => {
  await makePictures(`${dir}/set`, some(3));
  const read = (file: string) => Deno.readFile(`${dir}/set/${file}`);
  await makeFiles(`${dir}/set`, {
    "train/cat/copy.png": await read("train/cat/1.png"),
    "train/cat/of-dog.png": await read("train/dog/2.png"),
    "val/dog/leak.png": await read("train/dog/0.png"),
    "train/dog/short.png": (await read("train/dog/1.png")).subarray(0, 60),
  });
  const { code, out } = await data(dir, "--json");
  assertEquals(code, EXIT.ok);
  const report = JSON.parse(out);
  assertEquals(report.duplicates, [
    ["train/cat/1.png", "train/cat/copy.png"],
    ["train/cat/of-dog.png", "train/dog/2.png"],
  ]);
  assertEquals(report.leaks, [["train/dog/0.png", "val/dog/leak.png"]]);
  assertEquals(report.twoClasses, [["train/cat/of-dog.png", "train/dog/2.png"]]);
  const [{ file, reason }, ...others] = report.train.broken;
  assertEquals([file, others], ["train/dog/short.png", []]);
  assert(reason.length > 0);
  assertEquals(report.classes, [
    { name: "cat", train: 5, validation: 1 },
    { name: "dog", train: 4, validation: 2 },
  ]);
  const table = (await data(dir, "--overwrite")).out;
  const faults = (await data(dir, "--overwrite", "--quiet")).out;
  assertStringIncludes(table, `\n\n${faults}\nsheet: `);
  assertStringIncludes(table, "broken pictures: 1 of 12 (8.3 %)\n  train/dog/short.png: ");
  assertStringIncludes(
    table,
    "same bytes on both sides, a leak: 2 files, so that accuracies come out too high\n" +
      "  train/dog/0.png = val/dog/leak.png\n",
  );
  assertStringIncludes(
    table,
    "same bytes under two classes: 2 files, of which one label is wrong\n" +
      "  train/cat/of-dog.png = train/dog/2.png\n",
  );
});

test("data ends as a run would: with the sentence, after what it found", async (dir) => {
  await makePictures(`${dir}/set`, some(2));
  const broken = ["train/cat/empty.jpg", "train/dog/text.png"];
  await makeFiles(`${dir}/set`, {
    [broken[0]]: new Uint8Array(),
    [broken[1]]: new TextEncoder().encode("no picture at all"),
  });
  const { code, out, error } = await data(dir);
  assertEquals(code, EXIT.data);
  assertStringIncludes(out, "broken pictures: 2 of 8 (25.0 %)\n  train/cat/empty.jpg: 0 bytes\n");
  assertStringIncludes(
    error.replaceAll(dir, "DIR"),
    "adjoin: Cannot train on the pictures in DIR/set: wanted at most 1.0 % broken, found 2 of the 6 " +
      "in train; remove or replace them\n",
  );
  await Deno.remove(`${dir}/set/val/cat`, { recursive: true });
  const unequal = await data(dir, "--overwrite");
  assertEquals([unequal.code, unequal.out], [EXIT.data, ""]);
  assertStringIncludes(unequal.error, "found cat only in train");
  await makeFiles(`${dir}/idx`, ["t10k-labels-idx1-ubyte"]);
  const idx = await adjoinCommand(["data", `${dir}/idx`]);
  assertEquals(idx.code, EXIT.data);
  assertStringIncludes(idx.error, "found the files of idx, which are read whole");
});

test("data says what is validated on where there are only folders of classes", async (dir) => {
  await makePictures(`${dir}/set`, ["a/1.png", "a/2.png", "b/1.png"]);
  await makeFiles(`${dir}/set`, { "b/copy.png": await Deno.readFile(`${dir}/set/b/1.png`) });
  const { code, out } = await data(dir);
  assertEquals(code, EXIT.ok);
  assertStringIncludes(out, "10.0 % are validated on unless --val-split says otherwise");
  assertStringIncludes(out, "2 files in 1 group, which the split may put on both sides");
});

test("classes of any name are told and drawn", async (dir) => {
  const names = ['a<b&"c', "new\nline\x1b[31m", "x\uffffy", "#hash?q", "%41", "עברית"];
  await makePictures(`${dir}/set`, names.map((name) => `${name}/1.png`));
  const { code, out, error } = await data(dir);
  assertEquals(code, EXIT.ok, error);
  assert(!out.includes("\x1b"));
  assertStringIncludes(out, "new\\nline\\x1b[31m");
  assertEquals((await inspect(await Deno.readFile(`${dir}/sheet.png`))).kind, "png");
});
