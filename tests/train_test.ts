import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseKept } from "../cli/report_page/kept_report.ts";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import { parseCheckpoint } from "../export/checkpoint.ts";
import { EXIT } from "../cli/exit.ts";
import type { Summary } from "../train/types.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "run", "env");

/** A short run: 4 steps of 16 images. */
const SHORT = [
  ...["--epochs", "2", "--train-size", "40", "--val-size", "25", "--batch-size", "16"],
  ...["--model", "resnet8", "--stem", "authors"],
];

async function train(...args: string[]): Promise<string> {
  const { code, out, error } = await adjoinCommand(["train", ...SHORT, ...args]);
  assertEquals(code, EXIT.ok, error);
  return out;
}

async function summaryOf(run: string): Promise<Summary> {
  return JSON.parse(await Deno.readTextFile(`${run}/summary.json`));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

Deno.test(
  "train writes a run folder with two networks, verified, the same for the same seed",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const run = (name: string, seed: string) =>
        train("--output", `${dir}/${name}`, "--seed", seed, "--masking-factor", "0.3");
      const out = await run("run", "3");
      assertMatch(out, /epoch 2\/2 {2}validation base .* small/);
      const files = [...Deno.readDirSync(`${dir}/run`)].map(({ name }) => name).sort();
      for (const name of ["base", "small"]) assert(files.includes(`${name}.safetensors`), name);
      const lines = (await Deno.readTextFile(`${dir}/run/metrics.jsonl`)).trim().split("\n");
      assertEquals(lines.map((line) => JSON.parse(line).epoch), [1, 2]);
      const summary = await summaryOf(`${dir}/run`);
      assertEquals(summary.seed, 3);
      assertEquals(summary.small?.verify?.images, 25);
      assertEquals(summary.small?.verify?.top1Agreement, 1);
      assert((summary.small?.verify?.maxDifference ?? 1) <= 1e-4);
      assertEquals(summary.base?.params, 82_714);
      assertEquals(summary.small?.params, 15_562);
      const config = JSON.parse(await Deno.readTextFile(`${dir}/run/config.json`));
      assertEquals([config.seed, config.epochs, config.lambda], [3, 2, undefined]);
      const small = await Deno.readFile(`${dir}/run/small.safetensors`);
      const { tensors, metadata } = parseSafetensors(small);
      assertEquals(tensors.get("layer2.0.conv1.weight")?.shape, [8, 16, 3, 3]);
      assertEquals(tensors.get("layer2.0.bn1.running_var")?.shape, [8]);
      assertEquals(tensors.get("fc.weight")?.shape, [10, 16]);
      assertEquals(JSON.parse(metadata.classes).length, 10);
      assertEquals(JSON.parse(metadata.mean).length, 3);
      assertEquals(parseCheckpoint(small, "small").network.layers.at(-1)?.kind, "linear");
      for (const [name, seed] of [["again", "3"], ["other", "2"]]) {
        await run(name, seed);
        const found = await Deno.readFile(`${dir}/${name}/small.safetensors`);
        assertEquals(same(small, found), seed === "3");
      }
      const page = await Deno.readTextFile(`${dir}/run/report.html`);
      const sections = [...page.matchAll(/<section id="(\w+)"/g)].map(([, id]) => id).join(" ");
      assertEquals(
        sections,
        "result curves tradeoff widths classes confusion pictures run files",
      );
      assertStringIncludes(page, "Verified for the small network: the network as saved is the one");
      assertStringIncludes(page, "finished");
      const kept = parseKept(await Deno.readTextFile(`${dir}/run/report.json`), "report.json");
      assertEquals([kept.images, kept.between], [25, ["base", "small"]]);
      const right = (which: string): number => sum(kept.networks[which].right) / 25;
      assertEquals([right("base"), right("small")], [summary.base?.top1, summary.small?.top1]);
      assertMatch(kept.mistakes[0]?.picture ?? "", /^data:image\/png;base64,/);
      await Deno.remove(`${dir}/run/report.html`);
      const again = await adjoinCommand(["report", `${dir}/run`]);
      assertMatch(again.out, /report\.html: \d+ kB, the run is finished\n$/, again.error);
      assertStringIncludes(await Deno.readTextFile(`${dir}/run/report.html`), "How it was made");
      // An evaluation on the images of the run finds the same mistakes.
      const emptied = { ...kept, networks: {}, mistakes: [], disagreements: [] };
      await Deno.writeTextFile(`${dir}/run/report.json`, JSON.stringify(emptied));
      const measured = await adjoinCommand(["eval", `${dir}/run`]);
      assertEquals([measured.code, measured.error], [EXIT.ok, ""]);
      const found = parseKept(await Deno.readTextFile(`${dir}/run/report.json`), "report.json");
      assertEquals(found, kept);
      await Deno.remove(`${dir}/run/report.html`);
      await Deno.mkdir(`${dir}/run/report.html`);
      const { code, error } = await adjoinCommand(["report", `${dir}/run`]);
      assertEquals(code, EXIT.usage);
      assertMatch(error, /report\.html: a folder is in its place; move that folder away\n$/);
    }),
);

