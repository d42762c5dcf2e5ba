import { RUNTIME } from "../../export/onnx_session.ts";
import type { Gpu } from "../../kernels/gpu.ts";
import type { Importance } from "../../nn/compress/importance.ts";
import { count } from "../../nn/count.ts";
import { Estimate } from "../estimate.ts";
import type { RunInputs } from "../job.ts";
import { type Attempt, onOwnGpu } from "../own_gpu.ts";
import { groundOn } from "./ground.ts";
import { rehearse } from "../rehearsal.ts";
import { epochsOfRun } from "../epochs_of_job.ts";
import { type Course, courseInMemory } from "../resume/course.ts";
import type { TrainingState } from "../resume/training_state.ts";
import type { SearchOptions } from "../limited_cost.ts";
import { gatesOf } from "../search.ts";
import { isTest } from "../train.ts";
import type { Reporter, TrainOptions } from "../types.ts";
import type { ComparedRun, Comparison, EarlierRuns, Outcome } from "./comparison.ts";
import { EndedRuns } from "./ended_runs.ts";
import { uniformJob } from "./jobs.ts";
import type { Ground } from "./method.ts";
import { METHOD_NAMES } from "./methods.ts";
import { endedBefore, Plan } from "./plan.ts";
import { searched, searchJob } from "./searched.ts";
import { Seed, type Told } from "./seed.ts";

/** A comparison that begins. */
const NONE: EarlierRuns = { outcomes: [], seconds: 0, read: () => Promise.resolve(undefined) };

/** What is to be compared. */
export interface ToCompare {
  /** The names of the methods, in any order. Default: all. */
  readonly methods?: readonly string[];
  /** Runs of each. */
  readonly seeds: number;
  /** The budget, and how widths are searched. */
  readonly find: SearchOptions;
  /** What filters are pruned by. Default: their L2 norms. */
  readonly pruneBy?: Importance;
}

/** What a comparison is told, and tells. */
export interface Comparing extends ToCompare {
  /** Reads what the run of a seed reads; `from` is the state of that seed which it goes on from. */
  readonly read: (options: TrainOptions, from?: TrainingState) => Promise<RunInputs>;
  readonly reporter: Reporter;
  readonly trained: (run: ComparedRun) => Promise<void>;
  readonly saved: (comparison: Comparison) => Promise<void>;
  /** How it is kept from loss. Default: its states are kept in memory. */
  readonly course?: Course;
  /** What there is of runs that have ended. Default: none have. */
  readonly earlier?: EarlierRuns;
  /** Opens a device. Default: that of the fastest adapter. */
  readonly open?: () => Promise<Gpu>;
}

/** Reads the ground of one seed after another, each once. */
class Grounds {
  readonly #comparing: Comparing;
  #last?: Ground;

  constructor(comparing: Comparing) {
    this.#comparing = comparing;
  }

