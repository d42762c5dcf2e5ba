// Holds the README to what is there: commands, flags, numbers, names, and code that is not run.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { ValidationBatches } from "../data/batches.ts";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu/gpu.ts";
import { nullDevice } from "../kernels/gpu/null_device.ts";
import type { Op } from "../kernels/op.ts";
import { SOFTWARE } from "../kernels/gpu/preset.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { count } from "../nn/count.ts";
import { model, MODEL_NAMES, type Stem } from "../nn/resnet.ts";
import { adjoinedSpecs, extract, initialize } from "../nn/state.ts";
import { feasible } from "../nn/compress/width_choice.ts";
import { widthCost } from "../nn/compress/width_cost.ts";
import { widthGroups } from "../nn/compress/width_groups.ts";
import { flagsOf, readArguments } from "../cli/arguments.ts";
import { encodeCheckpoint } from "../export/checkpoint.ts";
import { memoryTable, planMemory } from "../cli/report/dry_run.ts";
import { EXIT } from "../train/errors.ts";
import { type Command, COMMANDS } from "../cli/flags/flag.ts";
import { generalHelp } from "../cli/help.ts";
import { SIGNALS } from "../cli/run/interrupt.ts";
import { openJob } from "../train/job.ts";
import { compareRequest, searchRequest, trainRequest } from "../cli/options.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import { scaled } from "../cli/text.ts";
import { check } from "./op_suite.ts";
import { lacks } from "./permissions.ts";
import { checkpointOf, images, NETWORKS } from "./saved_networks.ts";

const ignore = lacks("read");
const root = new URL("../", import.meta.url);
const read = (path: string): string => ignore ? "" : Deno.readTextFileSync(new URL(path, root));

const readme = read("README.md");
const tasks: Readonly<Record<string, { command: string }>> = ignore
  ? {}
  : JSON.parse(read("deno.json")).tasks;

/** The texts of the code blocks of a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === language).map(([, , text]) => text);
}

/** The rows of the table that follows a heading, without its head. */
function table(heading: string): string[][] {
  const section = readme.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** What stands in backquotes, outside of blocks. */
function quoted(text: string): string[] {
  return [...text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`]+)`/g)].map(([, code]) =>
    code
  );
}

/** Reads what follows `cli/main.ts` as the command line would. */
function readCommand(words: readonly string[]): void {
  const command = (Object.keys(COMMANDS) as Command[])
    .find((name) => name.split(" ").every((word, i) => word === words[i]));
  if (!command) throw new RangeError(`${words[0]} is no command`);
  const args = words.slice(command.split(" ").length);
  if (args.includes("--help")) readArguments(command, args);
  else if (command === "train") trainRequest(readArguments(command, args));
  else if (command === "search") searchRequest(readArguments(command, args));
  else if (command === "compare") compareRequest(readArguments(command, args));
  else readArguments(command, args);
}

const OTHER_COMMANDS = [
  "sh setup.sh",
  "deno test",
  "deno bundle --platform browser mod.ts -o adjoin.js",
];

/** What is wrong with a line of shell, or nothing. */
function wrongWith(line: string): string | undefined {
  for (const part of line.split(" && ")) {
    if (OTHER_COMMANDS.includes(part)) continue;
    const words = part.split(/\s+/).filter((word) => !/^[A-Z_]+=/.test(word));
    const [deno, task, name, ...args] = words;
    if (deno !== "deno" || task !== "task") return `${part} is not known here`;
    if (!Object.hasOwn(tasks, name)) return `deno.json has no task ${name}`;
    const [, after] = tasks[name].command.split("cli/main.ts ");
    if (after === undefined && args.length) return `${name} takes no arguments`;
    try {
      if (after !== undefined) readCommand([...after.split(" "), ...args]);
    } catch (error) {
      return `${part}: ${error instanceof Error ? error.message : error}`;
    }
  }
}

const lines = blocks("sh").flatMap((block) => block.trim().split("\n"));

Deno.test("the README has the two lines to begin with", { ignore }, () => {
  for (const task of ["train", "test"]) {
    assert(lines.includes(`sh setup.sh && deno task ${task}`), task);
  }
});

Deno.test("every command in the README is one that is accepted", { ignore }, () => {
  assertEquals(lines.map(wrongWith).filter((problem) => problem !== undefined), []);
  assert(lines.length > 10, `${lines.length}`);
});

