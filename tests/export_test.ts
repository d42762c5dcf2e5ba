import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { cp } from "node:fs/promises";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { EXIT } from "../cli/exit.ts";
import { parseOnnxInfo } from "../export/onnx.ts";
import { adjoinCommand, type Outcome } from "./command.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");

function run(command: "export" | "eval", ...args: string[]): Promise<Outcome> {
  return adjoinCommand([command, ...args]);
}

async function good(command: "export" | "eval", ...args: string[]): Promise<string> {
  const { code, out, error } = await run(command, ...args);
  assertEquals([code, error], [EXIT.ok, ""]);
  return out;
}

/** What is said where a command ends with an exit code. */
async function refusal(
  code: number,
  command: "export" | "eval",
  ...args: string[]
): Promise<string> {
  const found = await run(command, ...args);
  assertEquals([found.code, found.out], [code, ""], found.error);
  assertEquals(found.error.trim().split("\n").length, 1, found.error);
  return found.error;
}

let trained = "";

Deno.test.beforeAll(async () => {
  if (ignore) return;
  trained = await Deno.makeTempDir();
  const { code, error } = await adjoinCommand([
    ...["train", "--epochs", "2", "--train-size", "40", "--val-size", "25", "--seed", "3"],
    ...["--batch-size", "16", "--masking-factor", "0.3", "--output", trained, "--quiet"],
  ]);
  assertEquals(code, EXIT.ok, error);
});

Deno.test.afterAll(async () => {
  if (trained) await Deno.remove(trained, { recursive: true });
});

