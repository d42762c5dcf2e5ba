import { curable, cure } from "../data/cure.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { State } from "../nn/parameters.ts";
import type { ImageSize } from "../nn/count.ts";
import { isConv2d } from "../nn/layers/conv2d.ts";
import { narrowState, type Search, searchable } from "../nn/compress/searchable.ts";
import { feasible } from "../nn/compress/width_choice.ts";
import {
  type Budgeted,
  costOfChoice,
  wholeCost,
  type WidthCost,
  widthCost,
} from "../nn/compress/width_cost.ts";
import { uniformWidths } from "../nn/compress/width_uniform.ts";
import { chosenWidths } from "../nn/compress/width_groups.ts";
import { UsageError } from "./errors.ts";
import { Estimate, type Workload } from "./estimate.ts";
import { Gates, type GatesSchedule } from "./gates.ts";
import { initialState, type Job, jobOn, type RunInputs, weightsOf } from "./job.ts";
import { learn } from "./epochs.ts";
import { announce, runJob, type TrainResult } from "./train.ts";
import { budgetName, percent } from "../data/words.ts";
import { workloads } from "./workloads.ts";
import type { Reporter, TrainOptions } from "./types.ts";
import type { WidthsFound } from "../export/widths_file.ts";

/** Options of a search of widths. */
export interface SearchOptions extends GatesSchedule {
  /** The cost that is limited. */
  readonly budgeted: Budgeted;
  /** Cost of the small network over that of the base network, in (0, 1]. */
  readonly budget: number;
  /** Divisors of the numbers of filters, from 1 on. */
  readonly divisors: readonly number[];
  /** Epochs of the search, before those of the training. */
  readonly epochs: number;
}

/** A search before it has anything on the GPU. */
export interface SearchJob {
  readonly job: Job;
  readonly search: Search;
  readonly cost: WidthCost;
  readonly options: SearchOptions;
}

/** Widths that were found, and the weights at the end of the search. */
export interface Found {
  readonly widths: WidthsFound;
  /** Weights of both networks, the small one at full width. */
  readonly state: State;
}

function demandFeasible(
  { groups, cost, options: { budget, budgeted } }: {
    groups: Search["groups"];
    cost: WidthCost;
    options: SearchOptions;
  },
): void {
  const { least, most } = feasible(groups, cost);
  if (budget >= least - 1e-9 && budget <= most + 1e-9) return;
  const option = budgeted === "macs" ? "budgetMacs" : "budgetParams";
  const cures = budget < least
    ? [
      cure`raise ${{ option }}`,
      cure`add a larger one to ${{ option: "divisors" }}`,
      cure`lower ${{ option: "maskFrom" }}`,
    ]
    : [cure`lower ${{ option }}`];
  throw curable(
    UsageError,
    `Cannot meet the budget: the small network can have ${least.toFixed(4)} to ` +
      `${most.toFixed(4)} of the base network's ${budgetName(budgeted)}, found ${budget}`,
    ...cures,
  );
}

/** Prepares a search. Raises a {@link UsageError} for an impossible budget. */
export function searchOn(
  inputs: RunInputs,
  training: TrainOptions,
  options: SearchOptions,
): SearchJob {
  const { trunk, maskFrom, detach } = training;
  const { epochs, budgeted, divisors } = options;
  const whole = { ...training, compression: 1, widths: undefined, epochs };
  const job = jobOn(inputs, whole);
  const { base } = job.adjoined;
  const image: ImageSize = job.split.train;
  const search = searchable(base, { trunk, maskFrom, divisors });
  const cost = widthCost(base, search.groups, { budgeted, image });
  demandFeasible({ groups: search.groups, cost, options });
  return { job: { ...job, objective: { mode: "search", search, detach } }, search, cost, options };
}

