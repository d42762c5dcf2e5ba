import { ValidationBatches } from "../data/batches.ts";
import type { Split } from "../data/dataset.ts";
import { Gpu } from "../kernels/gpu.ts";
import { pruneByMagnitude } from "../nn/compress/prune.ts";
import { uniformWidths } from "../nn/compress/width_uniform.ts";
import { type Checkpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { jobOn } from "./job.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { OnnxSession, RUNTIME } from "../export/onnx_session.ts";
import { findWidths, openSearch, type SearchOptions, trainFound } from "./search.ts";
import { runJob, type TrainResult } from "./train.ts";
import type { Reporter, TrainOptions, Which } from "./types.ts";

/** What is compared, in the order in which it is trained and shown. */
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

/** What one method came to with one seed. */
export interface Outcome {
  readonly method: Method;
  readonly seed: number;
  /** Part of the validation images that are told rightly. */
  readonly top1: number;
  readonly params: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Milliseconds for one image in onnxruntime-web, one thread. */
  readonly latency: number;
}

/** All outcomes so far, and what they were had with. */
export interface Comparison {
  readonly model: string;
  readonly dataset: string;
  readonly epochs: number;
  readonly search: SearchOptions;
  readonly adapter: string;
  readonly runtime: string;
  readonly outcomes: readonly Outcome[];
}

const LATENCY_RUNS = 20;

async function latencyOf(checkpoint: Checkpoint, { validation }: Split): Promise<number> {
  const { bytes } = encodeOnnx(checkpoint, { includeNormalization: false });
  const session = await OnnxSession.open(bytes, "a trained network");
  try {
    const [first] = new ValidationBatches({ dataset: validation, batch: 1 });
    return await session.latency(first, LATENCY_RUNS);
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

/** The methods of one seed, one after the other. */
class Seed {
  readonly #gpu: Gpu;
  readonly #options: TrainOptions;
  readonly #find: SearchOptions;
  readonly #reporter: Reporter;
  readonly #done: (outcome: Outcome) => Promise<void>;

  constructor(gpu: Gpu, { options, find, reporter, done }: {
    options: TrainOptions;
    find: SearchOptions;
    reporter: Reporter;
    done: (outcome: Outcome) => Promise<void>;
  }) {
    this.#gpu = gpu;
    this.#options = options;
    this.#find = find;
    this.#reporter = reporter;
    this.#done = done;
  }

  async #record(
    method: Method,
    { result, which, split }: { result: TrainResult; which: Which; split: Split },
  ): Promise<void> {
    const found = result.summary[which];
    if (!found) throw new TypeError(`Cannot compare: the run measured no ${which} network`);
    const { top1, params, macs } = found;
    const latency = await latencyOf(checkpointOf(result, which), split);
    await this.#done({ method, seed: this.#options.seed, top1, params, macs, latency });
  }

  async run(): Promise<void> {
    const [gpu, reporter] = [this.#gpu, this.#reporter];
    const opened = await openSearch(this.#options, this.#find);
    const { split, adjoined: { base } } = opened.job;
    const { maskFrom, trunk } = this.#options;
    const limits = { ...this.#find, image: split.train };
    const widths = uniformWidths(base, { maskFrom, trunk }, limits);
    const options = { ...this.#options, widths };
    const record = (method: Method, result: TrainResult, which: Which): Promise<void> =>
      this.#record(method, { result, which, split });

    const whole = jobOn(split, { ...options, mode: "plain", which: "base" });
    const alone = await runJob(gpu, whole, reporter);
    await record("base alone", alone, "base");

    const small = jobOn(split, { ...options, mode: "plain", which: "small" });
    await record("small alone", await runJob(gpu, small, reporter), "small");

    const teacher = checkpointOf(alone, "base");
    const taught = jobOn(split, { ...options, mode: "distill", which: "small" }, { teacher });
    const distilled = await runJob(gpu, taught, reporter);
    await record("small, distilled from the base alone", distilled, "small");

    const pruned = pruneByMagnitude(small.adjoined, teacher.state, { maskFrom });
    const tuned = await runJob(gpu, small, reporter, pruned);
    await record("small, pruned by magnitude and fine-tuned", tuned, "small");

    const pair = await runJob(gpu, jobOn(split, options), reporter);
    await record("base, adjoined", pair, "base");
    await record("small, adjoined", pair, "small");

    const found = await findWidths(gpu, opened, reporter);
    const from = { found, split, options: this.#options, fromScratch: true };
    const searched = await trainFound(gpu, from, reporter);
    await record("base, adjoined, searched widths", searched, "base");
    await record("small, adjoined, searched widths", searched, "small");
  }
}

/**
 * Trains every method for the same epochs with several seeds: at one budget, and from fresh weights
 * but for pruning, which starts from the base network trained alone. `saved` is told all outcomes
 * after each one.
 */
export async function compare(
  options: TrainOptions,
  { find, seeds, reporter, saved }: {
    find: SearchOptions;
    seeds: number;
    reporter: Reporter;
    saved: (comparison: Comparison) => Promise<void>;
  },
): Promise<Comparison> {
  const gpu = await Gpu.open();
  const outcomes: Outcome[] = [];
  const { model, dataset, epochs } = options;
  const runtime = `onnxruntime-web ${RUNTIME}, one thread`;
  const comparison = {
    model,
    dataset,
    epochs,
    search: find,
    adapter: gpu.adapter,
    runtime,
    outcomes,
  };
  try {
    for (let i = 0; i < seeds; i++) {
      const run = new Seed(gpu, {
        options: { ...options, seed: options.seed + i },
        find,
        reporter,
        done: async (outcome) => {
          outcomes.push(outcome);
          await saved(comparison);
        },
      });
      await run.run();
    }
    return comparison;
  } finally {
    gpu.destroy();
  }
}
