import { cropFlip } from "../data/augment.ts";
import { type Batch, TrainingBatches } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Timing } from "../kernels/program.ts";
import { adjoin } from "../nn/adjoin.ts";
import { model, type Stem } from "../nn/resnet.ts";
import { initialize } from "../nn/state.ts";
import { jobOf } from "./bench_conv.ts";
import { calibrate, elapsed, median, time, waitTime } from "./bench_timing.ts";
import { Learner } from "./learner.ts";
import { type Objective, specsOf } from "./objective.ts";
import { TrainingStep } from "./step.ts";
import { columns, fileSize, grouped } from "./text.ts";
import { tuneTiles } from "./tuning.ts";

/** What is timed. */
export interface StepOptions {
  readonly model: string;
  readonly stem?: Stem;
  readonly batch: number;
  readonly mode: "plain" | "adjoined";
  readonly compression: number;
  readonly maskFrom: number;
  readonly trunk: "shared" | "separate";
  readonly imageSize: number;
  readonly repeats: number;
  /** Whether to time each kernel by itself as well. */
  readonly profile: boolean;
}

/** The kernels of one name in a step. */
export interface KernelTime {
  readonly kernel: string;
  /** How often it runs in a step. */
  readonly runs: number;
  /** All runs together. */
  readonly ms: number;
}

/** What a training step costs. */
export interface StepTimes {
  readonly ms: number;
  readonly imagesPerSecond: number;
  /** All GPU memory in use. Nothing is allocated within a step, so this is its peak. */
  readonly peakBytes: number;
  /** As `peakBytes`, if values within the step were placed without any waste. */
  readonly lowerBoundBytes: number;
  readonly dispatches: number;
  /** Time of the processor for recording and submitting one replay. */
  readonly encodeMs: number;
  /** Tracing, compiling, and the first step until the GPU is done. */
  readonly firstStepSeconds: number;
  /** Time by kernel, the longest first. */
  readonly profile?: readonly KernelTime[];
}

const HYPER = { lr: 0.01, momentum: 0.9, lambda: 1 } as const;
const ENCODINGS = 3;
const PROFILE_REPEATS = 5;

function objectiveOf(options: StepOptions, { classes, channels }: Split["train"]): Objective {
  const { mode, compression, maskFrom, trunk, stem } = options;
  const network = model(options.model, { classes: classes.length, channels, stem });
  return mode === "plain"
    ? { mode, which: "base", network }
    : { mode, adjoined: adjoin(network, { compression, maskFrom, trunk }), detach: false };
}

/** Batches without end, cropped and flipped at random. */
function* batchesOf({ train }: Split, batch: number): Generator<Batch, never> {
  const size = train.width;
  const padding = Math.round(size / 8);
  const augment = (random: Random) => cropFlip({ random, size, padding });
  const batches = new TrainingBatches({ dataset: train, batch, seed: 0, augment });
  for (let epoch = 0;; epoch++) yield* batches.epoch(epoch);
}

/** Adds up the times of the kernels of one name. */
function byKernel(timings: readonly Timing[]): KernelTime[] {
  const groups = Object.entries(Object.groupBy(timings, ({ name }) => name));
  return groups.map(([kernel, found = []]): KernelTime => ({
    kernel,
    runs: found.length,
    ms: found.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
  })).sort((a, b) => b.ms - a.ms);
}

/** Times whole training steps. Raises a `RangeError` for options that make no network. */
export async function benchStep(gpu: Gpu, options: StepOptions): Promise<StepTimes> {
  const { batch, imageSize: size, repeats } = options;
  const split = generatedSplit({ train: batch, validation: 1, size, seed: 0 });
  const objective = objectiveOf(options, split.train);
  const specs = specsOf(objective);
  const normal = new Random(0, "initial weights");
  const network = objective.mode === "adjoined" ? objective.adjoined.base : objective.network;
  const state = initialize(specs, network, () => normal.normal());
  const batches = batchesOf(split, batch);
  using scope = gpu.scope();
  const optimizer = { name: "sgd", weightDecay: 1e-4, nesterov: false } as const;
  const learner = new Learner(scope, { specs, state, optimizer });
  const feed = {
    dataset: split.train,
    normalization: split.normalization,
    batch,
    image: { height: size, width: size },
  };

  const parts = { objective, learner, feed, labelSmoothing: 0 };
  await tuneTiles(gpu, (rehearsal) => TrainingStep.trace(rehearsal, parts));
  const started = performance.now();
  const step = await TrainingStep.trace(scope, parts);
  const job = jobOf(gpu, () => step.run(batches.next().value, HYPER));
  job.submit();
  await job.settle();
  const first = performance.now() - started - await waitTime(job);

  const count = await calibrate(job);
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) times.push(await time(job, count));
  const ms = median(times);
  const { program } = step;
  const encodings: number[] = [];
  for (let i = 0; i < ENCODINGS; i++) {
    encodings.push(await elapsed(() => Promise.resolve(program.replay())));
    await gpu.idle();
  }
  const peakBytes = gpu.live().bytes;
  return {
    ms,
    imagesPerSecond: batch / ms * 1000,
    peakBytes,
    lowerBoundBytes: peakBytes - program.bytes + program.lowerBound,
    dispatches: program.dispatches,
    encodeMs: median(encodings),
    firstStepSeconds: first / 1000,
    ...options.profile ? { profile: byKernel(await program.profile(PROFILE_REPEATS)) } : {},
  };
}

function profileTable(profile: readonly KernelTime[]): string[] {
  const all = profile.reduce((sum, { ms }) => sum + ms, 0);
  const rows = profile.map(({ kernel, runs, ms }) => [
    kernel,
    String(runs),
    ms.toFixed(3),
    `${(100 * ms / all).toFixed(1)} %`,
  ]);
  return [
    "",
    ...columns([["kernel", "runs", "ms", "share"], ...rows, ["all", "", all.toFixed(3)]]),
  ];
}

/** The table of the times. */
export function stepTable(times: StepTimes): string {
  const rows = [
    ["step", `${times.ms.toFixed(2)} ms`],
    ["images", `${times.imagesPerSecond.toFixed(1)} /s`],
    ["GPU memory", `${fileSize(times.peakBytes)}, at least ${fileSize(times.lowerBoundBytes)}`],
    ["kernel runs", grouped(times.dispatches)],
    ["encoding", `${times.encodeMs.toFixed(2)} ms`],
    ["first step", `${times.firstStepSeconds.toFixed(2)} s`],
  ];
  const profile = times.profile ? profileTable(times.profile) : [];
  return [...columns(rows, [0, 1]), ...profile].join("\n") + "\n";
}
