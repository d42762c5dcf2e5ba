import { cropFlip } from "../data/augment.ts";
import { type Batch, TrainingBatches } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { profile } from "../kernels/program/profile.ts";
import type { Program } from "../kernels/program/program.ts";
import type { Scope } from "../kernels/program/scope.ts";
import { adjoin, type Adjoined } from "../nn/compress/adjoin.ts";
import { count, type ImageSize } from "../nn/count.ts";
import type { Which } from "../nn/which.ts";
import { macsTogether } from "../nn/compress/macs_together.ts";
import { model, type Stem, type Variant } from "../nn/families/mod.ts";
import { searchable } from "../nn/compress/searchable.ts";
import { initialize } from "../nn/state.ts";
import { feasible } from "../nn/compress/width_choice.ts";
import { widthCost } from "../nn/compress/width_cost.ts";
import { jobOf } from "./conv.ts";
import { benchCheckpoint, type CheckpointTimes } from "./checkpoint.ts";
import { median } from "../data/median.ts";
import { profileLines, type StepProfile, stepProfile } from "./profile.ts";
import { measureRoofs } from "./roofs.ts";
import { calibrate, elapsed, type Job, time, waitTime } from "./timing.ts";
import { Gates } from "../train/gates.ts";
import { Learner } from "../train/learner.ts";
import { networksOf, type Objective, pairsOf, specsOf } from "../train/objective.ts";
import { type PrecisionChoice, precisionOn } from "../train/precision.ts";
import type { Stateful } from "../train/resume/stateful.ts";
import { TrainingStep } from "../train/step.ts";
import { columns, fileSize, grouped } from "../cli/text.ts";
import { tuneTiles } from "../cli/run/tile_cache.ts";

/** What is timed. */
export interface StepOptions {
  readonly model: string;
  readonly stem?: Stem;
  readonly variant?: Variant;
  readonly batch: number;
  readonly mode: "plain" | "adjoined" | "search";
  readonly compression: number | readonly number[];
  /** Of several small networks, how many each step trains. Default: all. */
  readonly sandwich?: number;
  readonly maskFrom: number;
  readonly trunk: "shared" | "separate";
  readonly imageSize: number;
  /** How values of the step are kept. */
  readonly precision: PrecisionChoice;
  readonly repeats: number;
  /** Whether to time each kernel by itself as well. */
  readonly profile: boolean;
  /** Whether to time the plain step of the base network in turn with that of two networks. */
  readonly besidePlain: boolean;
  /** Whether to time a checkpoint as well. */
  readonly checkpoint: boolean;
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
  /**
   * Time of the processor for recording and submitting one replay, the least of several: a software
   * adapter begins to work on the same cores at once.
   */
  readonly encodeMs: number;
  /** Tracing, compiling, and the first step until the GPU is done. */
  readonly firstStepSeconds: number;
  /** Of two networks: multiply-accumulates over those of the plain step, what `ms` could be. */
  readonly idealOverPlain?: number;
  /** The plain step, timed in turn. */
  readonly plainMs?: number;
  /** The median of the ratios of neighbouring measurements, steadier than that of the medians. */
  readonly overPlain?: number;
  readonly checkpoint?: CheckpointTimes;
  /** Where the time goes. */
  readonly profile?: StepProfile;
}

const HYPER = { lr: 0.01, momentum: 0.9, lambda: 1, noise: [0, 0] } as const;
const DIVISORS = [1, 2, 4, 8];
/** The part of a search that is timed, for its temperature. */
const HALFWAY = 0.5;
const ENCODINGS = 7;
const PROFILE_REPEATS = 5;

function objectiveOf(options: StepOptions, { classes, channels }: Split["train"]): Objective {
  const { mode, compression, maskFrom, trunk, stem, variant } = options;
  const network = model(options.model, { classes: classes.length, channels, stem, variant });
  switch (mode) {
    case "plain":
      return { mode, which: "base", network };
    case "adjoined":
      return {
        mode,
        adjoined: adjoin(network, {
          ...{ maskFrom, trunk },
          small: [compression].flat().map((alpha) => ({ compression: alpha })),
        }),
        detach: false,
      };
    case "search": {
      const search = searchable(network, { maskFrom, trunk, divisors: DIVISORS });
      return { mode, search, detach: false };
    }
  }
}