Deno.test("a command that is not accepted is found", { ignore }, () => {
  for (
    const [line, problem] of [
      ["deno task trian", "no task trian"],
      ["deno task train --epoch 3", "did you mean --epochs?"],
      ["sh setup.sh && deno task train --mode distill", "needs --teacher"],
      ["A=b deno task train --nesterov", "--nesterov goes with --opt sgd"],
      ["deno task train extra", "takes flags only"],
      ["deno task parity", "parity needs DIR"],
      ["deno task test --quiet", "test takes no arguments"],
      ["npm start", "not known here"],
    ]
  ) assertStringIncludes(wrongWith(line) ?? "nothing", problem);
  assertEquals(wrongWith("A=b sh setup.sh"), "A=b sh setup.sh is not known here");
});

Deno.test("tasks that the README names outside of blocks exist", { ignore }, () => {
  const named = quoted(readme).filter((text) => text.startsWith("deno task "));
  assert(named.length > 3);
  assertEquals(named.map(wrongWith).filter((problem) => problem !== undefined), []);
});

Deno.test("the sizes in the README are those that are counted", { ignore }, () => {
  const rows = table("Sizes");
  assert(rows.length >= 10);
  for (const [name, compression, ...found] of rows) {
    const { small } = adjoin(model(name, { classes: 1000 }), { compression: Number(compression) });
    const { params, classifierParams, macs } = count(small, { height: 224, width: 224 });
    const wanted = [params, classifierParams].map((n) => n.toLocaleString("en-US"));
    assertEquals(found, [...wanted, scaled(macs)], `${name}, ${compression}`);
  }
});

Deno.test("the README names every model, and every flag of train", { ignore }, () => {
  const names = new Set([...quoted(readme), ...table("Sizes").map(([name]) => name)]);
  assertEquals(MODEL_NAMES.filter((name) => !names.has(name)), []);
  const flags = table("Flags").flatMap(([cell]) => quoted(cell));
  const all = flagsOf("train").map(({ name }) => `--${name}`).filter((name) => name !== "--help");
  assertEquals(flags.toSorted(), all.toSorted());
});

Deno.test("the README names every flag that only the search has", { ignore }, () => {
  const train = new Set<string>(flagsOf("train").map(({ name }) => name));
  const own = flagsOf("search").filter(({ name }) => !train.has(name));
  const flags = table("Learning the widths").flatMap(([cell]) => quoted(cell));
  assertEquals(flags.toSorted(), own.map(({ name }) => `--${name}`).toSorted());
  const search = new Set<string>(flagsOf("search").map(({ name }) => name));
  const told = readme.match(/All flags of training but (.*) go with it/)?.[1] ?? "";
  const other = [...train].filter((name) => !search.has(name)).map((name) => `--${name}`);
  assertEquals(quoted(told).toSorted(), other.toSorted());
});

Deno.test("the least budgets in the README are those that are possible", { ignore }, () => {
  const rows = table("Possible budgets");
  assert(rows.length >= 6);
  for (const [name, stem, size, classes, maskFrom, ...found] of rows) {
    const side = Number(size.split("x")[0]);
    const base = model(name, { classes: Number(classes), stem: stem as Stem });
    const groups = widthGroups(base, { maskFrom: Number(maskFrom), divisors: [1, 2, 4, 8] });
    const image = { height: side, width: side };
    const leasts = (["macs", "params"] as const).map((budgeted) =>
      feasible(groups, widthCost(base, groups, { budgeted, image })).least.toFixed(3)
    );
    assertEquals(found, [String(groups.groups.length), ...leasts], `${name}, ${maskFrom}`);
  }
});

Deno.test("the README tells exit codes as --help does", { ignore }, () => {
  const rows = table("Exit codes");
  assertEquals(rows.map(([code]) => Number(code)), [
    ...Object.values(EXIT),
    ...SIGNALS.map(({ code }) => code),
  ]);
  for (const [code, meaning] of rows) {
    assertStringIncludes(generalHelp(), `${code.padEnd(5)}${meaning}\n`);
  }
});

Deno.test("the README tells the memory of a run with all defaults", { ignore }, async () => {
  const { options } = trainRequest(readArguments("train", []));
  const found = await Gpu.open();
  found.destroy();
  const gpu = await Gpu.open({ device: nullDevice(found.device), preset: SOFTWARE });
  const lines = memoryTable(await planMemory(gpu, await openJob(options)));
  const told = blocks("text").find((block) => block.startsWith(lines[0]));
  assertEquals(told?.trimEnd().split("\n"), lines);
});

