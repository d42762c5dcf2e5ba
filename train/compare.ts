import { firstBatch } from "../data/picture_batches.ts";
import type { AnySplit } from "../data/dataset.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { State } from "../nn/parameters.ts";
import { pruneByMagnitude } from "../nn/compress/prune.ts";
import { uniformWidths } from "../nn/compress/width_uniform.ts";
import { type Checkpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { Estimate, type Workload } from "./estimate.ts";
import { type Job, jobOn, type RunInputs } from "./job.ts";
import { latencyProgress } from "./latency_progress.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { OnnxSession, RUNTIME } from "../export/onnx_session.ts";
import { findWidths, type SearchJob, searchOn, type SearchOptions, trainFound } from "./search.ts";
import { isTest, runJob, type TrainResult } from "./train.ts";
import { workloads } from "./workloads.ts";
import type { Reporter, TrainOptions, Which } from "./types.ts";
import type { WidthsFound } from "../export/widths_file.ts";

/** The methods that are compared, in the order of tables and pictures. */
export const METHODS = [
  "base alone",
  "base, adjoined",
  "base, adjoined, searched widths",
  "small alone",
  "small, distilled from the base alone",
  "small, pruned by magnitude and fine-tuned",
  "small, adjoined",
  "small, adjoined, searched widths",
] as const;

/** One of {@link METHODS}. */
export type Method = typeof METHODS[number];

/** The trainings of a seed: two methods of some are the two networks of one pair. */
const RUNS = [
  { folder: "base-alone", what: "base alone" },
  { folder: "small-alone", what: "small alone" },
  { folder: "small-distilled", what: "small, distilled" },
  { folder: "small-pruned", what: "small, pruned" },
  { folder: "adjoined", what: "adjoined" },
  { folder: "search", what: "search of widths" },
  { folder: "adjoined-searched", what: "adjoined, searched widths" },
] as const;

/** Runs for each seed; one of them is a search, and gives no networks. */
export const RUNS_OF_SEED: number = RUNS.length;

type RunFolderName = typeof RUNS[number]["folder"];

/** Begins of the names of the folders that a comparison keeps networks in, before "-" and the seed. */
export const NETWORK_FOLDERS: readonly string[] = RUNS.map(({ folder }) => folder)
  .filter((folder) => folder !== "search");

/** A training of a comparison, with all that there is to keep of it. */
export interface ComparedRun {
  /** The folder that it is kept in, as `small-alone-0`. */
  readonly folder: string;
  readonly options: TrainOptions;
  readonly result: TrainResult;
  /** The widths, where they were searched. */
  readonly widths?: WidthsFound;
}

/** The result of one method with one seed. */
export interface Outcome {
  readonly method: Method;
  readonly seed: number;
  /** Part of the validation images that are told rightly. */
  readonly top1: number;
  /** Parameters, the classifier's included. */
  readonly params: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Milliseconds for one image in onnxruntime-web, one thread. */
  readonly latency: number;
  /** The network, from the folder of the comparison on: `small-alone-0/small.safetensors`. */
  readonly file: string;
}

/** All outcomes so far, and what they were had with. */
export interface Comparison {
  readonly model: string;
  readonly dataset: string;
  readonly epochs: number;
  readonly search: SearchOptions;
  readonly adapter: string;
  readonly runtime: string;
  /** Whether accuracies are those on the test images of the set. */
  readonly test: boolean;
  /** Since the start of the comparison. */
  readonly seconds: number;
  readonly outcomes: readonly Outcome[];
}

const LATENCY_RUNS = 20;

async function latencyOf(
  checkpoint: Checkpoint,
  { validation }: AnySplit,
  reporter: Reporter,
): Promise<number> {
  const { bytes } = encodeOnnx(checkpoint, { includeNormalization: false });
  const session = await OnnxSession.open(bytes, "a trained network");
  try {
    const first = await firstBatch({ dataset: validation, batch: 1 });
    return await session.latency(first, LATENCY_RUNS, latencyProgress(reporter, LATENCY_RUNS));
  } finally {
    await session.close();
  }
}

/** A trained network out of the files of a run. */
function checkpointOf({ files }: TrainResult, which: Which): Checkpoint {
  const bytes = files.get(`${which}.safetensors`);
  if (!bytes) throw new TypeError(`Cannot compare: the run saved no ${which} network`);
  return parseCheckpoint(bytes, `${which}.safetensors`);
}

/** Receivers of what a comparison does. */
interface Told {
  readonly reporter: Reporter;
  /** Is told each training as soon as it has ended. */
  readonly trained: (run: ComparedRun) => Promise<void>;
  /** Is told each outcome. */
  readonly done: (outcome: Outcome) => Promise<void>;
}

/** The methods of one seed, one after the other. */
class Seed {
  readonly #gpu: Gpu;
  readonly #opened: SearchJob;
  readonly #options: TrainOptions;
  readonly #told: Told;
  readonly #estimate: Estimate;
  /** Runs of seeds before this one, and of all seeds. */
  readonly #runs: { readonly before: number; readonly all: number };

  constructor(gpu: Gpu, { opened, options, told, estimate, runs }: {
    opened: SearchJob;
    options: TrainOptions;
    told: Told;
    estimate: Estimate;
    runs: { readonly before: number; readonly all: number };
  }) {
    this.#gpu = gpu;
    this.#opened = opened;
    this.#options = options;
    this.#told = told;
    this.#estimate = estimate;
    this.#runs = runs;
  }

  get #inputs(): RunInputs {
    const { split, chooseTiles } = this.#opened.job;
    return { split, chooseTiles };
  }

  /** The trainings without the search, as jobs; the teacher of the distillation is not there yet. */
  #jobs(): { whole: Job; small: Job; both: Job } {
    const { job: { split, adjoined }, options: find } = this.#opened;
    const inputs = this.#inputs;
    const widths = uniformWidths(adjoined.base, this.#options, { ...find, image: split.train });
    const options = { ...this.#options, widths };
    return {
      whole: jobOn(inputs, { ...options, mode: "plain", which: "base" }),
      small: jobOn(inputs, { ...options, mode: "plain", which: "small" }),
      both: jobOn(inputs, options),
    };
  }

  /** The work of each of the {@link RUNS}; searched widths cost what uniform ones do. */
  works(): Workload[][] {
    const { whole, small, both } = this.#jobs();
    const taught = { ...small, teacher: { network: whole.adjoined.base } };
    return [whole, small, taught, small, both, this.#opened.job, both].map(workloads);
  }

  /** Begins a run: the number and the name that its progress has. */
  #begin(
    folder: RunFolderName,
    works: readonly Workload[][],
  ): { what: string; estimate: Estimate } {
    const i = RUNS.findIndex((run) => run.folder === folder);
    const { before, all } = this.#runs;
    const seedsAfter = (all - before) / RUNS.length - 1;
    const more = Array.from({ length: seedsAfter }, () => works.flat());
    this.#estimate.later = [...works.slice(i + 1).flat(), ...more.flat()];
    return { what: `${before + i + 1}/${all} ${RUNS[i].what}`, estimate: this.#estimate };
  }

  async #record(
    methods: Partial<Record<Which, Method>>,
    { folder: name, options, result, widths }: {
      folder: RunFolderName;
      options: TrainOptions;
      result: TrainResult;
      widths?: WidthsFound;
    },
  ): Promise<void> {
    const { seed } = options;
    const folder = `${name}-${seed}`;
    await this.#told.trained({ folder, options, result, widths });
    for (const which of ["base", "small"] as const) {
      const method = methods[which];
      if (!method) continue;
      const found = result.summary[which];
      if (!found) throw new TypeError(`Cannot compare: the run measured no ${which} network`);
      const { top1, params, macs } = found;
      const checkpoint = checkpointOf(result, which);
      const latency = await latencyOf(checkpoint, this.#opened.job.split, this.#told.reporter);
      const file = `${folder}/${which}.safetensors`;
      await this.#told.done({ method, seed, top1, params, macs, latency, file });
    }
  }

  async run(): Promise<void> {
    const [gpu, { reporter }, opened] = [this.#gpu, this.#told, this.#opened];
    const { whole, small, both } = this.#jobs();
    const works = this.works();
    const run = async (folder: RunFolderName, job: Job, state?: State) => {
      const result = await runJob(gpu, job, reporter, { ...this.#begin(folder, works), state });
      return { folder, options: job.options, result };
    };

    const alone = await run("base-alone", whole);
    await this.#record({ base: "base alone" }, alone);

    await this.#record({ small: "small alone" }, await run("small-alone", small));

    const teacher = checkpointOf(alone.result, "base");
    const inputs = { ...this.#inputs, teacher };
    const distilling = jobOn(inputs, { ...small.options, mode: "distill" });
    const distilled = await run("small-distilled", distilling);
    await this.#record({ small: "small, distilled from the base alone" }, distilled);

    const pruned = pruneByMagnitude(small.adjoined, teacher.state, this.#options);
    const tuned = await run("small-pruned", small, pruned);
    await this.#record({ small: "small, pruned by magnitude and fine-tuned" }, tuned);

    const pair = await run("adjoined", both);
    await this.#record({ base: "base, adjoined", small: "small, adjoined" }, pair);

    const found = await findWidths(gpu, opened, reporter, this.#begin("search", works));
    const options = { ...this.#options, widths: found.widths.file.widths };
    const from = { found, inputs: this.#inputs, options: this.#options, fromScratch: true };
    const searched = "adjoined-searched";
    const result = await trainFound(gpu, from, reporter, this.#begin(searched, works));
    await this.#record({
      base: "base, adjoined, searched widths",
      small: "small, adjoined, searched widths",
    }, { folder: searched, options, result, widths: found.widths });
  }
}

/**
 * Trains every method for the same epochs with several seeds: at one budget, and from fresh weights
 * but for pruning, which starts from the base network trained alone. `trained` is told each run with
 * its networks, `saved` all outcomes after each one.
 */
export async function compare(
  options: TrainOptions,
  { read, find, seeds, reporter, trained, saved }: {
    /** Reads what the run of a seed reads. */
    read: (options: TrainOptions) => Promise<RunInputs>;
    find: SearchOptions;
    seeds: number;
    reporter: Reporter;
    trained: (run: ComparedRun) => Promise<void>;
    saved: (comparison: Comparison) => Promise<void>;
  },
): Promise<Comparison> {
  const started = performance.now();
  const gpu = await Gpu.open();
  const outcomes: Outcome[] = [];
  const estimate = new Estimate();
  let test = false;
  const { model, dataset, epochs } = options;
  const runtime = `onnxruntime-web ${RUNTIME}, one thread`;
  const comparison = (): Comparison => ({
    model,
    dataset,
    epochs,
    search: find,
    adapter: gpu.adapter,
    runtime,
    test,
    seconds: (performance.now() - started) / 1000,
    outcomes,
  });
  const told: Told = {
    reporter,
    trained,
    done: async (outcome) => {
      outcomes.push(outcome);
      await saved(comparison());
    },
  };
  try {
    for (let i = 0; i < seeds; i++) {
      const ofSeed = { ...options, seed: options.seed + i };
      const opened = searchOn(await read(ofSeed), ofSeed, find);
      test = isTest(opened.job.split);
      const runs = { before: i * RUNS.length, all: seeds * RUNS.length };
      await new Seed(gpu, { opened, options: ofSeed, told, estimate, runs }).run();
    }
    return comparison();
  } finally {
    gpu.destroy();
  }
}
