import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { EXIT } from "../cli/exit.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { Gpu } from "../kernels/gpu.ts";
import { Classifier } from "../train/classifier.ts";
import { adjoinCommand, type Outcome } from "./command.ts";
import { encode, waves } from "./made_pictures.ts";
import { makeFiles } from "./picture_folders.ts";
import { lacks } from "./permissions.ts";
import { granted, LOCK } from "./tasks.ts";

const ignore = lacks("read", "write", "run", "env", "ffi");

function predict(...args: string[]): Promise<Outcome> {
  return adjoinCommand(["predict", ...args]);
}

let dir = "";
const PICTURE = waves(40, 60, 3);

Deno.test.beforeAll(async () => {
  if (ignore) return;
  dir = await Deno.makeTempDir();
  const { code, error } = await adjoinCommand([
    ...["train", "--epochs", "2", "--train-size", "16", "--val-size", "8", "--batch-size", "8"],
    ...["--output", `${dir}/run`, "--quiet"],
  ]);
  assertEquals(code, EXIT.ok, error);
  const png = await encode(PICTURE, "png");
  await makeFiles(dir, {
    "photos/b.png": png,
    // The content counts, not the name.
    "photos/a/2": await encode(waves(50, 50, 3), "jpeg"),
    "photos/a/10.bmp": await encode(waves(33, 70, 1), "webp"),
    "photos/.hidden.png": png,
    "photos/.git/c.png": png,
    "photos/notes.txt": new TextEncoder().encode("notes"),
    "photos/c": "b.png",
    "cut.png": png.slice(0, png.length / 2),
    "empty.jpg": new Uint8Array(),
  });
});

Deno.test.afterAll(async () => {
  if (dir) await Deno.remove(dir, { recursive: true });
});

function test(name: string, fn: () => Promise<void>): void {
  Deno.test(name, { ignore }, fn);
}

test("predict says what the pictures of a folder show, a line each, sorted", async () => {
  const { code, out, error } = await predict(`${dir}/run`, `${dir}/photos/`, "--top", "2");
  assertEquals(code, EXIT.ok, error);
  const lines = out.trimEnd().split("\n");
  const names = ["a/10.bmp", "a/2", "b.png", "c"].map((name) => `${dir}/photos/${name}`);
  assertEquals(lines.map((line) => line.split("  ")[0]).sort(), names.sort());
  for (const line of lines) assertMatch(line, /^\S+( {2}\w+ [\d.]+ %){2}$/);
  assertStringIncludes(error, "run/small.safetensors: the small network, images of 32x32x3");
  assertStringIncludes(error, `passed over what is no picture, 1 file: ${dir}/photos/notes.txt`);
});

test("predict gives what the library gives for the decoded picture", async () => {
  for (const which of ["base", "small"]) {
    const file = `${dir}/run/${which}.safetensors`;
    const { out } = await predict(`${dir}/run`, `${dir}/photos/b.png`, "--which", which, "--json");
    const gpu = await Gpu.open();
    try {
      using classifier = await Classifier.open(
        gpu,
        parseCheckpoint(await Deno.readFile(file), file),
      );
      const predictions = await classifier.classify(PICTURE);
      assertEquals(JSON.parse(out), [{ file: `${dir}/photos/b.png`, predictions }]);
    } finally {
      gpu.destroy();
    }
  }
});

test("predict takes ONNX by its content, and however many pictures at a time", async () => {
  const onnx = `${dir}/small`;
  const { code, error } = await adjoinCommand([...["export", `${dir}/run`], "--output", onnx]);
  assertEquals(code, EXIT.ok, error);
  const photos = Array.from({ length: 3 }, () => `${dir}/photos`);
  const outs = [
    await predict(`${dir}/run`, ...photos),
    await predict(onnx, ...photos),
    await predict(`${dir}/run/small.safetensors`, ...photos, "--batch-size", "5"),
  ].map(({ out }) => out);
  assertEquals(outs[0].split("\n").length, 13);
  assertEquals(outs[1], outs[0]);
  assertEquals(outs[2], outs[0]);
});