/** A test with the folder of a run to itself. */
function test(name: string, fn: (run: string) => Promise<void>): void {
  Deno.test(name, { ignore }, async () => {
    const dir = await Deno.makeTempDir();
    try {
      await cp(trained, dir, { recursive: true });
      await fn(dir);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

const SAME = ["--seed", "3", "--val-size", "25"];

async function scores(file: string): Promise<Record<string, number>> {
  return JSON.parse(await good("eval", file, ...SAME, "--json"));
}

test("export writes ONNX of both networks, and eval measures all files alike", async (dir) => {
  const summary = JSON.parse(await Deno.readTextFile(`${dir}/summary.json`));
  for (const which of ["base", "small"]) {
    const out = await good("export", dir, "--which", which);
    assertStringIncludes(out, `${dir}/${which}.onnx: `);
    assertMatch(out, /times its [\d,]+ bytes of parameters\n/);
    const equal = out.match(
      /trained network: logits \(class scores\) at most (\S+) apart, 100\.0 % same class over 25 images\n/,
    );
    assert(Number(equal?.[1]) <= 1e-4, out);
    assertMatch(out, /\n[\d.e-]+ ms for one image in onnxruntime-web \d+\.\d+\.\d+, one thread\n$/);
    const [saved, exported] = [
      await scores(`${dir}/${which}.safetensors`),
      await scores(`${dir}/${which}.onnx`),
    ];
    for (const { top1, top5, loss, images, imagesPerSecond } of [saved, exported]) {
      assertEquals([top1, top5, images], [summary[which].top1, summary[which].top5, 25]);
      assert(Math.abs(loss - summary[which].loss) < 1e-5 && imagesPerSecond > 0);
    }
    const info = parseOnnxInfo(await Deno.readFile(`${dir}/${which}.onnx`), which);
    const { network: _, state: __, ...wanted } = parseCheckpoint(
      await Deno.readFile(`${dir}/${which}.safetensors`),
      which,
    );
    assertEquals(info, { ...wanted, range: "normalized" });
  }
});

test("export writes what takes pixels, where it is told to", async (dir) => {
  const file = `${dir}/elsewhere.onnx`;
  const args = ["--include-normalization", "--output", file];
  assertStringIncludes(await good("export", `${dir}/base.safetensors`, ...args), file);
  assertEquals(parseOnnxInfo(await Deno.readFile(file), file).range, "pixels");
  const [{ top1 }, saved] = [await scores(file), await scores(`${dir}/base.safetensors`)];
  assertEquals(top1, saved.top1);
  assertMatch(
    await good("eval", file, ...SAME),
    /elsewhere\.onnx on 25 validation images .*\ntop-1 .* top-5 /,
  );
});

test("export writes safetensors, also of files that only name a model", async (dir) => {
  const { tensors, metadata } = parseSafetensors(await Deno.readFile(`${dir}/base.safetensors`));
  const { network: _, which: __, ...rest } = metadata;
  const architecture = { model: "resnet8", stem: "authors", which: "base" };
  const old = { ...rest, architecture: JSON.stringify(architecture) };
  await Deno.writeFile(`${dir}/base.safetensors`, encodeSafetensors(tensors, old));
  const out = await good("export", dir, "--which", "base", "--format", "safetensors");
  assertStringIncludes(
    out,
    "equals the trained network: logits (class scores) the same, 100.0 % same class",
  );
  const again = parseSafetensors(await Deno.readFile(`${dir}/base.torch.safetensors`));
  assertEquals(again.metadata, metadata);
  assertEquals(again.tensors, tensors);
});

test("a network that does not give its logits is not written", async (dir) => {
  const path = `${dir}/small.safetensors`;
  const { tensors, metadata } = parseSafetensors(await Deno.readFile(path));
  // Sums of these have no bounds, and infinity less infinity is no number.
  const { data } = tensors.get("fc.weight")!;
  for (const i of data.keys()) data[i] = 3e38;
  await Deno.writeFile(path, encodeSafetensors(tensors, metadata));
  const before = [...Deno.readDirSync(dir)].length;
  const said = await refusal(EXIT.verification, "export", dir);
  assertStringIncludes(said, "Cannot export the small network: ");
  assertStringIncludes(said, "nothing was written");
  assertEquals([...Deno.readDirSync(dir)].length, before);
});

test("export refuses what it cannot do, in one sentence", async (dir) => {
  const file = `${dir}/base.safetensors`;
  const usage = async (...args: string[]): Promise<string> =>
    await refusal(EXIT.usage, "export", ...args);
  assertStringIncludes(await usage(), "export needs RUN");
  assertStringIncludes(await usage(file, "--which", "small"), "it holds the base one");
  assertStringIncludes(
    await usage(dir, "--format", "safetensors", "--include-normalization"),
    "--include-normalization goes with --format onnx, found safetensors",
  );
  await Deno.writeTextFile(`${dir}/small.onnx`, "old");
  assertStringIncludes(await usage(dir), "small.onnx: it is there already");
  await good("export", dir, "--overwrite");
  assert((await Deno.stat(`${dir}/small.onnx`)).size > 1000);
  const data = async (...args: string[]): Promise<string> =>
    await refusal(EXIT.data, "export", ...args);
  assertStringIncludes(await data(`${dir}/none`), `found no file ${dir}/none; --which`);
  const config = `${dir}/config.json`;
  await Deno.writeTextFile(config, JSON.stringify({ dataset: "cifar10", seed: 0 }));
  assertStringIncludes(await data(file), "found none named; name it with --data-dir");
  await Deno.writeTextFile(config, JSON.stringify({ dataset: "imagenet", seed: 0 }));
  assertStringIncludes(await data(file), 'found dataset "imagenet" in place of ');
  await Deno.writeTextFile(config, "{");
  assertStringIncludes(await data(file), "found a file that is not JSON");
  await Deno.remove(config);
  const leave = `found no file ${config}; leave the file with the network in`;
  assertStringIncludes(await data(file), leave);
});

test("export does not write over the run, nor under the name of another format", async (dir) => {
  const usage = async (...args: string[]): Promise<string> =>
    await refusal(EXIT.usage, "export", ...args, "--overwrite");
  const small = `${dir}/small.safetensors`;
  const before = await Deno.readFile(small);
  const named = `Cannot write ${small}: wanted a name for --format onnx, found one that ends in ` +
    ".safetensors; choose another --output or pass --format safetensors";
  assertStringIncludes(await usage(dir, "--output", small), named);
  const safetensors = ["--format", "safetensors", "--output"];
  assertStringIncludes(await usage(dir, ...safetensors, `${dir}/a.ONNX`), "ends in .onnx; choose");
  await Deno.symlink(dir, `${dir}/same`);
  for (const name of ["small", "base", "same/small"]) {
    const said = await usage(small, ...safetensors, `${dir}/${name}.safetensors`);
    assertStringIncludes(said, "it is a file of the run; choose another --output");
  }
  const config = `${dir}/config.json`;
  assertStringIncludes(await usage(dir, "--output", config), "it is a file of the run");
  const below = await usage(dir, "--output", `${config}/small.onnx`);
  assertStringIncludes(below, "a file is in the place of a folder; choose another");
  assertEquals(await Deno.readFile(small), before);
});

test("export makes the folder that it writes to", async (dir) => {
  await good("export", dir, "--format", "safetensors", "--output", `${dir}/new/one/it.safetensors`);
  assertEquals([...Deno.readDirSync(`${dir}/new/one`)].map(({ name }) => name), ["it.safetensors"]);
});

/** An IDX set of images of one size in grey, as MNIST's. */
async function writeIdx(dir: string, size: number): Promise<void> {
  const [pixels, labels] = [[3, 2, size, size], [1, 2]].map(([dims, ...shape]) => {
    const bytes = new Uint8Array(4 + 4 * dims + shape.reduce((a, b) => a * b, 1));
    bytes.set([0, 0, 8, dims]);
    shape.forEach((side, i) => new DataView(bytes.buffer).setUint32(4 + 4 * i, side));
    return bytes;
  });
  labels[labels.length - 1] = 9;
  for (const half of ["train", "t10k"]) {
    await Deno.writeFile(`${dir}/${half}-images-idx3-ubyte`, pixels);
    await Deno.writeFile(`${dir}/${half}-labels-idx1-ubyte`, labels);
  }
}

test("eval refuses what it cannot do, in one sentence", async (dir) => {
  await good("export", dir);
  await writeIdx(dir, 16);
  for (const file of [`${dir}/small.safetensors`, `${dir}/small.onnx`]) {
    const idx = ["--dataset", "idx", "--data-dir", dir];
    assertStringIncludes(
      await refusal(EXIT.usage, "eval", file, ...idx),
      "wanted 10 classes (disc, ring, square, ...) of images of 32x32x3, found 10 classes " +
        "(disc, ring, square, ...) of images of 16x16x1; name the data set that it was trained on",
    );
  }
  assertStringIncludes(
    await refusal(EXIT.data, "eval", `${dir}/config.json`),
    "wanted safetensors, found JSON",
  );
  const file = `${dir}/small.safetensors`;
  assertStringIncludes(
    await refusal(EXIT.usage, "eval", file, "--data-dir", dir),
    "--data-dir goes with --dataset cifar10, cifar100, idx, folder or pets, found generated",
  );
  assertStringIncludes(
    await refusal(EXIT.usage, "eval", file, "--dataset", "idx", "--data-dir", dir, "--seed", "3"),
    "--seed goes with --dataset generated, found idx",
  );
  assertStringIncludes(await refusal(EXIT.data, "eval", `${dir}/none.onnx`), "found no file");
  await Deno.writeTextFile(`${dir}/small.onnx`, "no model");
  assertStringIncludes(
    await refusal(EXIT.data, "eval", `${dir}/small.onnx`),
    "wanted an ONNX model",
  );
});

test("export writes into a folder, and says why it cannot write", async (dir) => {
  const usage = async (...args: string[]): Promise<string> =>
    await refusal(EXIT.usage, "export", dir, "--format", "safetensors", ...args);
  const name = "small.torch.safetensors";
  for (const folder of [`${dir}/new/`, `${dir}/new/two//`]) {
    await good("export", dir, "--format", "safetensors", "--output", folder);
    await Deno.stat(`${folder}${name}`);
  }
  assertStringIncludes(
    await usage("--output", `${dir}/new`),
    `Cannot write ${dir}/new/${name}: it is there already`,
  );
  await Deno.symlink(`${dir}/nowhere`, `${dir}/link`);
  const link = ["--output", `${dir}/link`];
  assertStringIncludes(
    await usage(...link),
    "it is a link that leads nowhere; choose another --output or pass --overwrite",
  );
  await good("export", dir, "--format", "safetensors", ...link, "--overwrite");
  assertEquals((await Deno.lstat(`${dir}/link`)).isFile, true);
  assertEquals([...Deno.readDirSync(dir)].some(({ name }) => name === "nowhere"), false);
});

test("a file is told by what is in it, whatever its name", async (dir) => {
  const [other, bare] = [`${dir}/G.ONNX`, `${dir}/bare`];
  for (const file of [other, bare]) await good("export", dir, "--output", file);
  await Deno.copyFile(`${dir}/small.safetensors`, `${dir}/weights.onnx`);
  await Deno.mkdir(`${dir}/run.safetensors`);
  const wanted = await scores(`${dir}/small.safetensors`);
  for (const file of [other, bare, `${dir}/weights.onnx`]) {
    assertEquals((await scores(file)).top1, wanted.top1);
  }
});

test("eval takes a run, and the images of a run, unless flags name others", async (dir) => {
  const summary = JSON.parse(await Deno.readTextFile(`${dir}/summary.json`));
  const table = (await good("eval", dir)).split("\n");
  assertEquals(table[0], `${dir} on 25 validation images of generated`);
  assertMatch(table[1], /^network +top-1 +top-5 +loss +images\/s$/);
  assertEquals(table.slice(2, 4).map((line) => line.split(" ")[0]), ["base", "small"]);
  const both = JSON.parse(await good("eval", dir, "--json"));
  for (const which of ["base", "small"]) {
    const { top1, images } = both[which];
    assertEquals([top1, images], [summary[which].top1, 25]);
    // No flags: the seed and the number of images are those of the run.
    const alone = JSON.parse(await good("eval", `${dir}/${which}.safetensors`, "--json"));
    assertEquals([alone.top1, alone.images], [summary[which].top1, 25]);
  }
  const fewer = JSON.parse(await good("eval", dir, "--json", "--val-size", "5"));
  assertEquals([fewer.base.images, fewer.small.images], [5, 5]);
  const config = JSON.parse(await Deno.readTextFile(`${dir}/config.json`));
  const idx = { ...config, dataset: "idx", dataDir: `${dir}/moved` };
  await Deno.writeTextFile(`${dir}/config.json`, JSON.stringify(idx));
  const moved = `Cannot open the images of the run in ${dir}: its config.json names the folder ` +
    `${dir}/moved, found none; --data-dir says where they are now`;
  for (const command of ["eval", "export"] as const) {
    assertStringIncludes(await refusal(EXIT.data, command, dir), moved);
  }
  await writeIdx(dir, 16);
  assertStringIncludes(
    await refusal(EXIT.usage, "eval", dir, "--data-dir", dir, "--val-size", "2"),
    "of images of 16x16x1; name the data set that it was trained on",
  );
  const generated = ["--dataset", "generated", ...SAME, "--json"];
  assertEquals(JSON.parse(await good("eval", dir, ...generated)).small.top1, summary.small.top1);
});

test("a run that has not ended well is neither exported nor measured", async (dir) => {
  await Deno.remove(`${dir}/summary.json`);
  for (const command of ["eval", "export"] as const) {
    assertStringIncludes(await refusal(EXIT.data, command, dir), "found no summary.json, which");
  }
  await Deno.mkdir(`${dir}/replacing`);
  await Deno.writeTextFile(`${dir}/replacing/config.json`, "{}");
  for (const path of [dir, `${dir}/small.safetensors`]) {
    for (const command of ["eval", "export"] as const) {
      assertStringIncludes(
        await refusal(EXIT.data, command, path),
        "found the new one in it; name ",
      );
    }
  }
});

test("a new run in the folder takes what was exported from the old one away", async (dir) => {
  await good("export", dir);
  const args = ["--epochs", "1", "--train-size", "16", "--val-size", "8", "--batch-size", "16"];
  const again = await adjoinCommand(["train", ...args, "--output", dir, "--overwrite"]);
  assertEquals(again.code, EXIT.ok, again.error);
  assert(![...Deno.readDirSync(dir)].some(({ name }) => name.endsWith(".onnx")));
});

test("eval tells classes apart: precision, recall, F1, the confusion matrix, mistakes", async (dir) => {
  const reports = JSON.parse(await good("eval", dir, "--json"));
  for (const which of ["base", "small"]) {
    const { classes, macro, confusion, mistakes, top1, images } = reports[which];
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    const right = confusion.map((row: number[], i: number) => row[i]);
    assertEquals([sum(confusion.flat()), images, mistakes.length], [25, 25, 25 - sum(right)]);
    assert(Math.abs(sum(right) / images - top1) < 1e-6);
    for (const [i, { recall, precision, predicted, images }] of classes.entries()) {
      assertEquals([images, predicted], [
        sum(confusion[i]),
        sum(confusion.map((row: number[]) => row[i])),
      ]);
      assertEquals(recall, images && right[i] / images);
      assertEquals(precision, predicted && right[i] / predicted);
    }
    assert(macro.f1 >= 0 && macro.f1 <= 1);
    for (const { image, class: own, predicted, probability } of mistakes) {
      assert(Number.isInteger(image) && own !== predicted && probability > 0.1);
    }
  }
  const onnx = (await good("export", dir)) &&
    JSON.parse(await good("eval", `${dir}/small.onnx`, "--json"));
  assertEquals(onnx.confusion, reports.small.confusion);
  const text = await good("eval", `${dir}/small.safetensors`);
  assertMatch(text, /\nclass +precision +recall +F1 +images +predicted\ndisc /);
  assertMatch(text, /\nmean of classes .*\nmost confident mistakes\n {2}image \d+ /);
});

test("eval draws into the run folder, or the folder of --output; of a file nothing unless told", async (dir) => {
  const drawn = (folder: string) =>
    [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => /confusion|mistakes/.test(name)).sort();
  await Deno.remove(`${dir}/confusion.svg`);
  await good("eval", `${dir}/small.safetensors`);
  assertEquals(drawn(dir), []);
  await good("eval", `${dir}/small.safetensors`, "--output", `${dir}/seen/here`);
  assertEquals(drawn(`${dir}/seen/here`), ["confusion.svg", "mistakes.png"]);
  await good("eval", dir);
  const names = ["base-confusion.svg", "base-mistakes.png", "confusion.svg", "mistakes.png"];
  assertEquals(drawn(dir), names);
  for (const name of names) {
    const bytes = await Deno.readFile(`${dir}/${name}`);
    const begin = new TextDecoder().decode(bytes.slice(1, 4));
    assertEquals(begin, name.endsWith("svg") ? "svg" : "PNG");
  }
  await Deno.writeTextFile(`${dir}/taken`, "");
  await refusal(EXIT.usage, "eval", `${dir}/small.safetensors`, "--output", `${dir}/taken`);
});
