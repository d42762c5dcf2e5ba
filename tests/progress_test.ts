import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "@std/assert";
import { ProgressLine, type ProgressOptions } from "../cli/report/progress.ts";
import { readArguments } from "../cli/arguments.ts";
import { trainRequest } from "../cli/options.ts";
import type {
  EpochMetrics,
  Progress,
  RunStart,
  Summary,
  TrainOptions,
  Work,
} from "../train/types.ts";

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
  waiting: 0,
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
  base: {
    ...{ top1: 0.75, top5: 1, loss: 0.5, macs: 12_501_632 },
    ...{ params: 78_042, backboneParams: 77_392, classifierParams: 650 },
  },
  small: {
    ...{ top1: 0.7123, top5: 1, loss: 0.5, macs: 5_865_632 },
    ...{ params: 10_890, backboneParams: 10_720, classifierParams: 170 },
    verify: { maxDifference: 3.14e-6, maxError: 1.57e-6, top1Agreement: 1, images: 1000 },
  },
};

const RESULT = `
network  validation top-1  params     MACs     file
base               75.0 %  78,042  12.50 M   319 kB
small              71.2 %  10,890  5.866 M  49.1 kB
the small network as saved equals the one that was measured: logits (class scores) at most 3.1e-6 apart, 100.0 % same class over 1,000 images
base.safetensors, small.safetensors in runs/a, after 1:02:05
`;

const FILES = new Map([["base.safetensors", 319_240], ["small.safetensors", 49_072]]);

const VALIDATION: Work = {
  what: "validation",
  done: 2500,
  total: 10_000,
  unit: "images",
  epoch: 3,
  epochs: 12,
  etaSeconds: 125,
};

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

function start(
  line: ProgressLine,
  flags: readonly string[] = [],
  info: Partial<RunStart> = {},
): void {
  const options: TrainOptions = trainRequest(readArguments("train", flags)).options;
  const base = { params: 78_042, macs: 12_501_632 };
  const small = { params: 10_890, macs: 5_865_632 };
  line.start({
    adapter: "Test GPU",
    options,
    what: options.mode === "plain" ? "plain" : `${options.mode}, compression 4`,
    stem: "authors",
    trainImages: 4000,
    validationImages: 1000,
    test: false,
    height: 28,
    width: 32,
    channels: 3,
    classes: 10,
    costs: options.mode === "plain" ? { base } : { base, small },
    ...info,
  });
}

Deno.test("the first lines tell what is trained on what", () => {
  const { line, text } = made();
  start(line);
  assertEquals(
    text(),
    `adapter  Test GPU
model    resnet8, stem authors, adjoined, compression 4
data     generated: 4,000 training and 1,000 validation images, 32x28 pixels, 3 channels, 10 classes
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
  assertStringIncludes(first, "model    resnet8, stem authors, plain\n");
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
  const { base, small: _, ...rest } = SUMMARY;
  const alone = new Map([["base.safetensors", 999]]);
  line.finish({ ...rest, base }, { files: alone, folder: "b" });
  assertEquals(
    text(),
    `
network  validation top-1  params     MACs   file
base               75.0 %  78,042  12.50 M  999 B
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
    line.work({ ...VALIDATION, done: 0 });
    clock.now = 90_000;
    line.work(VALIDATION);
    line.epoch(EPOCH);
    line.note("A remark.");
    line.end();
    assertEquals(text(), "");
    line.finish(SUMMARY, { files: FILES, folder: "runs/a" });
    assertEquals(text(), RESULT);
  }
});

Deno.test("on a terminal work besides training moves the same line", () => {
  const { line, text, clock } = made({ terminal: true });
  line.work({ ...VALIDATION, done: 0, etaSeconds: NaN });
  assertEquals(
    text(),
    "\repoch 3/12  validation  ────────────  0 %  ETA ?  0 of 10,000 images\x1b[K",
  );
  clock.now = 1000;
  line.work(VALIDATION);
  assertEquals(
    text(),
    "\repoch 3/12  validation  ━━━───────── 25 %  ETA 2:05  2,500 of 10,000 images\x1b[K",
  );
  line.epoch(EPOCH);
  assertStringIncludes(text(), "\r\x1b[Kepoch  3/12  validation base 75.0 %");
});

