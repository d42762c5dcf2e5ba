import { firstBatch } from "../data/picture_batches.ts";
import type { AnySplit } from "../data/dataset.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import { encodeOnnx } from "../export/onnx.ts";
import { OnnxSession } from "../export/onnx_session.ts";
import type { WidthsFound } from "../export/widths_file.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { type Widths, widthsOf } from "../nn/compress/adjoin.ts";
import { pruneByMagnitude } from "../nn/compress/prune.ts";
import { uniformWidths } from "../nn/compress/width_uniform.ts";
import type { State } from "../nn/parameters.ts";
import {
  type ComparedRun,
  type EndedRun,
  folderOf,
  methodsOf,
  type Outcome,
  type RunName,
  RUNS,
} from "./compared_runs.ts";
import { type EndedRuns, networkOf } from "./ended_runs.ts";
import type { Estimate, Workload } from "./estimate.ts";
import { type Job, jobOn, type RunInputs } from "./job.ts";
import { latencyProgress } from "./latency_progress.ts";
import { type Course, stateOf } from "./resume/course.ts";
import { findWidths, type SearchJob, widthsFoundBefore } from "./search.ts";
import { runJob, type TrainResult } from "./train.ts";
import { workloads } from "./workloads.ts";
import type { EpochMetrics, Reporter, TrainOptions } from "./types.ts";

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

/** Receivers of what a comparison does. */
export interface Told {
  readonly reporter: Reporter;
  /** Is told each training as soon as it has ended. */
  readonly trained: (run: ComparedRun) => Promise<void>;
  /** Is told each outcome, those that were known before too. */
  readonly done: (outcome: Outcome, known: boolean) => Promise<void>;
}

/** What the methods of a seed are tried with. */
export interface SeedParts {
  readonly gpu: Gpu;
  readonly opened: SearchJob;
  readonly options: TrainOptions;
  readonly told: Told;
  readonly estimate: Estimate;
  /** Runs of seeds before this one, of all seeds, and how many of those have ended. */
  readonly runs: { readonly before: number; readonly all: number; readonly ended: number };
  /** What is known of runs that have ended. */
  readonly ended: EndedRuns;
  readonly course: Course;
  /** Whether the run that the course goes on from was announced before. */
  readonly again: boolean;
}

/** What a search has come to. */
interface Searched {
  readonly widths: WidthsFound;
  /** Its epochs, where they are not those of the state that the run goes on from. */
  readonly history?: readonly EpochMetrics[];
}

/** A run that begins: what its progress is called, and how it is kept. */
interface Begun {
  readonly what: string;
  readonly estimate: Estimate;
  readonly course: Course;
  readonly phase: string;
  readonly again: boolean;
}

/** The methods of one seed, one after the other. */
export class Seed {
  readonly #parts: SeedParts;
  readonly #widths: Widths;
  readonly #works: readonly Workload[][];
  #found?: Searched;

  constructor(parts: SeedParts) {
    this.#parts = parts;
    const { opened: { job: { split, adjoined }, options: find }, options: own } = parts;
    this.#widths = uniformWidths(adjoined.base, own, { ...find, image: split.train });
    this.#works = this.#workloads();
  }