Deno.test(
  "train in mode plain, then distill from it; one that diverges blames its teacher only for outputs that are no numbers",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await train("--mode", "plain", "--output", `${dir}/base`);
      const base = await summaryOf(`${dir}/base`);
      assertEquals([base.base?.params, base.small], [82_714, undefined]);
      await train("--mode", "plain", "--which", "small", "--output", `${dir}/small`);
      const small = await summaryOf(`${dir}/small`);
      assertEquals([small.base, small.small?.params], [undefined, 15_562]);
      await train("--mode", "distill", "--teacher", `${dir}/base`, "--output", `${dir}/distilled`);
      const distilled = await summaryOf(`${dir}/distilled`);
      assertEquals([distilled.base, distilled.small?.params], [undefined, 15_562]);
      const good = `${dir}/base/base.safetensors`;
      const { tensors, metadata } = parseSafetensors(await Deno.readFile(good));
      const broken = new Map([...tensors].map(([name, { shape, data }]) => {
        const values = Float32Array.from(data, Number);
        // Sums of which are infinite.
        if (name === "fc.weight") values.fill(3e38);
        return [name, { shape, data: values }];
      }));
      await Deno.writeFile(`${dir}/bad.safetensors`, encodeSafetensors(broken, metadata));
      const distill = (...args: string[]) =>
        adjoinCommand(["train", ...SHORT, "--mode", "distill", ...args, "--output", `${dir}/run`]);
      const bad = await distill("--teacher", `${dir}/bad.safetensors`);
      assertEquals(bad.code, EXIT.diverged, bad.error);
      assertMatch(
        bad.error,
        /^adjoin: Cannot distill from \S+\/bad\.safetensors: wanted finite outputs on generated train, found a cross entropy of NaN; pass another --teacher\n$/,
      );
      const fast = await distill("--teacher", `${dir}/base`, "--lr", "1e30", "--overwrite");
      assertEquals(fast.code, EXIT.diverged, fast.error);
      assertMatch(fast.error, /loss is .* lower --lr \(found 1e\+30\)/);
    }),
);

Deno.test(
  "train takes every optimiser, schedule, trunk and stage to mask from",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await train("--opt", "sgd", "--sched", "step", "--trunk", "separate", "--output", `${dir}/a`);
      await train(
        ...["--opt", "sgd", "--nesterov", "--sched", "cosine", "--warmup-epochs", "1"],
        ...["--mask-from", "1", "--detach", "--smoothing", "0.1", "--output", `${dir}/b`],
      );
      await train("--sched", "constant", "--augment", "resized-crop", "--output", `${dir}/c`);
      assert(
        ((await summaryOf(`${dir}/b`)).small?.macs ?? 0) <
          ((await summaryOf(`${dir}/a`)).small?.macs ?? 0),
      );
    }),
);

/** CIFAR-10 binary records: a label, then 1024 bytes each of red, green and blue. */
function cifar10(records: number): Uint8Array {
  const bytes = new Uint8Array(records * 3073);
  for (let r = 0; r < records; r++) {
    bytes[r * 3073] = r % 10;
    for (let i = 1; i < 3073; i++) bytes[r * 3073 + i] = (r * 31 + i * 7) % 256;
  }
  return bytes;
}

