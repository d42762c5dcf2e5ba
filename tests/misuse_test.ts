// The library used wrongly on purpose: each wrong number, name or array is refused with a typed error
// that says what was wanted, and nothing goes on in silence.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  adjoin,
  type Batch,
  centralCrop,
  checkDataset,
  cropFlip,
  type Dataset,
  Device,
  Evaluation,
  Gates,
  generatedSplit,
  generateImages,
  Gpu,
  initialize,
  klWeightAt,
  lambdaAt,
  Learner,
  maskedConv2d,
  measureNormalization,
  model,
  networksOf,
  networkSpecs,
  type Objective,
  type OptimizerOptions,
  profile,
  Random,
  randomResizedCrop,
  rateAt,
  type ScheduleOptions,
  specsOf,
  TrainingBatches,
  TrainingStep,
  ValidationBatches,
  Weights,
  widthCost,
  widthGroups,
} from "../mod.ts";

/** A value of a type that it has not. */
function misfit<T>(value: unknown): T {
  return value as T;
}

interface Misuse {
  readonly run: () => unknown;
  readonly error: typeof TypeError | typeof RangeError;
  readonly text: string;
}

const range = (text: string, run: () => unknown): Misuse => ({ run, error: RangeError, text });
const type = (text: string, run: () => unknown): Misuse => ({ run, error: TypeError, text });

async function refused({ run, error, text }: Misuse): Promise<void> {
  const found = await assertRejects(async () => await run(), Error);
  assertEquals(found.constructor, error, `${found}`);
  assertStringIncludes(found.message, text);
  assert(/^Cannot /.test(found.message), found.message);
}

const { train, validation, normalization } = generatedSplit({
  train: 12,
  validation: 5,
  size: 12,
  seed: 3,
});
const SCHEDULE: ScheduleOptions = {
  sched: "cosine",
  lr: 0.1,
  momentum: 0.9,
  decayRate: 0.1,
  warmupEpochs: 0,
  epochs: 4,
};
const KL = { klSchedule: "ramp", klWeight: 1, epochs: 4 } as const;
const rate = (options: Partial<ScheduleOptions>, step = 0, steps = 3) => () =>
  rateAt(step, steps, { ...SCHEDULE, ...options });
const dataset = (change: object): Dataset => misfit({ ...train, ...change });
const random = new Random(1);
const resized = { random, sourceHeight: 12, sourceWidth: 12, outputSize: 12 };

