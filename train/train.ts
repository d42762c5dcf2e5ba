import { TrainingBatches, ValidationBatches } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import { openDataset } from "../data/folder.ts";
import { Random } from "../data/random.ts";
import { Gpu } from "../kernels/gpu.ts";
import { count } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { Epochs } from "./epochs.ts";
import { finish } from "./finish.ts";
import { loadGiven } from "./given.ts";
import { startFrom } from "./init.ts";
import { Learner, Weights } from "./learner.ts";
import { normalized } from "./normalization.ts";
import { networksOf, specsOf } from "./objective.ts";
import { adjoinedOf, augmentation, loadTeacher, objectiveOf, optimizer } from "./setup.ts";
import { Evaluation, TrainingStep } from "./step.ts";
import { tuneTiles } from "./tuning.ts";
import type { NetworkSummary, Reporter, Score, Summary, TrainOptions, Which } from "./types.ts";

/** What a finished run gives: its summary, and the files to save, by name. */
export interface TrainResult {
  readonly summary: Summary;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

function networkSummary(network: Network, score: Score, { train }: Split): NetworkSummary {
  const { params, classifierParams, macs } = count(network, train);
  return { ...score, params: params + classifierParams, macs };
}

/** Trains as the options say. Raises one of the errors of `errors.ts`; then nothing is saved. */
export async function train(options: TrainOptions, reporter: Reporter): Promise<TrainResult> {
  const { dataset, dataDir, seed, trainSize, valSize, batchSize, epochs } = options;
  const given = await loadGiven(options);
  const opened = await openDataset(dataset, {
    dataDir,
    seed,
    trainCount: trainSize,
    validationCount: valSize,
  });
  const { split, notes } = normalized(options, opened, given);
  const teacher = options.mode === "distill" && options.teacher
    ? await loadTeacher(options.teacher, split)
    : undefined;
  const adjoined = adjoinedOf(options, split);
  const objective = objectiveOf(options, adjoined, teacher);
  const start = given && startFrom(given, options, { objective, adjoined });
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
    const drawn = initialize(specs, network, () => normal.normal());
    const state = new Map([...drawn, ...start?.state ?? []]);
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
    for (const note of [...start?.notes ?? [], ...notes]) reporter.note(note);
    if (options.mode === "adjoined" && epochs === 1) {
      reporter.note("the small network learns nothing in a single epoch, as lambda starts at 0");
    }
    const parts = {
      objective,
      learner,
      feed,
      labelSmoothing: options.smoothing,
      teacher: teacher && {
        weights: new Weights(scope, networkSpecs(teacher.network), teacher.state),
        normalization: teacher.normalization,
      },
    };
    const tuned = await tuneTiles(gpu, (rehearsal) => TrainingStep.trace(rehearsal, parts));
    if (tuned.length) {
      reporter.note(`timed tiles for ${tuned.length} convolutions, once for this GPU`);
    }
    const step = await TrainingStep.trace(scope, parts);
    const evaluation = await Evaluation.trace(scope, {
      objective,
      weights: learner,
      feed: validationFeed,
    });
    const run = new Epochs({ options, reporter, batches, step, evaluation, validation });
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