Deno.test("the README lists the files of a run folder", { ignore }, () => {
  const [, list] = read("cli/run/run_folder.ts").match(/RUN_FILES = \[([^\]]*)\]/) ?? [];
  const files = [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  assertEquals(table("The run folder").flatMap(([cell]) => quoted(cell)), files);
});

Deno.test("the README lists what lies in the repository", { ignore }, () => {
  const layout = blocks("text").find((block) => block.startsWith("mod.ts ")) ?? "";
  const named = layout.trim().split("\n").map((line) => line.split(/\s/)[0].replace("/", ""));
  for (const name of named) Deno.statSync(new URL(name, root));
  const published: string[] = JSON.parse(read("deno.json")).publish.include;
  const folders = published.filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1));
  assertEquals(folders.filter((name) => !named.includes(name)), []);
});

Deno.test("links within the README lead to a heading", { ignore }, () => {
  const headings = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replaceAll(" ", "-")
  );
  for (const [, link] of readme.matchAll(/\]\(#([^)]*)\)/g)) assert(headings.includes(link), link);
});

/** The exports of a block of TypeScript. */
async function moduleOf(text: string): Promise<Record<string, unknown>> {
  const code = blocks("ts").find((block) => block.includes(text)) ?? "";
  return await import(`data:application/typescript,${encodeURIComponent(code)}`);
}

Deno.test(
  "the op in the README equals its reference, and so does its gradient",
  { ignore },
  async () => {
    const { square } = await moduleOf("export const square") as { square: Op };
    const gpu = await Gpu.open();
    try {
      for (const test of square.cases) {
        const { parity, gradient } = await check(gpu, square, test, { seed: 1 });
        assert(parity <= 1e-5 && gradient <= 1e-4, `${parity}, ${gradient}`);
      }
    } finally {
      gpu.destroy();
    }
  },
);

Deno.test("classify() in the README runs a saved small network", { ignore }, async () => {
  const { classify } = await moduleOf("function classify") as {
    classify(file: Uint8Array, pixels: Uint8Array): Promise<string>;
  };
  const classes = ["cat", "dog", "cow"];
  const adjoined = adjoin(model("resnet8", { classes: 3 }), { compression: 4 });
  const random = new Random(2, "initial weights");
  const state = initialize(adjoinedSpecs(adjoined), adjoined.base, () => random.normal());
  state.get("fc.bias")!.set([0, 0, 100]);
  const file = encodeCheckpoint(adjoined.small, extract(adjoined, state), {
    which: "small",
    classes,
    image: [12, 16, 3],
    normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  });
  assertEquals(await classify(file, new Uint8Array(12 * 16 * 3)), "cow");
});

Deno.test("topClass() in the README runs an ONNX file that takes pixels", { ignore }, async () => {
  const { topClass } = await moduleOf("function topClass") as {
    topClass(
      file: Uint8Array,
      image: { pixels: Uint8Array; height: number; width: number },
    ): Promise<number>;
  };
  const dataset = images(3);
  const { height, width } = dataset;
  const checkpoint = checkpointOf(NETWORKS["of bottlenecks, cut"]);
  const { bytes } = encodeOnnx(checkpoint, { includeNormalization: true });
  const session = await OnnxSession.open(bytes, "it");
  for (const batch of new ValidationBatches({ dataset, batch: 1 })) {
    const logits = await session.logits(batch);
    const found = await topClass(bytes, { pixels: batch.pixels, height, width });
    assertEquals(found, logits.indexOf(Math.max(...logits)));
  }
  await session.close();
});

Deno.test(
  "mod.ts is bundled for browsers as the README says",
  { ignore: ignore || lacks("run", "write") },
  async () => {
    const out = await Deno.makeTempFile({ suffix: ".js" });
    try {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["bundle", "--platform", "browser", "mod.ts", "-o", out],
        cwd: fileURLToPath(root),
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const code = await Deno.readTextFile(out);
      assertStringIncludes(code, "TrainingStep");
      assert(!/\bDeno\.|"node:/.test(code.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")));
    } finally {
      await Deno.remove(out);
    }
  },
);