/** The gates of a search, with a budget in the middle of what is possible. */
function gatesOf(scope: Scope, objective: Objective, size: number): Gates | undefined {
  if (objective.mode !== "search") return;
  const { adjoined, groups } = objective.search;
  const image = { height: size, width: size };
  const cost = widthCost(adjoined.base, groups, { budgeted: "macs", image });
  const { least, most } = feasible(groups, cost);
  const schedule = { lr: 0.05, temperature: [5, 0.5] } as const;
  return new Gates(scope, { groups, cost, budget: (least + most) / 2, seed: 0, schedule });
}

/** Batches without end, cropped and flipped at random. */
function* batchesOf({ train }: Split, batch: number): Generator<Batch, never> {
  const size = train.width;
  const padding = Math.round(size / 8);
  const augment = (random: Random) => cropFlip({ random, size, padding });
  const batches = new TrainingBatches({ dataset: train, batch, seed: 0, augment });
  for (let epoch = 0;; epoch++) yield* batches.epoch(epoch);
}

/** A step on a device, ready to be timed. */
interface Prepared {
  readonly step: TrainingStep;
  /** All that a checkpoint holds. */
  readonly parts: readonly Stateful[];
  readonly job: Job;
  readonly firstMs: number;
  /** Runs between two waits. */
  readonly count: number;
}

async function prepare(
  scope: Scope,
  { split, objective, batch, size, sandwich, precision: choice }: {
    split: Split;
    objective: Objective;
    batch: number;
    size: number;
    sandwich?: number;
    precision: PrecisionChoice;
  },
): Promise<Prepared> {
  const { gpu } = scope;
  const specs = specsOf(objective);
  const normal = new Random(0, "initial weights");
  const { base } = networksOf(objective);
  if (!base) throw new TypeError("Cannot time a step without a base network");
  const state = initialize(specs, base, () => normal.normal());
  const batches = batchesOf(split, batch);
  const optimizer = { name: "sgd", weightDecay: 1e-4, nesterov: false } as const;
  const learner = new Learner(scope, { specs, state, optimizer });
  const feed = {
    dataset: split.train,
    normalization: split.normalization,
    batch,
    image: { height: size, width: size },
  };
  const gates = gatesOf(scope, objective, size);
  const precision = precisionOn(gpu, choice);
  const parts = { objective, learner, feed, labelSmoothing: 0, gates, sandwich, precision };
  await tuneTiles(gpu, (rehearsal) => TrainingStep.trace(rehearsal, parts));
  const started = performance.now();
  const step = await TrainingStep.trace(scope, parts);
  let done = 0;
  const job = jobOf(gpu, () => {
    gates?.prepare(HALFWAY);
    // All draws in turn.
    step.run(batches.next().value, { ...HYPER, sandwich: done++ % step.sandwiches.length });
  });
  job.submit();
  await job.settle();
  const firstMs = performance.now() - started - await waitTime(job);
  const stateful = [learner, step, ...gates ? [gates] : []];
  return { step, parts: stateful, job, firstMs, count: await calibrate(job) };
}

/**
 * Times jobs in turn, `repeats` measurements of each, so that what slows the machine down slows them
 * all: forwards, then backwards, so that none always comes first.
 */
async function inTurn(prepared: readonly Prepared[], repeats: number): Promise<number[][]> {
  const times = prepared.map((): number[] => []);
  const order = [...prepared.entries()];
  for (let i = 0; i < repeats; i++) {
    for (const [k, { job, count }] of order) times[k].push(await time(job, count));
    order.reverse();
  }
  return times;
}

