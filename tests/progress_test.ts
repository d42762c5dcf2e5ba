import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { ProgressLine, type ProgressOptions } from "../cli/report/progress.ts";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import type { EpochMetrics, Progress, Summary, TrainOptions } from "../train/types.ts";

const PROGRESS: Progress = {
  epoch: 3,
  epochs: 12,
  step: 25,
  steps: 100,
  imagesPerSecond: 1234.5,
  loss: 1.25,
  crossEntropy: 1.125,
  kl: 0.5,
  lambda: 0.25,
  lr: 1e-3,
  training: { base: 0.5, small: 0.375 },
  etaSeconds: 125,
};

const EPOCH: EpochMetrics = {
  ...PROGRESS,
  seconds: 8.25,
  validation: {
    base: { top1: 0.75, top5: 1, loss: 0.5 },
    small: { top1: 0.7123, top5: 1, loss: 0.625 },
  },
};

const SUMMARY: Summary = {
  mode: "adjoined",
  model: "resnet8",
  dataset: "generated",
  seed: 0,
  adapter: "test",
  epochs: 12,
  seconds: 3725,
  base: { top1: 0.75, top5: 1, loss: 0.5, params: 78_042, macs: 12_501_632 },
  small: { top1: 0.7123, top5: 1, loss: 0.5, params: 10_890, macs: 5_865_632 },
  verify: { maxDifference: 3.14e-6, maxError: 1.57e-6, top1Agreement: 1, images: 1000 },
};

const RESULT = `
network   top-1  params     MACs     file
base     75.0 %  78,042  12.50 M   319 kB
small    71.2 %  10,890  5.866 M  49.1 kB
small network extracted: largest logit difference 3.1e-6, 100.0 % same class over 1000 images
base.safetensors, small.safetensors in runs/a, after 1:02:05
`;

const FILES = new Map([["base.safetensors", 319_240], ["small.safetensors", 49_072]]);

/** A progress line that writes into `text`, by a clock that stands still unless set. */
function made(
  options: Partial<Omit<ProgressOptions, "width">> & { columns?: number } = {},
): { line: ProgressLine; text: () => string; clock: { now: number } } {
  const texts: string[] = [];
  const clock = { now: 0 };
  const { columns = 200, ...rest } = options;
  const line = new ProgressLine({
    write: (text) => texts.push(text),
    terminal: false,
    width: () => columns,
    now: () => clock.now,
    quiet: false,
    ...rest,
  });
  return { line, text: () => texts.splice(0).join(""), clock };
}

function start(line: ProgressLine, flags: readonly string[] = []): void {
  const options: TrainOptions = trainRequest(readArguments("train", flags)).options;
  const base = { params: 78_042, macs: 12_501_632 };
  const small = { params: 10_890, macs: 5_865_632 };
  line.start({
    adapter: "Test GPU",
    options,
    what: options.mode === "plain" ? "plain" : `${options.mode}, compression 4`,
    trainImages: 4000,
    validationImages: 1000,
    classes: 10,
    costs: options.mode === "plain" ? { base } : { base, small },
  });
}

Deno.test("the first lines tell what is trained on what", () => {
  const { line, text } = made();
  start(line);
  assertEquals(
    text(),
    `adapter  Test GPU
model    resnet8, adjoined, compression 4
data     generated: 4,000 training and 1,000 validation images of 10 classes
run      6 epochs, batch 64, adamw, onecycle, lr 0.004, seed 0
output   runs/resnet8-adjoined-generated-0
base     78,042 parameters  12.50 M MACs
small    10,890 parameters  5.866 M MACs
`,
  );
});

Deno.test("on a terminal one line is written over, and that of an epoch stays", () => {
  const { line, text } = made({ terminal: true });
  start(line);
  text();
  line.progress(PROGRESS);
  assertEquals(
    text(),
    "\repoch 3/12  ━━━───────── 25 %  ETA 2:05  base 50.0 %  small 37.5 %  loss 1.250  KL 0.500" +
      "  λ 0.25  1235 images/s\x1b[K",
  );
  line.epoch(EPOCH);
  assertEquals(
    text(),
    "\r\x1b[Kepoch  3/12  validation base 75.0 %  small 71.2 %  loss 1.250  KL 0.500  λ 0.25" +
      "  8.3 s\n",
  );
});

