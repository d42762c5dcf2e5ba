import type { CropWriter } from "../data/augment.ts";
import { cropFlip, identity, randomResizedCrop } from "../data/augment.ts";
import { TrainingBatches, ValidationBatches } from "../data/batches.ts";
import type { Dataset, Split } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { openDataset } from "../data/folder.ts";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin, type Adjoined, widthsOf } from "../nn/adjoin.ts";
import { count } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { model } from "../nn/resnet.ts";
import { extract, initialize, networkSpecs } from "../nn/state.ts";
import {
  type Architecture,
  type Checkpoint,
  type CheckpointInfo,
  encodeCheckpoint,
  parseCheckpoint,
} from "./checkpoint.ts";
import { DivergedError, UsageError } from "./errors.ts";
import { Learner, type OptimizerOptions, Weights } from "./learner.ts";
import { networksOf, type Objective, specsOf } from "./objective.ts";
import { lambdaAt, rateAt } from "./schedule.ts";
import { Evaluation, type Feed, type TrainingMeans, TrainingStep } from "./step.ts";
import type {
  EpochMetrics,
  NetworkSummary,
  Progress,
  Reporter,
  Score,
  Summary,
  TrainOptions,
  Verification,
  Which,
} from "./types.ts";
import { compare, demandEqual } from "./verify.ts";

/** What a finished run gives: its summary, and the files to save, by name. */
export interface TrainResult {
  readonly summary: Summary;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

function augmentation(
  { augment }: TrainOptions,
  { height, width }: Dataset,
): (random: Random) => CropWriter {
  // A pad of an eighth: 4 pixels at 32, as is usual for CIFAR.
  const size = width;
  const padding = Math.round(width / 8);
  switch (augment) {
    case "none":
      return () => identity();
    case "crop":
      return (random) => cropFlip({ random, size, padding, flip: false });
    case "crop-flip":
      return (random) => cropFlip({ random, size, padding });
    case "resized-crop":
      return (random) =>
        randomResizedCrop({ random, sourceHeight: height, sourceWidth: width, outputSize: size });
  }
}

function optimizer({ opt, weightDecay, nesterov }: TrainOptions): OptimizerOptions {
  return opt === "sgd"
    ? { name: "sgd", weightDecay, nesterov }
    : { name: "adamw", weightDecay, beta2: 0.99, eps: 1e-6 };
}

/** The pair of networks that the options describe. */
export function adjoinedOf(options: TrainOptions, split: Split): Adjoined {
  const { classes, channels } = split.train;
  const { compression, trunk, maskFrom, maskingFactor, seed, stem } = options;
  const base = model(options.model, { classes: classes.length, channels, stem });
  const random = new Random(seed, "spatial masks");
  return adjoin(base, {
    compression,
    trunk,
    maskFrom,
    maskingFactor,
    random: () => random.uniform(),
  });
}

async function loadTeacher(path: string, split: Split): Promise<Checkpoint> {
  const file = path.endsWith(".safetensors") ? path : `${path}/base.safetensors`;
  const bytes = await Deno.readFile(file).catch(() => {
    throw new DataError(
      `Cannot load the teacher: wanted the run folder or safetensors file of a trained base, ` +
        `found no file ${file}`,
    );
  });
  const teacher = parseCheckpoint(bytes, file);
  if (teacher.classes.length !== split.train.classes.length) {
    throw new UsageError(
      `Cannot distill from ${file}: it has ${teacher.classes.length} classes, ` +
        `${split.train.name} has ${split.train.classes.length}`,
    );
  }
  return teacher;
}

function objectiveOf(options: TrainOptions, adjoined: Adjoined, teacher?: Checkpoint): Objective {
  switch (options.mode) {
    case "adjoined":
      return { mode: "adjoined", adjoined, detach: options.detach };
    case "plain":
      return { mode: "plain", which: options.which, network: adjoined[options.which] };
    case "distill":
      if (!teacher) throw new UsageError("Cannot distill without a teacher: pass --teacher");
      return { mode: "distill", which: "small", network: adjoined.small, teacher: teacher.network };
  }
}

/** How to build one of the two networks again. */
function architecture(options: TrainOptions, adjoined: Adjoined, which: Which): Architecture {
  const { model: name, stem, compression, trunk, maskFrom } = options;
  const common = { model: name, which, ...(stem ? { stem } : {}) };
  if (which === "base") return common;
  const keptTaps = Object.fromEntries(
    adjoined.small.layers.flatMap((layer) =>
      layer.kind === "conv2d" && layer.keptTaps ? [[layer.name, layer.keptTaps]] : []
    ),
  );
  const widths = widthsOf(adjoined);
  return { ...common, adjoined: { compression, trunk, maskFrom, widths, keptTaps } };
}

/** Waits for the GPU about once a second: rarely enough to cost nothing, often enough to report. */
class Pace {
  #every = 1;
  #steps = 0;
  #since = performance.now();

