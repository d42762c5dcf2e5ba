import { DataError } from "../data/error.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import type { ImageSize } from "../nn/count.ts";
import type { Widths } from "../nn/compress/adjoin.ts";
import type { Pretrained } from "../nn/pretrained.ts";
import { withSmallNorms } from "../nn/compress/pretrained_small.ts";
import { isConv2d } from "../nn/layers/conv2d.ts";
import { narrowState, type Search, searchable } from "../nn/compress/searchable.ts";
import { layersToTime } from "../nn/compress/latency_cost.ts";
import type { LayerTable, TimedLayers } from "../nn/compress/layer_works.ts";
import type { Choice } from "../nn/compress/width_choice.ts";
import {
  type Budgeted,
  costOfChoice,
  wholeCost,
  type WidthCost,
} from "../nn/compress/width_cost.ts";
import { uniformWidths } from "../nn/compress/width_uniform.ts";
import { choiceOf, chosenWidths } from "../nn/compress/width_groups.ts";
import { Estimate } from "./estimate.ts";
import { Gates } from "./gates.ts";
import { demandRanks } from "./importance.ts";
import { initialState, inParts, type Job, jobOn, type RunInputs, weightsOf } from "./job.ts";
import { learn } from "./epochs.ts";
import { demandFeasible } from "./feasible_budget.ts";
import { budgetsOf, type FindByLatency, limitedCost, type SearchOptions } from "./limited_cost.ts";
import type { SmallName } from "../nn/which.ts";
import { pairsFor } from "./pair.ts";
import { joinNamed, type NamedWidths, widthsByName } from "./small_widths.ts";
import { lossFor } from "./loss_of_options.ts";
import { announce, type OnDevice, runJob, type TrainResult } from "./train.ts";
import { budgetName, percent } from "../data/words.ts";
import { workloads } from "./workloads.ts";
import { type Attempt, onOwnGpu } from "./own_gpu.ts";
import { rehearse } from "./rehearsal.ts";
import { type Course, courseInMemory, stateOf } from "./resume/course.ts";
import type { EpochMetrics, Reporter, TrainOptions } from "./types.ts";
import type { Limited, WidthsFound } from "../export/widths_file.ts";

/** The name of the small network of a budget: of several, what was typed is in it. */
function nameOf(options: SearchOptions<Limited>, budget: number): SmallName {
  return options.more ? `small-${budget}` : "small";
}

/** A search before it has anything on the GPU. */
export interface SearchJob {
  readonly job: Job;
  readonly search: Search;
  readonly cost: WidthCost;
  readonly options: SearchOptions<Limited>;
  /** Of a budget of latency: finds the widths that meet it by what networks of them take. */
  readonly byLatency?: FindByLatency;
}

/** Widths that were found, and the weights at the end of the search. */
export interface Found {
  readonly widths: WidthsFound;
  /** Weights of both networks, the small one at full width. */
  readonly state: State;
  /** The epochs of the search. */
  readonly history: readonly EpochMetrics[];
}

/** The networks of a search, both as wide as the base network. */
function searchedOn(
  { base, ranks }: { readonly base: Network; readonly ranks?: readonly number[] },
  { trunk, maskFrom, roundTo }: TrainOptions,
  { divisors }: SearchOptions<Limited>,
): Search {
  return searchable(base, { trunk, maskFrom, roundTo, divisors, scores: ranks });
}

/** The layers whose times a search for a budget of latency needs. */
export function layersOfSearch(
  { split: { train }, network, ranks }: Pick<RunInputs, "split" | "network" | "ranks">,
  training: TrainOptions,
  options: SearchOptions<Limited>,
): TimedLayers[] {
  const [{ base }] = pairsFor({ ...training, compression: 1, widths: undefined }, train, network);
  const { groups } = searchedOn({ base, ranks }, training, options);
  return layersToTime(base, groups, train);
}

/**
 * Prepares a search; one for a budget of latency needs a table of the times of layers. Raises a
 * {@link UsageError} for an impossible budget.
 */
export function searchOn(
  inputs: RunInputs,
  training: TrainOptions,
  options: SearchOptions<Limited>,
  table: LayerTable = new Map(),
): SearchJob {
  const { detach } = training;
  const { epochs, budgeted } = options;
  const whole = { ...training, compression: 1, widths: undefined, epochs };
  const job = jobOn(inputs, whole);
  const { base } = job.adjoined;
  demandRanks(job);
  const image: ImageSize = job.split.train;
  const search = searchedOn({ base, ranks: job.ranks }, training, options);
  const cost = limitedCost(options, { base, groups: search.groups, image }, table);
  for (const budget of budgetsOf(options)) {
    demandFeasible({ groups: search.groups, cost, budgeted, budget });
  }
  const objective = { mode: "search", search, detach, loss: lossFor(training) } as const;
  return { job: { ...job, objective }, search, cost, options };
}

