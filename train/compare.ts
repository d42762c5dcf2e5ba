import { DataError } from "../data/error.ts";
import { printable } from "../data/printable.ts";
import { RUNTIME } from "../export/onnx_session.ts";
import type { Gpu } from "../kernels/gpu.ts";
import {
  type ComparedRun,
  type Comparison,
  type EarlierRuns,
  methodsOf,
  type Outcome,
  placeOf,
  RUNS,
  RUNS_OF_SEED,
} from "./compared_runs.ts";
import { Seed, type Told } from "./compared_seed.ts";
import { EndedRuns } from "./ended_runs.ts";
import { Estimate } from "./estimate.ts";
import type { RunInputs } from "./job.ts";
import { type Attempt, onOwnGpu } from "./own_gpu.ts";
import { rehearse } from "./rehearsal.ts";
import { type Course, courseInMemory } from "./resume/course.ts";
import type { TrainingState } from "./resume/training_state.ts";
import { gatesOf, searchInParts, type SearchJob, searchOn, type SearchOptions } from "./search.ts";
import { isTest } from "./train.ts";
import type { Reporter, TrainOptions } from "./types.ts";

/** The methods of a seed, in the order in which they are tried. */
const METHODS_IN_ORDER = RUNS.flatMap(({ folder }) => methodsOf(folder)).map(([, method]) =>
  method
);

/** A comparison that begins. */
const NONE: EarlierRuns = { outcomes: [], seconds: 0, read: () => Promise.resolve(undefined) };

/** How many runs of a comparison have ended where it goes on from a state: all before that of it. */
function endedRuns(
  state: TrainingState | undefined,
  seeds: { readonly seed: number; readonly seeds: number },
): number {
  if (!state) return 0;
  const place = placeOf(state.phase, seeds);
  if (place !== undefined) return place;
  throw new DataError(
    `Cannot go on with the comparison: wanted the checkpoint of one of its runs, found one of ` +
      printable(state.phase),
  );
}

/**
 * Trains every method for the same epochs with several seeds: at one budget, and from fresh weights
 * but for pruning, which starts from the base network trained alone. `trained` is told each run with
 * its networks, `saved` all outcomes after each one.
 *
 * Goes on from the state of its course: runs before the one of the state have ended, and are taken
 * from `earlier`. It has a GPU of its own: see {@link onOwnGpu}.
 */
export async function compare(
  options: TrainOptions,
  { read, find, seeds, reporter, trained, saved, course = courseInMemory(), earlier = NONE, open }:
    {
      /** Reads what the run of a seed reads; `from` is the state of that seed which it goes on from. */
      read: (options: TrainOptions, from?: TrainingState) => Promise<RunInputs>;
      find: SearchOptions;
      seeds: number;
      reporter: Reporter;
      trained: (run: ComparedRun) => Promise<void>;
      saved: (comparison: Comparison) => Promise<void>;
      /** How it is kept from loss. Default: its states are kept in memory. */
      course?: Course;
      /** What there is of runs that have ended. Default: none have. */
      earlier?: EarlierRuns;
      /** Opens a device. Default: that of the fastest adapter. */
      open?: () => Promise<Gpu>;
    },
): Promise<Comparison> {
  const started = performance.now() - earlier.seconds * 1000;
  const ended = new EndedRuns(earlier);
  const { model, dataset, epochs, seed: first } = options;
  let opened: SearchJob | undefined;
  /** Reads what a seed needs, where it is not that of the seed before. */
  const openSeed = async (own: TrainOptions, from?: TrainingState): Promise<SearchJob> => {
    if (opened?.job.options.seed === own.seed) return opened;
    const ofSeed = from?.run.options.seed === own.seed ? from : undefined;
    const { given, notes = [], ...inputs } = await read(own, ofSeed);
    // All methods begin alike; a network is what is taken of a file that has weights as well.
    const told = given
      ? [`the weights of ${given.file} are not used: a comparison draws its own`]
      : [];
    return opened = searchOn({ ...inputs, notes: [...told, ...notes] }, own, find);
  };
  const run = async ({ gpu, parts, from, again }: Attempt): Promise<Comparison> => {
    const outcomes: Outcome[] = [];
    const estimate = new Estimate();
    let test = false;
    const comparison = (): Comparison => ({
      model,
      dataset,
      epochs,
      search: find,
      adapter: gpu.adapter,
      runtime: `onnxruntime-web ${RUNTIME}, one thread`,
      test,
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
    const runs = { all: seeds * RUNS_OF_SEED, ended: endedRuns(from, { seed: first, seeds }) };
    for (let i = 0; i < seeds; i++) {
      const ofSeed = { ...options, seed: first + i };
      const before = i * RUNS_OF_SEED;
      const all = METHODS_IN_ORDER.map((method) => ended.outcome(method, ofSeed.seed));
      if (before + RUNS_OF_SEED <= runs.ended && all.every((outcome) => outcome !== undefined)) {
        outcomes.push(...all);
        continue;
      }
      const searched = searchInParts(await openSeed(ofSeed, from), parts);
      test = isTest(searched.job.split);
      await new Seed({
        ...{ gpu, opened: searched, told, estimate, ended, again },
        options: { ...ofSeed, gradAccumSteps: String(parts) },
        runs: { ...runs, before },
        course: { ...course, from },
      }).run();
    }
    return comparison();
  };
  return await onOwnGpu({
    ...{ options, course, reporter, open },
    // Both networks are at their widest in the search.
    rehearse: async (gpu, parts) => {
      const searched = searchInParts(await openSeed(options, course.from), parts);
      await rehearse(gpu, searched.job, (scope) => gatesOf(scope, searched));
    },
  }, run);
}