  /** What a seed needs, with its batches in so many parts. */
  async open(options: TrainOptions, parts: number, from?: TrainingState): Promise<Ground> {
    if (this.#last?.options.seed !== options.seed) this.#last = await this.#read(options, from);
    return { ...this.#last, options: { ...options, gradAccumSteps: String(parts) } };
  }

  async #read(options: TrainOptions, from?: TrainingState): Promise<Ground> {
    const { read, find, pruneBy = "l2" } = this.#comparing;
    const ofSeed = from?.run.options.seed === options.seed ? from : undefined;
    const { given, notes = [], ...inputs } = await read(options, ofSeed);
    // All methods begin alike; a network is what is taken of a file that has weights as well.
    const told = given
      ? [`the weights of ${given.file} are not used: a comparison draws its own`]
      : [];
    return groundOn({ ...inputs, notes: [...told, ...notes] }, options, { find, pruneBy });
  }
}

/** Whether the run of a state has ended, too: all is trained, and its networks are kept. */
async function isOver(from: TrainingState, ended: EndedRuns): Promise<boolean> {
  const { phase, position, run: { options } } = from;
  // What lies in the folder before a first run has ended may be of an earlier comparison.
  if (endedBefore(from).length === 0 || position.epoch < epochsOfRun(options)) return false;
  return await ended.read(phase) !== undefined;
}

/** Takes the memory of the largest run, and gives it back. */
async function rehearseLargest(
  gpu: Gpu,
  { methods }: Pick<Plan, "methods">,
  ground: Ground,
): Promise<void> {
  if (!methods.includes(searched)) return await rehearse(gpu, uniformJob(ground));
  // Both networks are at their widest in the search.
  const search = searchJob(ground);
  await rehearse(gpu, search.job, (scope) => gatesOf(scope, search));
}

/**
 * Trains every method for the same epochs with several seeds: at one budget, and from fresh weights
 * but for pruning, which starts from the base network trained alone. `trained` is told each run with
 * its networks, `saved` all outcomes after each one.
 *
 * Goes on from the state of its course, which says what runs have ended; these are taken from
 * `earlier`. It may have more methods than before. It has a GPU of its own: see {@link onOwnGpu}.
 */
export async function compare(options: TrainOptions, comparing: Comparing): Promise<Comparison> {
  const { methods = METHOD_NAMES, find, seeds, pruneBy = "l2", reporter } = comparing;
  const { course = courseInMemory(), earlier = NONE, open, trained, saved } = comparing;
  const { model, dataset, epochs, seed } = options;
  const started = performance.now() - earlier.seconds * 1000;
  const ended = new EndedRuns(earlier);
  const grounds = new Grounds(comparing);
  const planFrom = (from?: TrainingState): Plan => new Plan({ methods, seed, seeds }, from);
  let facts = { test: false, base: { macs: 0, params: 0 } };
  const openSeed = async (
    own: TrainOptions,
    parts: number,
    from?: TrainingState,
  ): Promise<Ground> => {
    const ground = await grounds.open(own, parts, from);
    const { inputs: { split } } = ground;
    const { macs, params } = count(uniformJob(ground).adjoined.base, split.train);
    facts = { test: isTest(split), base: { macs, params } };
    return ground;
  };
  const run = async ({ gpu, parts, from, again }: Attempt): Promise<Comparison> => {
    const plan = planFrom(from);
    if (from && await isOver(from, ended)) plan.endOf(from);
    const outcomes: Outcome[] = [];
    const estimate = new Estimate();
    const comparison = (): Comparison => ({
      ...{ model, dataset, epochs, ...facts, search: find, pruneBy },
      methods: plan.methods.filter(({ name }) => methods.includes(name)).map(({ name }) => name),
      adapter: gpu.adapter,
      runtime: `onnxruntime-web ${RUNTIME}, one thread`,
      seconds: (performance.now() - started) / 1000,
      outcomes,
    });
    const told: Told = {
      reporter,
      trained,
      done: async (outcome, known) => {
        outcomes.push(outcome);
        if (!known) await saved(comparison());
      },
    };
    for (const ofSeed of plan.seeds) {
      const all = plan.rows.map(({ method, which }) =>
        ended.outcome({ method, which, seed: ofSeed })
      );
      const known = all.filter((outcome) => outcome !== undefined);
      if (
        plan.methods.every((method) => plan.hasEnded(method, ofSeed)) &&
        known.length === all.length
      ) {
        outcomes.push(...known);
        continue;
      }
      const ground = await openSeed({ ...options, seed: ofSeed }, parts, from);
      await new Seed({
        ...{ gpu, ground, told, estimate, plan, ended, again },
        course: { ...course, from },
      }).run();
    }
    return comparison();
  };
  return await onOwnGpu({
    ...{ options, course, reporter, open },
    rehearse: async (gpu, parts) => {
      const ground = await openSeed(options, parts, course.from);
      const plan = planFrom(course.from);
      plan.check(ground);
      await rehearseLargest(gpu, plan, ground);
    },
  }, run);
}