/** The gates of a search, before its first step. */
export function gatesOf(
  scope: Scope,
  { job: { options: { seed } }, search: { groups }, cost, options }: SearchJob,
): Gates {
  return new Gates(scope, { groups, cost, budget: options.budget, seed, schedule: options });
}

/** Searches widths on a GPU. */
export async function findWidths(
  gpu: Gpu,
  { job, search, cost, options, byLatency }: SearchJob,
  reporter: Reporter,
  {
    estimate = new Estimate(),
    what,
    course = courseInMemory(),
    phase = "search",
    again = false,
    before,
  }: {
    readonly estimate?: Estimate;
    /** The epochs of searches before it. */
    readonly before?: readonly EpochMetrics[];
    /** What is done, in words. */
    readonly what?: string;
    /** How it is kept from loss. Default: its states are kept in memory. */
    readonly course?: Course;
    /** The name of this search in its states. */
    readonly phase?: string;
    /** Whether it was begun before on another device: then it is not announced. */
    readonly again?: boolean;
  } = {},
): Promise<Found> {
  using scope = gpu.scope();
  const { budget, budgeted } = options;
  const gates = gatesOf(scope, { job, search, cost, options });
  const weights = { ...weightsOf(scope, job, initialState(job)), gates };
  const { importance = "first" } = job.options;
  const inWords = `search, budget ${percent(budget)} of the ${budgetName(budgeted)}` +
    (importance === "first" ? "" : `, filters by ${importance}`);
  if (!again) announce(gpu, job, reporter, what ?? inWords);
  const { history } = await learn(gpu, job, {
    ...{ weights, reporter, estimate },
    ...{ course, phase, from: stateOf(course, phase), before },
  });
  const searched = { job, search, cost, options };
  const state = (): Promise<State> => weights.learner.read();
  if (byLatency) {
    const wanted = { search, cost, budget, split: job.split };
    const found = await byLatency(wanted, (cost) => gates.choose(cost), reporter);
    const widths = widthsOfChoice(searched, found.choice, found.small / found.base);
    return { widths, state: await state(), history };
  }
  const widths = widthsOfChoice(searched, await gates.choose());
  const spent = widths.file.found;
  const isCounted = budgeted === "macs" || budgeted === "params";
  const whole = isCounted &&
    wholeCost(search.adjoined.base, { budgeted, image: job.split.train });
  const count = whole ? `, ${Math.round(spent * whole).toLocaleString("en-US")}` : "";
  reporter.note(
    `found widths with ${percent(spent)} of the base network's ${budgetName(budgeted)}${count}; ` +
      `the budget is ${percent(budget)}`,
  );
  return { widths, state: await state(), history };
}

/** The widths of a search whose group g chooses candidate `choice[g]`, and what they cost. */
function widthsOfChoice(
  { job, search: { groups, adjoined: { base } }, cost, options }: SearchJob,
  choice: Choice,
  found: number = costOfChoice(cost, choice),
): WidthsFound {
  const { model, stem, variant, trunk, maskFrom } = job.options;
  const { divisors, budgeted, budget } = options;
  const widths = chosenWidths(base, groups, choice);
  const full = Object.fromEntries(
    base.layers.flatMap((layer) =>
      isConv2d(layer) && Object.hasOwn(widths, layer.name) ? [[layer.name, layer.out]] : []
    ),
  );
  const file = {
    ...{ model, stem, variant, trunk, maskFrom },
    ...{ divisors, budgeted, budget, found, widths },
  };
  return { file, full };
}

/**
 * What a search has found, out of the widths alone. Raises a {@link DataError} for widths that it
 * cannot have found.
 */
export function widthsFoundBefore(
  searched: SearchJob,
  widths: Widths,
): WidthsFound {
  const { adjoined: { base }, groups } = searched.search;
  const choice = choiceOf(base, groups, widths);
  if (choice) return widthsOfChoice(searched, choice);
  throw new DataError(
    "Cannot go on with the widths that were found: wanted those of a search with the same options, " +
      "found others",
  );
}

/** The same search with its batches in so many parts. */
export function searchInParts(search: SearchJob, parts: number): SearchJob {
  return { ...search, job: inParts(search.job, parts) };
}

/** The training after a search, in words. */
const AFTER = "training with the widths found";

/** A budget that can be counted: of other costs there is no telling, they are about those of their cause. */
function countedBudget(
  { budget, budgeted }: Pick<SearchOptions<Limited>, "budget" | "budgeted">,
): { budget: number; budgeted: Budgeted } {
  return { budget, budgeted: budgeted === "params" ? "params" : "macs" };
}

/** The training that follows a search, with even widths of its budgets: others are not known before. */
export function jobAfter(
  { job: { split, network, adjoined, chooseTiles }, options }: SearchJob,
  training: TrainOptions,
): Job {
  const named = budgetsOf(options).map((budget) => {
    const cost = { ...countedBudget({ ...options, budget }), image: split.train };
    const widths = uniformWidths(adjoined.base, training, cost);
    return { which: nameOf(options, budget), widths };
  });
  const widths = joinNamed(named);
  return jobOn({ split, network, chooseTiles }, { ...training, importance: undefined, widths });
}