  /** Whether to wait after this step. */
  due(): boolean {
    return ++this.#steps >= this.#every;
  }

  waited(): void {
    const seconds = (performance.now() - this.#since) / 1000;
    this.#every = Math.min(64, Math.max(1, Math.round(this.#steps / Math.max(seconds, 1e-3))));
    this.#steps = 0;
    this.#since = performance.now();
  }
}

/** A run in progress. */
class Run {
  readonly #options: TrainOptions;
  readonly #reporter: Reporter;
  readonly #batches: TrainingBatches;
  readonly #step: TrainingStep;
  readonly #evaluation: Evaluation;
  readonly #validation: ValidationBatches;
  readonly #start = performance.now();

  constructor(parts: {
    options: TrainOptions;
    reporter: Reporter;
    batches: TrainingBatches;
    step: TrainingStep;
    evaluation: Evaluation;
    validation: ValidationBatches;
  }) {
    this.#options = parts.options;
    this.#reporter = parts.reporter;
    this.#batches = parts.batches;
    this.#step = parts.step;
    this.#evaluation = parts.evaluation;
    this.#validation = parts.validation;
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  /** Trains one epoch, counted from 0. */
  async epoch(epoch: number): Promise<EpochMetrics> {
    const { epochs, batchSize } = this.#options;
    const steps = this.#batches.length;
    const lambda = this.#options.mode === "adjoined" ? lambdaAt(epoch, epochs) : 1;
    const start = performance.now();
    const pace = new Pace();
    let done = 0;
    let lr = 0;
    let progress: Progress | undefined;
    this.#step.reset();
    for (const batch of this.#batches.epoch(epoch)) {
      const rate = rateAt(epoch * steps + done, steps, this.#options);
      lr = rate.lr;
      this.#step.run(batch, { ...rate, lambda });
      done++;
      if (done < steps && !pace.due()) continue;
      const means = await this.#step.read();
      pace.waited();
      this.#demandFinite(means, { epoch, done });
      const seconds = (performance.now() - start) / 1000;
      const elapsed = this.seconds / (epoch * steps + done);
      progress = {
        epoch: epoch + 1,
        epochs,
        step: done,
        steps,
        imagesPerSecond: done * batchSize / seconds,
        loss: means.loss,
        crossEntropy: means.crossEntropy,
        kl: means.kl,
        lambda,
        lr,
        training: top1(means.scores),
        etaSeconds: elapsed * ((epochs - epoch) * steps - done),
      };
      this.#reporter.progress(progress);
    }
    if (!progress) throw new UsageError("Cannot train: the training set has no batch");
    const validation = await this.#evaluation.scores(this.#validation);
    const { step: _, steps: __, ...rest } = progress;
    return { ...rest, seconds: (performance.now() - start) / 1000, validation };
  }

  #demandFinite(means: TrainingMeans, { epoch, done }: { epoch: number; done: number }): void {
    if (Number.isFinite(means.loss)) return;
    throw new DivergedError(
      `Cannot go on: the loss is ${means.loss} after step ${done} of epoch ${epoch + 1}; lower ` +
        `--lr (found ${this.#options.lr}) or add --warmup-epochs`,
    );
  }
}

function top1(scores: Partial<Record<Which, Score>>): Partial<Record<Which, number>> {
  return Object.fromEntries(Object.entries(scores).map(([which, score]) => [which, score.top1]));
}

function networkSummary(network: Network, score: Score, { train }: Split): NetworkSummary {
  const { params, classifierParams, macs } = count(network, train);
  return { ...score, params: params + classifierParams, macs };
}

/** Encodes the trained networks; the small one of a pair is extracted and proven equal. */
async function finish(
  gpu: Gpu,
  { options, adjoined, objective, learner, feed, scores, info }: {
    options: TrainOptions;
    adjoined: Adjoined;
    objective: Objective;
    learner: Learner;
    feed: Feed;
    scores: Partial<Record<Which, Score>>;
    info: Omit<CheckpointInfo, "architecture">;
  },
): Promise<{ files: Map<string, Uint8Array>; verify?: Verification }> {
  const state = await learner.read();
  const encode = (which: Which, network: Network, values: State): Uint8Array =>
    encodeCheckpoint(network, values, {
      ...info,
      architecture: architecture(options, adjoined, which),
      top1: scores[which]?.top1,
    });
  const files = new Map<string, Uint8Array>();
  if (objective.mode !== "adjoined") {
    const { which, network } = objective;
    files.set(`${which}.safetensors`, encode(which, network, state));
    return { files };
  }
  const small = encode("small", adjoined.small, extract(adjoined, state));
  // What is verified is what is saved: the bytes, read again.
  const extracted = parseCheckpoint(small, "small.safetensors");
  const verify = await compare(gpu, { adjoined, weights: learner, extracted, feed });
  demandEqual(verify);
  files.set("base.safetensors", encode("base", adjoined.base, state));
  files.set("small.safetensors", small);
  return { files, verify };
}

/** Trains as the options say. Raises one of the errors of `errors.ts`; then nothing is saved. */
export async function train(options: TrainOptions, reporter: Reporter): Promise<TrainResult> {
  const { dataset, dataDir, seed, trainSize, valSize, batchSize, epochs } = options;
  const split = await openDataset(dataset, {
    dataDir,
    seed,
    trainCount: trainSize,
    validationCount: valSize,
  });
  const teacher = options.mode === "distill" && options.teacher
    ? await loadTeacher(options.teacher, split)
    : undefined;
  const adjoined = adjoinedOf(options, split);
  const objective = objectiveOf(options, adjoined, teacher);
  const augment = augmentation(options, split.train);
  const batches = new TrainingBatches({ dataset: split.train, batch: batchSize, seed, augment });
  const validation = new ValidationBatches({ dataset: split.validation, batch: batchSize });
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const specs = specsOf(objective);
    const normal = new Random(seed, "initial weights");
    const networks = networksOf(objective);
    const network = networks.base ?? networks.small ?? adjoined.base;
    const state = initialize(specs, network, () => normal.normal());
    const learner = new Learner(scope, { specs, state, optimizer: optimizer(options) });
    const image = { height: split.train.height, width: split.train.width };
    const { normalization } = split;
    const feed = { dataset: split.train, normalization, batch: batchSize, image };
    const validationFeed = { ...feed, dataset: split.validation };
    const started = performance.now();
    reporter.start({
      adapter: gpu.adapter,
      options,
      trainImages: split.train.length,
      validationImages: split.validation.length,
      classes: split.train.classes.length,
      costs: Object.fromEntries(
        Object.entries(networks).map(([which, n]) => {
          const { params, classifierParams, macs } = count(n, image);
          return [which, { params: params + classifierParams, macs }];
        }),
      ),
    });
    const step = await TrainingStep.trace(scope, {
      objective,
      learner,
      feed,
      labelSmoothing: options.smoothing,
      teacher: teacher && new Weights(scope, networkSpecs(teacher.network), teacher.state),
    });
    const evaluation = await Evaluation.trace(scope, {
      objective,
      weights: learner,
      feed: validationFeed,
    });
    const run = new Run({ options, reporter, batches, step, evaluation, validation });
    let scores: Partial<Record<Which, Score>> = {};
    for (let epoch = 0; epoch < epochs; epoch++) {
      const metrics = await run.epoch(epoch);
      scores = metrics.validation;
      reporter.epoch(metrics);
    }
    const { files, verify } = await finish(gpu, {
      options,
      adjoined,
      objective,
      learner,
      feed: validationFeed,
      scores,
      info: {
        classes: split.train.classes,
        image: [image.height, image.width, split.train.channels],
        normalization,
      },
    });
    const summaries = (["base", "small"] as const).flatMap((which) => {
      const score = scores[which];
      const found = networks[which];
      return score && found ? [[which, networkSummary(found, score, split)] as const] : [];
    });
    const summary: Summary = {
      mode: options.mode,
      model: options.model,
      dataset,
      seed,
      adapter: gpu.adapter,
      epochs,
      seconds: (performance.now() - started) / 1000,
      ...Object.fromEntries(summaries),
      ...(verify ? { verify } : {}),
    };
    return { summary, files };
  } finally {
    gpu.destroy();
  }
}