  get #inputs(): RunInputs {
    const { split, network, chooseTiles } = this.#parts.opened.job;
    return { split, network, chooseTiles };
  }

  /** The trainings without the search, as jobs; the teacher of the distillation is not there yet. */
  #jobs(): { whole: Job; small: Job; both: Job } {
    const { options: own } = this.#parts;
    const inputs = this.#inputs;
    const options = { ...own, widths: this.#widths };
    return {
      whole: jobOn(inputs, { ...options, mode: "plain", which: "base" }),
      small: jobOn(inputs, { ...options, mode: "plain", which: "small" }),
      both: jobOn(inputs, options),
    };
  }

  /** The work of each of the {@link RUNS}; searched widths cost what uniform ones do. */
  #workloads(): Workload[][] {
    const { whole, small, both } = this.#jobs();
    const taught = { ...small, teacher: { network: whole.adjoined.base } };
    return [whole, small, taught, small, both, this.#parts.opened.job, both].map(workloads);
  }

  #folder(name: RunName): string {
    return folderOf(name, this.#parts.options.seed);
  }

  /** Begins a run: the number and the name that its progress has, and how it is kept. */
  #begin(name: RunName): Begun {
    const { runs: { before, all }, estimate, course } = this.#parts;
    const i = RUNS.findIndex(({ folder }) => folder === name);
    const seedsAfter = (all - before) / RUNS.length - 1;
    const more = Array.from({ length: seedsAfter }, () => this.#works.flat());
    estimate.later = [...this.#works.slice(i + 1).flat(), ...more.flat()];
    const what = `${before + i + 1}/${all} ${RUNS[i].what}`;
    const phase = this.#folder(name);
    const again = this.#parts.again && stateOf(course, phase) !== undefined;
    return { what, estimate, course, phase, again };
  }

  /** The base network trained alone, which others learn from. */
  async #teacher(): Promise<Checkpoint> {
    const folder = this.#folder("base-alone");
    const found = await this.#parts.ended.base(folder);
    return found ?? networkOf(await this.#train("base-alone"), "base");
  }

  /** The widths that the search finds, and its epochs. */
  async #searched(): Promise<Searched> {
    if (this.#found) return this.#found;
    const { gpu, opened, course, told: { reporter } } = this.#parts;
    const widths = stateOf(course, this.#folder("adjoined-searched"))?.run.options.widths;
    return this.#found = widths
      ? { widths: widthsFoundBefore(opened, widths) }
      : await findWidths(gpu, opened, reporter, this.#begin("search"));
  }

  /** A run but for the search, and the weights that it starts from where these are not its own. */
  async #jobOf(name: Exclude<RunName, "search">): Promise<{ job: Job; state?: State }> {
    const { options, course } = this.#parts;
    const { whole, small, both } = this.#jobs();
    switch (name) {
      case "base-alone":
        return { job: whole };
      case "small-alone":
        return { job: small };
      case "small-distilled": {
        const inputs = { ...this.#inputs, teacher: await this.#teacher() };
        return { job: jobOn(inputs, { ...small.options, mode: "distill" }) };
      }
      case "small-pruned": {
        const jobWith = (widths?: Widths): Job => jobOn(this.#inputs, { ...small.options, widths });
        const from = stateOf(course, this.#folder(name));
        if (from) return { job: jobWith(from.run.options.widths) };
        const { state: trained } = await this.#teacher();
        const { adjoined, state } = pruneByMagnitude(small.adjoined, trained);
        return { job: jobWith(widthsOf(adjoined)), state };
      }
      case "adjoined":
        return { job: both };
      case "adjoined-searched": {
        const { widths: { file: { widths } } } = await this.#searched();
        return { job: jobOn(this.#inputs, { ...options, widths }) };
      }
    }
  }

  /** Trains, and tells that it has; keeps what later runs need. */
  async #train(name: Exclude<RunName, "search">): Promise<TrainResult> {
    const { gpu, ended, told: { reporter, trained } } = this.#parts;
    const { job, state } = await this.#jobOf(name);
    const found = name === "adjoined-searched" ? await this.#searched() : undefined;
    const result = await runJob(gpu, job, reporter, {
      ...this.#begin(name),
      state,
      before: found?.history,
    });
    const folder = this.#folder(name);
    if (name === "base-alone") ended.keepBase(folder, networkOf(result, "base"));
    await trained({ folder, options: job.options, result, widths: found?.widths });
    return result;
  }

  /** Tells the outcomes of a run, and measures what is not known of them. */
  async #record(name: RunName, run: EndedRun, known: boolean): Promise<void> {
    const { ended, told, opened: { job: { split } }, options: { seed } } = this.#parts;
    for (const [which, method] of methodsOf(name)) {
      const before = known ? ended.outcome(method, seed) : undefined;
      if (before) {
        await told.done(before, true);
        continue;
      }
      const found = run.summary[which];
      if (!found) throw new TypeError(`Cannot compare: the run measured no ${which} network`);
      const { top1, params, macs } = found;
      const latency = await latencyOf(networkOf(run, which), split, told.reporter);
      const file = `${this.#folder(name)}/${which}.safetensors`;
      const outcome = { method, seed, top1, params, macs, latency, file };
      ended.add(outcome);
      await told.done(outcome, false);
    }
  }

  /** Tells the outcomes of a run that has ended; gives whether it could. */
  async #recall(name: RunName): Promise<boolean> {
    const { ended, told, options: { seed } } = this.#parts;
    const outcomes = methodsOf(name).map(([, method]) => ended.outcome(method, seed));
    if (outcomes.every((outcome) => outcome !== undefined)) {
      for (const outcome of outcomes) await told.done(outcome, true);
      return true;
    }
    const run = await ended.read(this.#folder(name));
    if (run) await this.#record(name, run, true);
    return run !== undefined;
  }

  /** Does all runs that have not ended. */
  async run(): Promise<void> {
    const { runs: { before, ended } } = this.#parts;
    for (const [i, { folder: name }] of RUNS.entries()) {
      if (before + i < ended && await this.#recall(name)) continue;
      if (name === "search") await this.#searched();
      else await this.#record(name, await this.#train(name), false);
    }
  }
}