const PLAIN: Readonly<Record<string, Misuse>> = {
  "Random: seed NaN": range("a seed is a whole number", () => new Random(NaN)),
  "Random: seed 0.5": range("a seed is a whole number", () => new Random(0.5)),
  "Random: integer below NaN": range("below NaN", () => random.integer(NaN)),
  "rateAt: unknown schedule": range(
    'wanted a schedule out of constant, step, cosine, onecycle, found "linear"',
    rate({ sched: misfit("linear") }),
  ),
  "rateAt: lr NaN": range(
    "wanted lr to be a finite number from 0 on, found NaN",
    rate({ lr: NaN }),
  ),
  "rateAt: no lr": type("wanted lr to be a finite number", rate({ lr: misfit(undefined) })),
  "rateAt: lr below 0": range("found -1", rate({ lr: -1 })),
  "rateAt: momentum 1": range("from 0 and below 1, found 1", rate({ momentum: 1 })),
  "rateAt: momentum NaN": range("wanted momentum", rate({ momentum: NaN })),
  "rateAt: zero epochs": range("wanted the epochs to be a whole number", rate({ epochs: 0 })),
  "rateAt: warm-up NaN": range("wanted the epochs of warm-up", rate({ warmupEpochs: NaN })),
  "rateAt: decay rate NaN": range("wanted the decay rate", rate({ decayRate: NaN })),
  "rateAt: step NaN": range("wanted the step to be a whole number from 0 to 12", rate({}, NaN)),
  "rateAt: step after the run": range("from 0 to 12, found 13", rate({}, 13)),
  "rateAt: no steps": range("wanted the steps of an epoch", rate({}, 0, 0)),
  "lambdaAt: epoch NaN": range("wanted the epoch to be a whole number", () => lambdaAt(NaN, 8)),
  "klWeightAt: another schedule": range(
    "the schedule is authors or constant or ramp",
    () => klWeightAt(0, 1, { ...KL, klSchedule: misfit("linear") }),
  ),
  "klWeightAt: a weight below 0": range(
    "wanted its weight to be a finite number from 0 on",
    () => klWeightAt(0, 1, { ...KL, klWeight: -1 }),
  ),
  "klWeightAt: a step after the run": range(
    "wanted the step to be a whole number from 0 to 4",
    () => klWeightAt(5, 1, KL),
  ),
  "lambdaAt: zero epochs": range("wanted the epochs to be a whole number", () => lambdaAt(0, 0)),
  "cropFlip: size NaN": range("found NaN", () => cropFlip({ random, size: NaN, padding: 0 })),
  "cropFlip: padding NaN": range("found NaN", () => cropFlip({ random, size: 12, padding: NaN })),
  "cropFlip: padding as large as the image": range(
    "wanted a padding from 0 to 11",
    () => cropFlip({ random, size: 12, padding: 12 }),
  ),
  "randomResizedCrop: size 0": range(
    "wanted outputSize",
    () => randomResizedCrop({ ...resized, outputSize: 0 }),
  ),
  "randomResizedCrop: scale NaN": range(
    "wanted a scale within (0, 1]",
    () => randomResizedCrop({ ...resized, scale: [NaN, 1] }),
  ),
  "randomResizedCrop: ratio 0": range(
    "wanted two ascending positive ratios",
    () => randomResizedCrop({ ...resized, ratio: [0, 1] }),
  ),
  "centralCrop: fraction NaN": range(
    "wanted a fraction within (0, 1]",
    () => centralCrop({ ...resized, fraction: NaN }),
  ),
  "generateImages: count NaN": range(
    "Cannot generate NaN images",
    () => generateImages({ count: NaN, seed: 0 }),
  ),
  "generateImages: size NaN": range(
    "images of NaN pixels",
    () => generateImages({ count: 1, size: NaN, seed: 0 }),
  ),
  "generateImages: seed NaN": range(
    "a seed is a whole number",
    () => generateImages({ count: 1, seed: NaN }),
  ),
  "generatedSplit: no validation images": range(
    "Cannot generate 0 images",
    () => generatedSplit({ train: 1, validation: 0, seed: 0 }),
  ),
  "checkDataset: float pixels": type(
    "wanted pixels in a Uint8Array, found a Float32Array",
    () => checkDataset(dataset({ pixels: new Float32Array(train.pixels.length) })),
  ),
  "checkDataset: float labels": type(
    "wanted labels in a Uint8Array or a Uint16Array, found a Float64Array",
    () => checkDataset(dataset({ labels: new Float64Array(12).fill(NaN) })),
  ),
  "checkDataset: labels in a list": type(
    "wanted labels in a Uint8Array or a Uint16Array, found none",
    () => checkDataset(dataset({ labels: Array(12).fill(0.5) })),
  ),
  "measureNormalization: float pixels": type(
    "wanted pixels in a Uint8Array",
    () => measureNormalization(dataset({ pixels: new Float32Array(train.pixels.length) })),
  ),
  "TrainingBatches: batch 0": range(
    "batches of 0 images",
    () => new TrainingBatches({ dataset: train, batch: 0, seed: 0 }),
  ),
  "TrainingBatches: batch NaN": range(
    "batches of NaN images",
    () => new TrainingBatches({ dataset: train, batch: NaN, seed: 0 }),
  ),
  "TrainingBatches: batch larger than the set": range(
    "batches of 13 images",
    () => new TrainingBatches({ dataset: train, batch: 13, seed: 0 }),
  ),
  "TrainingBatches: seed NaN": range(
    "a seed is a whole number",
    () => new TrainingBatches({ dataset: train, batch: 4, seed: NaN }),
  ),
  "TrainingBatches: epoch NaN": range(
    "wanted the epoch to be a whole number",
    () => new TrainingBatches({ dataset: train, batch: 4, seed: 0 }).epoch(NaN),
  ),
  "TrainingBatches: first batch -1": range(
    "wanted the first batch to be a whole number from 0 to 3, found -1",
    () => new TrainingBatches({ dataset: train, batch: 4, seed: 0 }).epoch(0, -1),
  ),
  "TrainingBatches: float pixels": type(
    "wanted pixels in a Uint8Array",
    () =>
      new TrainingBatches({
        dataset: dataset({ pixels: new Float32Array(train.pixels.length) }),
        batch: 4,
        seed: 0,
      }),
  ),
  "ValidationBatches: batch 0": range(
    "batches of 0 images",
    () => new ValidationBatches({ dataset: train, batch: 0 }),
  ),
  "ValidationBatches: batch NaN": range(
    "batches of NaN images",
    () => new ValidationBatches({ dataset: train, batch: NaN }),
  ),
  "adjoin: unknown trunk": range(
    'found "nonsense"',
    () => adjoin(model("resnet8", { classes: 10 }), { compression: 4, trunk: misfit("nonsense") }),
  ),
  ...Object.fromEntries(
    [0, -1, 1.5, NaN].map((maxWorkgroups) => [
      `Gpu: maxWorkgroups ${maxWorkgroups}`,
      range(
        `wanted maxWorkgroups to be a whole number from 1 to 4294836225, found ${maxWorkgroups}`,
        () => Gpu.open({ maxWorkgroups }),
      ),
    ]),
  ),
};