Deno.test("the line that is written over never fills the terminal", () => {
  for (let columns = 2; columns < 130; columns++) {
    const { line, text } = made({ terminal: true, columns });
    line.progress(PROGRESS);
    const shown = text().replace("\r", "").replace("\x1b[K", "");
    assertLessOrEqual(shown.length, columns - 1);
  }
});

Deno.test("other text does not run into the line that is written over", () => {
  const { line, text } = made({ terminal: true });
  line.end();
  assertEquals(text(), "");
  line.progress(PROGRESS);
  text();
  line.note("The GPU is slow.");
  assertEquals(text(), "\r\x1b[KThe GPU is slow.\n");
  line.progress(PROGRESS);
  text();
  line.end();
  line.end();
  assertEquals(text(), "\n");
});

Deno.test("in a pipe there is a line an epoch, and one in between every ten seconds", () => {
  const { line, text, clock } = made();
  start(line);
  text();
  const seen: number[] = [];
  for (let second = 1; second <= 35; second++) {
    clock.now = 1000 * second;
    line.progress({ ...PROGRESS, step: second });
    if (text()) seen.push(second);
  }
  assertEquals(seen, [10, 20, 30]);
  line.epoch(EPOCH);
  assertEquals(text().split("\n").length, 2);
  clock.now = 44_000;
  line.progress(PROGRESS);
  assertEquals(text(), "");
  clock.now = 45_000;
  line.progress(PROGRESS);
  assertEquals(
    text(),
    "epoch 3/12  25 %  ETA 2:05  base 50.0 %  small 37.5 %  loss 1.250  KL 0.500  λ 0.25" +
      "  1235 images/s\n",
  );
});

Deno.test("one network alone has no KL, and no weight of it", () => {
  const { line, text } = made();
  start(line, ["--mode", "plain"]);
  const first = text();
  assertStringIncludes(first, "model    resnet8, plain\n");
  assert(!first.includes("small"), first);
  const { base } = EPOCH.validation;
  line.epoch({ ...EPOCH, validation: { base } });
  assertEquals(text(), "epoch  3/12  validation base 75.0 %  loss 1.250  8.3 s\n");
});

Deno.test("a search shows its cost beside the budget, its temperature and its entropy", () => {
  const { line, text } = made({ terminal: true });
  const search = { expected: 0.8031, budget: 0.8, entropy: 0.912, gamma: 0.5, temperature: 2.812 };
  line.progress({ ...PROGRESS, search });
  assertStringIncludes(text(), "  cost 80.3 of 80.0 %  T 2.81  entropy 0.91  loss 1.250");
  line.epoch({ ...EPOCH, search });
  assertStringIncludes(text(), "  cost 80.3 of 80.0 %  T 2.81  entropy 0.91  loss 1.250");
});

Deno.test("the result is a table, the verification, and where the files are", () => {
  const { line, text } = made();
  line.finish(SUMMARY, { files: FILES, folder: "runs/a" });
  assertEquals(text(), RESULT);
  const { base, small: _, verify: __, ...rest } = SUMMARY;
  const alone = new Map([["base.safetensors", 999]]);
  line.finish({ ...rest, base }, { files: alone, folder: "b" });
  assertEquals(
    text(),
    `
network   top-1  params     MACs   file
base     75.0 %  78,042  12.50 M  999 B
base.safetensors in b, after 1:02:05
`,
  );
});

Deno.test("when quiet only the result is printed", () => {
  for (const terminal of [true, false]) {
    const { line, text, clock } = made({ quiet: true, terminal });
    start(line);
    clock.now = 60_000;
    line.progress(PROGRESS);
    line.epoch(EPOCH);
    line.note("A remark.");
    line.end();
    assertEquals(text(), "");
    line.finish(SUMMARY, { files: FILES, folder: "runs/a" });
    assertEquals(text(), RESULT);
  }
});
