import type { AnySplit } from "../../data/dataset.ts";
import { firstBatch } from "../../data/picture_batches.ts";
import type { Checkpoint } from "../../export/checkpoint.ts";
import { encodeOnnx } from "../../export/onnx.ts";
import { OnnxSession } from "../../export/onnx_session.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import type { Estimate } from "../estimate.ts";
import { latencyProgress } from "../latency_progress.ts";
import { type Course, stateOf } from "../resume/course.ts";
import { runJob, type TrainResult } from "../train.ts";
import { entriesOf, type Which } from "../../nn/which.ts";
import type { Reporter } from "../types.ts";
import type { ComparedRun, EndedRun, Outcome } from "./comparison.ts";
import { type EndedRuns, networkOf } from "./ended_runs.ts";
import type { Begun, Ground, Method } from "./method.ts";
import { folderOf, type Row } from "./methods.ts";
import type { Plan } from "./plan.ts";

const LATENCY_RUNS = 20;

async function latencyOf(
  checkpoint: Checkpoint,
  { validation }: AnySplit,
  reporter: Pick<Reporter, "work">,
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
  readonly ground: Ground;
  readonly told: Told;
  readonly estimate: Estimate;
  /** All runs of the comparison, and which of them have ended. */
  readonly plan: Plan;
  /** What is known of runs that have ended. */
  readonly ended: EndedRuns;
  readonly course: Course;
  /** Whether the run that the course goes on from was announced before. */
  readonly again: boolean;
}

/** The methods of one seed, one after the other. */
export class Seed {
  readonly #parts: SeedParts;
  readonly #seed: number;

  constructor(parts: SeedParts) {
    this.#parts = parts;
    this.#seed = parts.ground.options.seed;
  }

  #rows({ name }: Method): readonly Row[] {
    return this.#parts.plan.rows.filter(({ method }) => method === name);
  }

  /** Begins a run, or what comes before it: how its progress is called, and how it is kept. */
  #begin(method: Method, before?: Method["before"]): Begun {
    const { plan, ground, estimate, course } = this.#parts;
    const phase = folderOf(before?.name ?? method.name, this.#seed);
    const [next, ...later] = plan.worksFrom(method, this.#seed, ground);
    estimate.of = before?.name ?? method.name;
    estimate.later = [...before ? next.training : [], ...later.flatMap(({ all }) => all)];
    const words = plan.words(method, this.#seed);
    return {
      what: before ? `${words}, ${before.what}` : words,
      estimate,
      course: { ...course, ended: plan.ended },
      phase,
      again: this.#parts.again && stateOf(course, phase) !== undefined,
    };
  }

  /** A network that another method has trained with this seed, or trains now. */
  async #network(method: Method, which: Which): Promise<Checkpoint> {
    const found = await this.#parts.ended.network(folderOf(method.name, this.#seed), which);
    return found ?? networkOf(await this.#train(method), which);
  }

  /** Trains, and tells that it has; keeps what later runs need. */
  async #train(method: Method): Promise<TrainResult> {
    const { gpu, ground, ended, course, plan, told: { reporter, trained } } = this.#parts;
    const folder = folderOf(method.name, this.#seed);
    const { job, state, widths, before } = await method.training({
      ...{ ...ground, gpu, reporter },
      from: stateOf(course, folder),
      trained: (other, which) => this.#network(other, which),
      begin: () => this.#begin(method, method.before),
    });
    const result = await runJob(gpu, job, reporter, { ...this.#begin(method), state, before });
    if (plan.isNeeded(method)) {
      for (const which of entriesOf(method.rows).map(([which]) => which)) {
        ended.keep(folder, which, networkOf(result, which));
      }
    }
    await trained({ folder, options: job.options, result, widths });
    return result;
  }

  /** Hears of work after which there are more runs. */
  get #between(): Pick<Reporter, "work"> {
    const { told: { reporter }, estimate: { seconds } } = this.#parts;
    // Of the last run only this work is left.
    const left = seconds > 0 ? { etaSeconds: seconds } : {};
    return { work: (work) => reporter.work({ ...work, ...left }) };
  }

  /** Tells the outcomes of a run, and measures what is not known of them. */
  async #record(method: Method, run: EndedRun, known: boolean): Promise<void> {
    const { ended, told, ground: { inputs: { split } } } = this.#parts;
    const seed = this.#seed;
    for (const { which } of this.#rows(method)) {
      const of = { method: method.name, which, seed };
      const before = known ? ended.outcome(of) : undefined;
      if (before) {
        await told.done(before, true);
        continue;
      }
      const found = run.summary[which];
      if (!found) throw new TypeError(`Cannot compare: the run measured no ${which} network`);
      const { top1, params, macs } = found;
      const latency = await latencyOf(networkOf(run, which), split, this.#between);
      const file = `${folderOf(method.name, seed)}/${which}.safetensors`;
      const outcome = { ...of, top1, params, macs, latency, file };
      ended.add(outcome);
      await told.done(outcome, false);
    }
  }

  /** Tells the outcomes of a run that has ended; gives whether it could. */
  async #recall(method: Method): Promise<boolean> {
    const { ended, told } = this.#parts;
    const outcomes = this.#rows(method).map(({ which }) =>
      ended.outcome({ method: method.name, which, seed: this.#seed })
    );
    if (outcomes.every((outcome) => outcome !== undefined)) {
      for (const outcome of outcomes) await told.done(outcome, true);
      return true;
    }
    const run = await ended.read(folderOf(method.name, this.#seed));
    if (run) await this.#record(method, run, true);
    return run !== undefined;
  }

  /** Does all runs that have not ended. */
  async run(): Promise<void> {
    const { plan } = this.#parts;
    for (const method of plan.methods) {
      const recalled = plan.hasEnded(method, this.#seed) && await this.#recall(method);
      if (!recalled) await this.#record(method, await this.#train(method), false);
      plan.end(method, this.#seed);
    }
  }
}