test("of several small networks the smallest answers, and one that is not there is named", async () => {
  const run = `${dir}/several`;
  await Deno.mkdir(run);
  for (const name of ["config.json", "base.safetensors", "summary.json"]) {
    await Deno.copyFile(`${dir}/run/${name}`, `${run}/${name}`);
  }
  // Named after their budgets: the last one is not the smallest.
  await Deno.copyFile(`${dir}/run/small.safetensors`, `${run}/small-0.5.safetensors`);
  await Deno.copyFile(`${dir}/run/base.safetensors`, `${run}/small-0.9.safetensors`);
  const { error } = await predict(run, `${dir}/photos/b.png`);
  assertMatch(error, /small-0\.5\.safetensors: /);
  for (const command of [["predict", run, `${dir}/photos/b.png`], ["export", run]]) {
    const { code, error } = await adjoinCommand([...command, "--which", "small-0.7"]);
    assertEquals(code, EXIT.data, error);
    assertMatch(
      error,
      /wanted small-0\.7\.safetensors, found base\.safetensors, small-0\.5\.safetensors and .*which/,
    );
  }
});

test("predict reads a picture from the standard input", async () => {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", LOCK, ...granted(["predict"]), "cli/main.ts"],
      ...["predict", `${dir}/run`, "-", "--json"],
    ],
    cwd: new URL("../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(await Deno.readFile(`${dir}/photos/b.png`));
  await writer.close();
  const [piped] = JSON.parse(new TextDecoder().decode((await process.output()).stdout));
  const { out } = await predict(`${dir}/run`, `${dir}/photos/b.png`, "--json");
  assertEquals(piped, { ...JSON.parse(out)[0], file: "-" });
});

test("broken pictures are named, the others are answered, and the exit code is 3", async () => {
  const [cut, empty] = [`${dir}/cut.png`, `${dir}/empty.jpg`];
  for (const rest of [[`${dir}/photos/b.png`], [`${dir}/photos`]]) {
    const { code, out, error } = await predict(`${dir}/run`, cut, ...rest, empty);
    assertEquals(code, EXIT.data);
    assertEquals(out.trimEnd().split("\n").length, rest[0].endsWith("photos") ? 4 : 1);
    assertStringIncludes(error, `${empty}: 0 bytes\n`);
    assertMatch(error, /cut\.png: .*\n/);
    assertMatch(error, /left out 2 broken pictures of \d\n/);
  }
  const { code, out } = await predict(`${dir}/run`, empty, "--json");
  assertEquals([code, out], [EXIT.data, "[]\n"]);
  const quiet = await predict(`${dir}/run`, empty, `${dir}/photos/b.png`, "--quiet");
  assertEquals([quiet.code, quiet.out.split("\n").length], [EXIT.data, 2]);
  assertEquals(quiet.error, `adjoin: ${empty}: 0 bytes\n`);
});

test("predict refuses what it cannot answer in one sentence, before it answers anything", async () => {
  const refused = async (code: number, ...args: string[]): Promise<string> => {
    const found = await predict(...args);
    assertEquals([found.code, found.out], [code, ""], found.error);
    assertEquals(found.error.trim().split("\n").length, 1, found.error);
    return found.error;
  };
  const [run, photo] = [`${dir}/run`, `${dir}/photos/b.png`];
  assertStringIncludes(await refused(EXIT.usage, run), "predict needs PICTURE...");
  assertStringIncludes(await refused(EXIT.usage, run, "-", "-"), "found it twice");
  assertStringIncludes(await refused(EXIT.data, run, photo, `${dir}/none`), `no file ${dir}/none`);
  assertStringIncludes(await refused(EXIT.data, `${dir}/none`, photo), `no file ${dir}/none`);
  await Deno.mkdir(`${dir}/bare`);
  assertStringIncludes(
    await refused(EXIT.data, run, `${dir}/bare`),
    `wanted pictures in ${dir}/bare, found none`,
  );
  assertStringIncludes(await refused(EXIT.data, photo, photo), "b.png");
  const base = `${run}/base.safetensors`;
  assertStringIncludes(
    await refused(EXIT.usage, base, photo, "--which", "small"),
    "it holds the base one; leave out --which",
  );
  assert((await refused(EXIT.usage, run, photo, "--top", "0")).includes("--top"));
});