/** Searches widths on a GPU. */
export async function findWidths(
  gpu: Gpu,
  { job, search, cost, options }: SearchJob,
  reporter: Reporter,
  { estimate = new Estimate(), what }: {
    readonly estimate?: Estimate;
    /** What is done, in words. */
    readonly what?: string;
  } = {},
): Promise<Found> {
  using scope = gpu.scope();
  const { groups } = search;
  const { budget, budgeted, divisors } = options;
  const { model, stem, variant, seed, trunk, maskFrom } = job.options;
  const gates = new Gates(scope, { groups, cost, budget, seed, schedule: options });
  const weights = { ...weightsOf(scope, job, initialState(job)), gates };
  const inWords = `search, budget ${percent(budget)} of the ${budgetName(budgeted)}`;
  announce(gpu, job, reporter, what ?? inWords);
  await learn(gpu, job, { weights, reporter, estimate });
  const choice = await gates.choose();
  const { base } = search.adjoined;
  const whole = wholeCost(base, { budgeted, image: job.split.train });
  const widths = chosenWidths(base, groups, choice);
  const spent = costOfChoice(cost, choice);
  reporter.note(
    `found widths with ${percent(spent)} of the base network's ${budgetName(budgeted)}, ` +
      `${Math.round(spent * whole).toLocaleString("en-US")}; the budget is ${percent(budget)}`,
  );
  const full = Object.fromEntries(
    base.layers.flatMap((layer) =>
      isConv2d(layer) && Object.hasOwn(widths, layer.name) ? [[layer.name, layer.out]] : []
    ),
  );
  const file = {
    ...{ model, stem, variant, trunk, maskFrom },
    ...{ divisors, budgeted, budget, found: spent, widths },
  };
  return { widths: { file, full }, state: await weights.learner.read() };
}

/** The training of the widths found, from the searched weights unless `fromScratch`. */
export function trainFound(
  gpu: Gpu,
  { found: { widths: { file: { widths } }, state: searched }, inputs, options, fromScratch }: {
    found: Found;
    inputs: Pick<Job, "split" | "chooseTiles">;
    options: TrainOptions;
    fromScratch: boolean;
  },
  reporter: Reporter,
  { estimate, what = "training with the widths found" }: {
    readonly estimate?: Estimate;
    readonly what?: string;
  } = {},
): Promise<TrainResult> {
  const job = jobOn(inputs, { ...options, widths });
  const state = fromScratch ? initialState(job) : narrowState(searched, job.adjoined);
  return runJob(gpu, job, reporter, {
    state,
    estimate,
    what,
  });
}

/** The work of the training that follows a search, as far as it is known before the widths are. */
function trainingAfter(
  { job: { split, adjoined }, options }: SearchJob,
  training: TrainOptions,
): Workload[] {
  const widths = uniformWidths(adjoined.base, training, { ...options, image: split.train });
  return workloads(jobOn({ split }, { ...training, widths }));
}

/** Widths, and the networks of these widths if they were trained. */
export interface SearchResult {
  readonly widths: WidthsFound;
  readonly trained?: TrainResult;
}

/** Searches widths and, if `train`, trains both networks with them. */
export async function search(
  opened: SearchJob,
  { options, train, fromScratch, found: keep }: {
    /** Those of the training after the search. */
    options: TrainOptions;
    train: boolean;
    fromScratch: boolean;
    /** Is told the widths as soon as there are any. */
    found: (widths: WidthsFound) => Promise<void>;
  },
  reporter: Reporter,
): Promise<SearchResult> {
  const gpu = await Gpu.open();
  const started = performance.now();
  try {
    const estimate = new Estimate();
    estimate.later = train ? trainingAfter(opened, options) : [];
    const found = await findWidths(gpu, opened, reporter, { estimate });
    const { widths } = found;
    estimate.later = [];
    await keep(widths);
    if (!train) return { widths };
    const { split, chooseTiles } = opened.job;
    const inputs = { split, chooseTiles };
    const { summary, ...rest } = await trainFound(
      gpu,
      { found, inputs, options, fromScratch },
      reporter,
      { estimate },
    );
    const seconds = (performance.now() - started) / 1000;
    return { widths, trained: { ...rest, summary: { ...summary, seconds } } };
  } finally {
    gpu.destroy();
  }
}