/** A folder of CIFAR-10 with as many images in each file. */
async function writeCifar10(dir: string, images: number): Promise<void> {
  const parts = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
  for (const file of [...parts, "test_batch.bin"]) {
    await Deno.writeFile(`${dir}/${file}`, cifar10(images));
  }
}

Deno.test("train reads CIFAR-10 binary files", { ignore }, () =>
  withFolder(async (dir) => {
    await writeCifar10(dir, 30);
    await train("--dataset", "cifar10", "--data-dir", dir, "--output", `${dir}/run`);
    const { metadata } = parseSafetensors(await Deno.readFile(`${dir}/run/base.safetensors`));
    assertEquals(JSON.parse(metadata.classes)[3], "cat");
    assertEquals((await summaryOf(`${dir}/run`)).small?.verify?.images, 25);
  }));

interface Refusal {
  readonly what: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
  readonly env?: Record<string, string>;
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "an unknown flag",
    args: ["--epoch", "3"],
    code: EXIT.usage,
    says: /--epoch .*did you mean --epochs\?/,
  },
  {
    what: "an unknown model",
    args: ["--model", "resnet19"],
    code: EXIT.usage,
    says: /resnet19.*resnet18|resnet18.*resnet19/,
  },
  { what: "negative epochs", args: ["--epochs", "-1"], code: EXIT.usage, says: /--epochs .*-1/ },
  {
    what: "a missing folder",
    args: ["--dataset", "cifar10", "--data-dir", "/nowhere/at/all"],
    code: EXIT.data,
    says: /\/nowhere\/at\/all/,
  },
  {
    what: "a compression that leaves no channel",
    args: ["--compression", "64"],
    code: EXIT.usage,
    says: /compression 64 leaves no channel of layer2\.0\.conv1, which has 32/,
  },
  {
    what: "a batch larger than the set",
    args: ["--train-size", "40", "--batch-size", "41"],
    code: EXIT.usage,
    says: /batches of 41 images: .* has 40/,
  },
  {
    what: "a missing adapter",
    args: ["--train-size", "40", "--val-size", "10", "--batch-size", "8"],
    code: EXIT.gpu,
    says: /no WebGPU adapter.*unset DENO_WEBGPU_BACKEND, or on Debian `apt-get install/,
    env: { VK_DRIVER_FILES: "/nonexistent.json", DENO_WEBGPU_BACKEND: "vulkan" },
  },
  {
    what: "an interface that is no system's",
    args: ["--train-size", "40", "--val-size", "10", "--batch-size", "8"],
    code: EXIT.gpu,
    says:
      /no WebGPU adapter for DENO_WEBGPU_BACKEND=nothing: wanted .*; unset DENO_WEBGPU_BACKEND$/m,
    env: { DENO_WEBGPU_BACKEND: "nothing" },
  },
  {
    what: "distillation without a teacher",
    args: ["--mode", "distill"],
    code: EXIT.usage,
    says: /--mode distill needs --teacher/,
  },
];

for (const { what, args, code, says, env } of REFUSALS) {
  Deno.test(
    `train refuses ${what} in one sentence, with exit code ${code}`,
    { ignore },
    () =>
      withFolder(async (dir) => {
        const found = await adjoinCommand(["train", "--output", `${dir}/run`, ...args], env);
        const error = found.error.replace(/^error: XDG_RUNTIME_DIR.*\n/gm, "");
        assertEquals(found.code, code, error);
        assertMatch(error, says);
        assertEquals(error.trim().split("\n").length, 1, error);
        assertEquals([...Deno.readDirSync(dir)], []);
      }),
  );
}

Deno.test(
  "train refuses a truncated file by its name, wanted and found",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await writeCifar10(dir, 2);
      await Deno.writeFile(`${dir}/data_batch_1.bin`, cifar10(2).subarray(0, 5000));
      const args = ["train", "--dataset", "cifar10", "--data-dir", dir, "--output", `${dir}/run`];
      const { code, error } = await adjoinCommand(args);
      assertEquals(code, EXIT.data);
      assertMatch(error, /data_batch_1\.bin.*3073.*5000/);
    }),
);