/** Multiply-accumulates of a step over those of the base network; of sandwiches, the mean. */
function idealOverPlain(
  pairs: readonly Adjoined[],
  { sandwiches }: Pick<TrainingStep, "sandwiches">,
  image: ImageSize,
): number {
  // A search names none: it has one pair.
  const isRun = (which: Which, list: readonly Which[]): boolean =>
    !list.length || list.includes(which);
  const macs = sandwiches.map((list) =>
    macsTogether(pairs.filter(({ which }) => isRun(which, list)), image)
  );
  const mean = macs.reduce((sum, of) => sum + of, 0) / macs.length;
  return mean / count(pairs[0].base, image).macs;
}

async function profileOf(gpu: Gpu, program: Program): Promise<StepProfile> {
  return stepProfile(await profile(gpu, program, PROFILE_REPEATS), await measureRoofs(gpu));
}

/** Times whole training steps. Raises a `RangeError` for options that make no network. */
export async function benchStep(gpu: Gpu, options: StepOptions): Promise<StepTimes> {
  const { batch, imageSize: size, repeats } = options;
  const split = generatedSplit({ train: batch, validation: 1, size, seed: 0 });
  const objective = objectiveOf(options, split.train);
  using scope = gpu.scope();
  const { sandwich, precision } = options;
  const prepared = await prepare(scope, { split, objective, batch, size, sandwich, precision });
  const { program } = prepared.step;
  const encodings: number[] = [];
  for (let i = 0; i < ENCODINGS; i++) {
    encodings.push(await elapsed(() => Promise.resolve(program.replay())));
    await gpu.idle();
  }
  const peakBytes = gpu.live().bytes;
  const all = [prepared];
  if (options.besidePlain && objective.mode !== "plain") {
    const alone = objectiveOf({ ...options, mode: "plain" }, split.train);
    all.push(await prepare(scope, { split, objective: alone, batch, size, precision }));
  }
  const [own, plain] = await inTurn(all, repeats);
  const ms = median(own);
  const image = { height: size, width: size };
  const pairs = pairsOf(objective);
  return {
    ms,
    imagesPerSecond: batch / ms * 1000,
    peakBytes,
    lowerBoundBytes: peakBytes - program.bytes + program.lowerBound,
    dispatches: program.dispatches,
    encodeMs: Math.min(...encodings),
    firstStepSeconds: prepared.firstMs / 1000,
    ...pairs.length ? { idealOverPlain: idealOverPlain(pairs, prepared.step, image) } : {},
    ...plain && { plainMs: median(plain), overPlain: median(own.map((t, i) => t / plain[i])) },
    ...options.checkpoint ? { checkpoint: await benchCheckpoint(scope, prepared.parts) } : {},
    ...options.profile ? { profile: await profileOf(gpu, program) } : {},
  };
}

/** The table of the times of a mode. */
export function stepTable(times: StepTimes, mode: StepOptions["mode"]): string {
  const rows = [
    ["step", `${times.ms.toFixed(2)} ms`],
    ["images", `${times.imagesPerSecond.toFixed(1)} /s`],
    ["GPU memory", `${fileSize(times.peakBytes)}, at least ${fileSize(times.lowerBoundBytes)}`],
    ["kernel runs", grouped(times.dispatches)],
    ["encoding", `${times.encodeMs.toFixed(2)} ms`],
    ["first step", `${times.firstStepSeconds.toFixed(2)} s`],
  ];
  const { idealOverPlain, plainMs, overPlain, checkpoint } = times;
  if (checkpoint) {
    const { ms, bytes } = checkpoint;
    rows.push(["checkpoint", `${ms.toFixed(2)} ms, ${fileSize(bytes)}`]);
  }
  if (plainMs !== undefined && overPlain !== undefined) {
    rows.push(["plain step", `${plainMs.toFixed(2)} ms`]);
    rows.push([`${mode} / plain`, overPlain.toFixed(3)]);
  }
  if (idealOverPlain !== undefined) {
    rows.push(["the same in MACs", idealOverPlain.toFixed(3)]);
  }
  const profile = times.profile ? profileLines(times.profile) : [];
  return [...columns(rows, [0, 1]), ...profile].join("\n") + "\n";
}