Deno.test("work that reports each batch redraws the line at most ten times a second", () => {
  const { line, text, clock } = made({ terminal: true });
  const seen: number[] = [];
  for (let done = 0; done <= 100; done++) {
    clock.now = 10 * done;
    line.work({ ...VALIDATION, done, total: 100 });
    if (text()) seen.push(done);
  }
  assertEquals(seen, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
});

Deno.test("in a pipe work has a line every ten seconds, and none at its end", () => {
  const { line, text, clock } = made();
  start(line);
  text();
  const seen: number[] = [];
  for (let second = 0; second <= 40; second++) {
    clock.now = 1000 * second;
    line.work({ ...VALIDATION, done: 250 * second });
    if (text()) seen.push(second);
  }
  assertEquals(seen, [10, 20, 30]);
});

Deno.test("work that is all there is takes its time left from its own pace", () => {
  const { line, text, clock } = made({ terminal: true });
  const work = { what: "evaluation", total: 400, unit: "images" };
  clock.now = 5000;
  line.work({ ...work, done: 0 });
  assertStringIncludes(text(), "ETA ?  0 of 400 images");
  clock.now = 15_000;
  line.work({ ...work, done: 100 });
  // 100 images in 10 s.
  assertStringIncludes(text(), "25 %  ETA 30 s  100 of 400 images");
  clock.now = 55_000;
  line.work({ ...work, done: 300 });
  assertStringIncludes(text(), "75 %  ETA 17 s  300 of 400 images");
  // Other work has a clock of its own.
  clock.now = 60_000;
  line.work({ ...work, what: "verification", done: 0 });
  clock.now = 61_000;
  line.work({ ...work, what: "verification", done: 200 });
  assertStringIncludes(text(), "verification  ━━━━━━────── 50 %  ETA 1.0 s  200 of 400 images");
  line.clear();
  assertEquals(text(), "\r\x1b[K");
});

Deno.test("test images are called test images", () => {
  const { line, text } = made();
  start(line, [], { test: true });
  assertStringIncludes(text(), "4,000 training and 1,000 test images,");
  line.epoch(EPOCH);
  assertStringIncludes(text(), "epoch  3/12  test base 75.0 %  small 71.2 %");
  line.finish(SUMMARY, { files: FILES, folder: "runs/a" });
  assertStringIncludes(text(), "network  test top-1  params");
});

Deno.test("the header of a search says that widths are not chosen, the next what is new", () => {
  const { line, text } = made();
  const base = { params: 78_042, macs: 12_501_632 };
  start(line, [], { what: "search, budget 80.0 % of the parameters", costs: { base } });
  const first = text();
  assertStringIncludes(first, "resnet8, stem authors, search, budget 80.0 % of the parameters\n");
  assertStringIncludes(first, "\nsmall    its widths are not chosen yet\n");
  start(line, [], { what: "training with the widths found" });
  assertEquals(
    text(),
    `
model    resnet8, stem authors, training with the widths found
small    10,890 parameters  5.866 M MACs
`,
  );
});

Deno.test("one run of many has its name before its progress, and nothing else", () => {
  const { line, text } = made({ terminal: true, brief: true });
  start(line, [], { what: "3/14 small, distilled" });
  assertEquals(text(), "");
  line.progress(PROGRESS);
  assertStringIncludes(text(), "\r3/14 small, distilled  epoch 3/12  ━━━───────── 25 %  ETA 2:05");
  line.work(VALIDATION);
  assertStringIncludes(text(), "\r3/14 small, distilled  epoch 3/12  validation");
  line.epoch(EPOCH);
  line.note("A remark.");
  assertEquals(text(), "");
});

Deno.test("waiting for images is told from 5 % on, beside the pace and after an epoch", () => {
  const { line, text, clock } = made();
  start(line, ["--mode", "plain"]);
  text();
  for (const [waiting, told] of [[0.05, ""], [0.123, "  data 12 %"]] as const) {
    clock.now += 20_000;
    line.progress({ ...PROGRESS, waiting });
    assertEquals(text().trimEnd().split("images/s")[1], told);
    line.epoch({ ...EPOCH, waiting });
    assertEquals(text().trimEnd().split("8.3 s")[1], told);
  }
});