for (const [name, misuse] of Object.entries(PLAIN)) {
  Deno.test(`refused: ${name}`, () => refused(misuse));
}

Deno.test("a label outside the classes is refused when a dataset is checked", async () => {
  const error = await assertRejects(
    async () => await checkDataset(dataset({ labels: new Uint8Array(12).fill(10) })),
    Error,
  );
  assertEquals(error.name, "DataError");
});

const network = model("resnet8", { classes: 10 });
const OBJECTIVE: Objective = { mode: "plain", which: "base", network };
const SGD: OptimizerOptions = { name: "sgd", weightDecay: 0, nesterov: false };
const image = { height: 12, width: 12 };

/** What a step refuses, with a batch and numbers that are right but for a change. */
async function misusesOf(gpu: Gpu, scope: ReturnType<Gpu["scope"]>) {
  const specs = networkSpecs(network);
  const state = initialize(specs, network, () => random.normal());
  const learner = (change: object): Learner =>
    new Learner(scope, { specs, state, optimizer: misfit({ ...SGD, ...change }) });
  const objective = (change: object): Objective => misfit({ ...OBJECTIVE, ...change });
  const feed = { dataset: train, normalization, batch: 4, image };
  const own = learner({});
  const step = await TrainingStep.trace(scope, {
    objective: OBJECTIVE,
    learner: own,
    feed,
    labelSmoothing: 0,
  });
  const weights = new Weights(scope, specs, state);
  const evaluation = await Evaluation.trace(scope, {
    objective: OBJECTIVE,
    weights,
    feed: { ...feed, dataset: validation },
  });
  const [batch] = new TrainingBatches({ dataset: train, batch: 4, seed: 0 }).epoch(0);
  const run = (change: object, numbers: object = {}) => () =>
    step.run(misfit<Batch>({ ...batch, ...change }), {
      lr: 0.1,
      momentum: 0.9,
      lambda: 1,
      ...numbers,
    });
  const crops = (...crop: number[]) => ({
    crops: Float32Array.from({ length: 16 }, (_, i) => crop[i % 4]),
  });
  const adamw = { name: "adamw", weightDecay: 0, beta2: 0.99, eps: 1e-8 };
  const groups = widthGroups(network, { divisors: [1, 2] });
  const cost = widthCost(network, groups, { image, budgeted: "macs" });
  const schedule = { lr: 0.1, temperature: [5, 1] as const };
  const gates = (change: object) =>
    new Gates(scope, { groups, cost, budget: 0.6, seed: 0, schedule, ...change });
  const short = new Map(state).set("fc.bias", new Float32Array(3));
  const batches = new ValidationBatches({ dataset: validation, batch: 4 });
  const tracing = (change: object) => () =>
    TrainingStep.trace(scope, {
      objective: OBJECTIVE,
      learner: own,
      feed,
      labelSmoothing: 0,
      ...change,
    });
  const misuses: Readonly<Record<string, Misuse>> = {
    "run: lr NaN": range(
      "wanted lr to be a finite number from 0 on, found NaN",
      run({}, { lr: NaN }),
    ),
    "run: no lr": type("wanted lr to be a finite number", run({}, { lr: undefined })),
    "run: momentum NaN": range("wanted momentum", run({}, { momentum: NaN })),
    "run: momentum 1": range("wanted momentum", run({}, { momentum: 1 })),
    "run: lambda NaN": range("wanted lambda", run({}, { lambda: NaN })),
    "run: no lambda": type("wanted lambda", run({}, { lambda: undefined })),
    "run: float pixels": type(
      "wanted 1728 pixels in a Uint8Array, found 1728 in a Float32Array",
      run({ pixels: new Float32Array(1728) }),
    ),
    "run: too few pixels": type(
      "found 432 in a Uint8Array",
      run({ pixels: new Uint8Array(432) }),
    ),
    "run: pixels that end within a word": type(
      "wanted pixels in whole words",
      run({ pixels: new Uint8Array(new ArrayBuffer(1730), 2, 1728) }),
    ),
    "run: float labels": type("4 labels in a Uint32Array", run({ labels: new Float32Array(4) })),
    "run: too many labels": type("found 5 in a Uint32Array", run({ labels: new Uint32Array(5) })),
    "run: a label outside the classes": range(
      "wanted labels below its 10 classes, found 10 at image 0",
      run({ labels: new Uint32Array(4).fill(10) }),
    ),
    "run: crops of another size": type("wanted 16 crops", run({ crops: new Float32Array(12) })),
    "run: crops NaN": range("x0, y0, stepX, stepY = NaN, 0, 1, 1", run(crops(NaN, 0, 1, 1))),
    "run: a step of a crop NaN": range("= 0, 0, 1, NaN", run(crops(0, 0, 1, NaN))),
    "run: crops beside the image": range("= 12, 0, 1, 1", run(crops(12, 0, 1, 1))),
    "run: crops above the image": range("= 0, -13, 1, 1", run(crops(0, -13, 1, 1))),
    "run: a count that does not fit": range("found a count of 3", run({ count: 3 })),
    "run: a count NaN": range("found a count of NaN", run({ count: NaN })),
    "scores: no batches": type("Cannot score no images", () => evaluation.scores([])),
    "scores: batches of another size": type(
      "Cannot use a batch of 4 images",
      () => evaluation.scores(new ValidationBatches({ dataset: validation, batch: 5 })),
    ),
    "scores: a count of 0": range(
      "wanted the count to be a whole number from 1 to 4, found 0",
      () => evaluation.scores([...batches].map((one) => ({ ...one, count: 0 }))),
    ),
    "logits: of another network": type(
      "Cannot read the logits of small",
      () => evaluation.logits(batch, "small"),
    ),
    "Learner: unknown optimizer": type(
      'wanted the optimizer sgd or adamw, found "lion"',
      () => learner({ name: "lion" }),
    ),
    "Learner: weight decay NaN": range(
      "wanted the weight decay",
      () => learner({ weightDecay: NaN }),
    ),
    "Learner: no weight decay": type(
      "wanted the weight decay",
      () => learner({ weightDecay: undefined }),
    ),
    "Learner: no nesterov": type("wanted nesterov", () => learner({ nesterov: undefined })),
    "Learner: beta2 1": range("wanted beta2", () => learner({ ...adamw, beta2: 1 })),
    "Learner: eps 0": range("wanted eps", () => learner({ ...adamw, eps: 0 })),
    "prepare: lr NaN": range("wanted lr", () => own.prepare({ lr: NaN, momentum: 0 })),
    "prepare: momentum 1": range("wanted momentum", () => own.prepare({ lr: 1, momentum: 1 })),
    "load: a state of another size": type(
      "wanted 10 values of fc.bias [10], found 3",
      () => weights.load(short),
    ),
    "trace: label smoothing NaN": range("label smoothing", tracing({ labelSmoothing: NaN })),
    "trace: unknown mode": range(
      "Cannot use an objective: mode is adjoined or search or plain or distill",
      tracing({ objective: objective({ mode: "both" }) }),
    ),
    "trace: unknown network": range(
      "wanted base, small or a name that begins with small- as which",
      tracing({ objective: objective({ which: "large" }) }),
    ),
    "trace: distill without a teacher": type(
      "wanted teacher, found none",
      tracing({ objective: objective({ mode: "distill" }) }),
    ),
    "trace: batch NaN": type("found [NaN]", tracing({ feed: { ...feed, batch: NaN } })),
    "trace: image NaN": range(
      "to NaNx12",
      tracing({ feed: { ...feed, image: { height: NaN, width: 12 } } }),
    ),
    "trace: a mean NaN": type(
      "is a number, found NaN",
      tracing({ feed: { ...feed, normalization: { ...normalization, mean: [0, NaN, 0] } } }),
    ),
    "trace: a deviation of 0": range(
      "standard deviations above 0",
      tracing({ feed: { ...feed, normalization: { ...normalization, std: [0, 1, 1] } } }),
    ),
    "specsOf: unknown mode": range("mode is", () => specsOf(objective({ mode: undefined }))),
    "networksOf: adjoined without a pair": type(
      "wanted adjoined, found none",
      () => networksOf(objective({ mode: "adjoined", detach: false })),
    ),
    "networksOf: no detach": type(
      "wanted detach to be true or false",
      () => networksOf(misfit({ mode: "adjoined", adjoined: adjoin(network, { compression: 4 }) })),
    ),
    "Gates: budget NaN": range("wanted the budget", () => gates({ budget: NaN })),
    "Gates: seed NaN": range("wanted the seed", () => gates({ seed: NaN })),
    "Gates: lr NaN": range("wanted lr", () => gates({ schedule: { ...schedule, lr: NaN } })),
    "Gates: temperature 0": range(
      "wanted a temperature",
      () => gates({ schedule: { ...schedule, temperature: [5, 0] } }),
    ),
    "Gates: prepare(NaN)": range("wanted the part of it", () => gates({}).prepare(NaN)),
    "profile: no repeats": range("wanted the repeats", () => profile(gpu, step.program, 0)),
    "Device: maxWorkgroups NaN": range(
      "wanted maxWorkgroups",
      () =>
        new Device({
          device: gpu.device,
          adapter: gpu.adapter,
          preset: gpu.preset,
          broadcast: 0,
          abilities: gpu.abilities,
          origin: null,
        }, NaN),
    ),
    "maskedConv2d: half a filter": range(
      "wanted to keep 1 to 4 filters, found 1.5",
      () =>
        maskedConv2d.reference([
          { shape: [1, 1, 1, 4], data: new Float64Array(4) },
          { shape: [1, 1, 4, 4], data: new Float64Array(16) },
        ], { stride: 1, padding: 0, keepOut: 1.5 }),
    ),
  };
  return {
    misuses,
    right: run({}),
    read: () => step.read(),
    score: () => evaluation.scores(batches),
  };
}

Deno.test("steps, learners, evaluations and gates refuse what they cannot use", async (t) => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const { misuses, right, read, score } = await misusesOf(gpu, scope);
    for (const [name, misuse] of Object.entries(misuses)) {
      await t.step(`refused: ${name}`, () => refused(misuse));
    }
    await t.step("what is right goes on", async () => {
      right();
      assert(Number.isFinite((await read()).loss));
      assert(Number.isFinite((await score()).base?.loss));
    });
  } finally {
    gpu.destroy();
  }
});
