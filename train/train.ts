import type { Split } from "../data/dataset.ts";
import { Gpu } from "../kernels/gpu.ts";
import { count } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { Epochs } from "./epochs.ts";
import { DivergedError } from "./errors.ts";
import { finish } from "./finish.ts";
import {
  initialState,
  type Job,
  type JobWeights,
  openJob,
  traceEvaluation,
  traceStep,
  weightsOf,
} from "./job.ts";
import { networksOf, type Objective } from "./objective.ts";
import { demandFiniteTeacher } from "./teacher.ts";
import { plural } from "../cli/text.ts";
import { tuneTiles } from "../cli/run/tile_cache.ts";
import type { NetworkSummary, Reporter, Score, Summary, TrainOptions, Which } from "./types.ts";

/** What a finished run gives: its summary, and the files to save, by name. */
export interface TrainResult {
  readonly summary: Summary;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

type Scores = Partial<Record<Which, Score>>;

function networkSummary(network: Network, score: Score, { train }: Split): NetworkSummary {
  const { params, macs } = count(network, train);
  return { ...score, params, macs };
}

/** The mode, and how wide the small network is. */
function inWords({ mode, compression, widths }: TrainOptions, objective: Objective): string {
  if (!networksOf(objective).small) return mode;
  return `${mode}, ${widths ? "given widths" : `compression ${compression}`}`;
}

/** Tells what is about to be trained. `what` says it in words. */
export function announce(
  gpu: Gpu,
  { options, split, objective, notes }: Job,
  reporter: Reporter,
  what = inWords(options, objective),
): void {
  reporter.start({
    adapter: gpu.adapter,
    options,
    what,
    trainImages: split.train.length,
    validationImages: split.validation.length,
    classes: split.train.classes.length,
    costs: Object.fromEntries(
      Object.entries(networksOf(objective)).map(([which, network]) => {
        const { params, macs } = count(network, split.train);
        return [which, { params, macs }];
      }),
    ),
  });
  for (const note of notes) reporter.note(note);
  if (options.mode === "adjoined" && options.epochs === 1) {
    reporter.note("the small network learns nothing in a single epoch, as lambda starts at 0");
  }
}

/** Trains all epochs, and gives back the memory that took; returns the scores after the last. */
export async function learn(
  gpu: Gpu,
  job: Job,
  { weights, reporter }: { weights: JobWeights; reporter: Reporter },
): Promise<Scores> {
  await tuneTiles(gpu, (rehearsal) => traceStep(rehearsal, job, weights), {
    begin: (works) =>
      reporter.note(`timing tiles for ${plural(works, "convolution")}, once for this GPU`),
  });
  using scope = gpu.scope();
  const step = await traceStep(scope, job, weights);
  const evaluation = await traceEvaluation(scope, job, weights);
  const run = new Epochs({ ...job, ...weights, reporter, step, evaluation });
  let scores: Scores = {};
  for (let epoch = 0; epoch < job.options.epochs; epoch++) {
    const metrics = await run.epoch(epoch).catch(async (error) => {
      if (error instanceof DivergedError) await demandFiniteTeacher(gpu, job);
      throw error;
    });
    scores = metrics.validation;
    reporter.epoch(metrics);
  }
  return scores;
}

/** Does a job on a GPU, from `state` on. */
export async function runJob(
  gpu: Gpu,
  job: Job,
  reporter: Reporter,
  state: State = initialState(job),
): Promise<TrainResult> {
  const { options, split, objective } = job;
  const { mode, model, dataset, seed, epochs } = options;
  using scope = gpu.scope();
  const weights = weightsOf(scope, job, state);
  const started = performance.now();
  announce(gpu, job, reporter);
  const scores = await learn(gpu, job, { weights, reporter });
  const { files, verify } = await finish(gpu, job, { ...weights, scores });
  const networks = networksOf(objective);
  const summaries = (["base", "small"] as const).flatMap((which) => {
    const score = scores[which];
    const found = networks[which];
    return score && found ? [[which, networkSummary(found, score, split)] as const] : [];
  });
  const summary: Summary = {
    mode,
    model,
    dataset,
    seed,
    adapter: gpu.adapter,
    epochs,
    seconds: (performance.now() - started) / 1000,
    ...Object.fromEntries(summaries),
    ...(verify ? { verify } : {}),
  };
  return { summary, files };
}

/** Trains as the options say. Raises one of the errors of `errors.ts`; then nothing is saved. */
export async function train(options: TrainOptions, reporter: Reporter): Promise<TrainResult> {
  const job = await openJob(options);
  const gpu = await Gpu.open();
  try {
    return await runJob(gpu, job, reporter);
  } finally {
    gpu.destroy();
  }
}