/** The name of a search in its states: of several, they are counted from the second on. */
function phaseOf(place: number): string {
  return place === 0 ? "search" : `search-${place + 1}`;
}

/** What several small networks begin with after their searches: drawn weights, or those of `--init`. */
function beginning(job: Job, given: State = new Map()): State {
  const drawn = initialState(job);
  const fitting = [...given].filter(([name, { length }]) => drawn.get(name)?.length === length);
  const whole = { state: new Map(fitting), unused: [], fresh: [] };
  const { state } = job.pairs.reduce<Pretrained>((of, pair) => withSmallNorms(pair, of), whole);
  return new Map([...drawn, ...state]);
}

/** Widths, and the networks of these widths if they were trained. */
export interface SearchResult {
  /** By budget; without those that had been found before the run went on. */
  readonly widths: readonly WidthsFound[];
  readonly trained?: TrainResult;
}

/**
 * Searches widths and, if `train`, trains the networks with them, on a GPU of its own: see
 * {@link onOwnGpu}. Each of several budgets is searched by itself, and as each search trains weights of
 * its own, the training after them begins with fresh ones.
 */
export async function search(
  opened: SearchJob,
  { options: all, train, fromScratch, found: keep, course = courseInMemory(), gpu, open }:
    & OnDevice
    & {
      /** Those of the training after the search. */
      options: TrainOptions;
      train: boolean;
      fromScratch: boolean;
      /** Is told widths as soon as there are any, and the name of their small network. */
      found: (widths: WidthsFound, which: SmallName) => Promise<void>;
      /** How it is kept from loss. Default: its states are kept in memory. */
      course?: Course;
    },
  reporter: Reporter,
): Promise<SearchResult> {
  const started = performance.now();
  const { split, network, chooseTiles, ranks } = opened.job;
  const inputs = { split, network, chooseTiles, ranks };
  // Widths that were found say which filters are kept.
  const training = { ...all, importance: undefined };
  const estimate = new Estimate();
  const run = async ({ gpu, parts, from, again }: Attempt): Promise<SearchResult> => {
    const own = { ...course, from };
    const options = { ...training, gradAccumSteps: String(parts) };
    if (from?.phase === "train") {
      const job = jobOn(inputs, { ...options, widths: from.run.options.widths });
      const told = { estimate, what: AFTER, course: own, again };
      return { widths: [], trained: await runJob(gpu, job, reporter, told) };
    }
    const budgets = budgetsOf(opened.options);
    const phases = budgets.map((_, i) => phaseOf(i));
    // What was found before the search that the run goes on from is in its state.
    const named: NamedWidths[] = widthsByName(from?.run.options.widths)
      .map(([which, widths]) => ({ which, widths }));
    const first = Math.max(0, phases.indexOf(from?.phase ?? ""));
    let last: Found | undefined;
    const widths: WidthsFound[] = [];
    for (const [i, budget] of budgets.entries()) {
      if (i < first) continue;
      const parted = searchInParts(opened, parts);
      const { options: whole } = parted.job;
      const soFar = named.length ? { ...whole, widths: joinNamed(named) } : whole;
      const one: SearchJob = {
        ...parted,
        job: { ...parted.job, options: soFar },
        options: { ...parted.options, budget },
      };
      const searches = budgets.slice(i + 1).flatMap(() => workloads(opened.job));
      estimate.later = [...searches, ...train ? workloads(jobAfter(opened, options)) : []];
      last = await findWidths(gpu, one, reporter, {
        ...{ estimate, course: own, phase: phases[i], before: last?.history },
        again: again && i === first,
      });
      const which = nameOf(opened.options, budget);
      named.push({ which, widths: last.widths.file.widths });
      widths.push(last.widths);
      await keep(last.widths, which);
      await course.keeper.settled();
    }
    estimate.later = [];
    if (!train || !last) return { widths };
    const isFresh = fromScratch || budgets.length > 1;
    // A search that goes on has the weights in its state.
    const isCut = !fromScratch && (training.init !== undefined || network !== undefined);
    const job = { ...jobOn(inputs, { ...options, widths: joinNamed(named) }), isCut };
    const trained = await runJob(gpu, job, reporter, {
      state: isFresh
        ? beginning(job, fromScratch ? undefined : opened.job.start)
        : narrowState(last.state, job.adjoined),
      ...{ estimate, what: AFTER, course: own, before: last.history },
    });
    return { widths, trained };
  };
  const { widths, trained } = await onOwnGpu({
    ...{ options: training, course, reporter, gpu, open },
    // Both networks are at their widest in the search.
    rehearse: (gpu, parts) => {
      const parted = searchInParts(opened, parts);
      return rehearse(gpu, parted.job, (scope) => gatesOf(scope, parted));
    },
  }, run);
  if (!trained) return { widths };
  const seconds = (course.from?.seconds ?? 0) + (performance.now() - started) / 1000;
  return { widths, trained: { ...trained, summary: { ...trained.summary, seconds } } };
}
