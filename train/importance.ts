import { DataError } from "../data/error.ts";
import { printable } from "../data/printable.ts";
import { areLists } from "../export/widths_file.ts";
import { Gpu } from "../kernels/gpu.ts";
import {
  filterScores,
  type Importance,
  importantFilters,
  pairClasses,
} from "../nn/compress/importance.ts";
import { curable, cure } from "../data/cure.ts";
import { UsageError } from "./errors.ts";
import { TAYLOR_BATCHES, taylorScores } from "./filter_scores.ts";
import type { Given } from "./given.ts";
import { ImageWork } from "./image_work.ts";
import { isSmall } from "./init.ts";
import { initialState, type Job, jobOn, type RunInputs } from "./job.ts";
import { pairsFor } from "./pair.ts";
import { joinWidths, widthsByName } from "./small_widths.ts";
import type { Reporter, TrainOptions } from "./types.ts";

/** The order of the filters that a run cuts by: where it is not told, `l2` of weights that are given. */
function importanceOf(
  { importance, widths, mode, which }: TrainOptions,
  given: Given | undefined,
): Importance {
  const isBase = mode === "plain" && which === "base";
  if (!given || isBase) return "first";
  return importance ?? (widthsByName(widths).some(([, of]) => areLists(of)) ? "first" : "l2");
}

/** What scoring filters uses and tells. */
export interface Scoring {
  /** A device for gradients, which stays open. */
  readonly gpu?: Gpu;
  /** Opens one otherwise. Default: that of the fastest adapter. */
  readonly open?: () => Promise<Gpu>;
  /** Is told how far gradients are. */
  readonly reporter?: Pick<Reporter, "work">;
}

/**
 * Scores of the filters of the weights that a run starts from. Raises a {@link UsageError} where
 * gradients are no numbers.
 */
async function scoresOf(
  job: Job,
  importance: Exclude<Importance, "first">,
  { gpu: own, open = Gpu.open, reporter }: Scoring,
): Promise<Float64Array> {
  const { adjoined, feed, batches } = job;
  const state = initialState(job);
  if (importance !== "taylor") return filterScores(adjoined, { importance, state });
  const gpu = own ?? await open();
  try {
    const total = TAYLOR_BATCHES * feed.batch;
    const work = reporter &&
      new ImageWork({ work: { what: "importance of filters", total }, reporter });
    const on = { state, feed, batches, count: TAYLOR_BATCHES, work };
    const scores = await taylorScores(gpu, adjoined, on);
    if (scores.every(Number.isFinite)) return scores;
  } finally {
    if (!own) gpu.destroy();
  }
  throw curable(
    UsageError,
    "Cannot order filters by taylor: the gradients of the given weights are no numbers",
    cure`choose another ${{ option: "importance" }}`,
  );
}

/**
 * The options of a run with the filters that its small network keeps as `widths`, where these are not
 * the first ones. Raises a {@link UsageError} for an order of filters where the weights that it starts
 * from are those of a small network, and errors as {@link jobOn} does.
 */
export async function withImportance(
  inputs: RunInputs,
  options: TrainOptions,
  scoring: Scoring = {},
): Promise<TrainOptions> {
  const { given, split } = inputs;
  const importance = importanceOf(options, given);
  if (importance === "first" || !given) return options;
  const small = options.mode === "distill" || options.mode === "plain";
  if (small && isSmall(given, pairsFor(options, split.train, inputs.network)[0])) {
    if (options.importance === undefined) return { ...options, importance: "first" };
    throw curable(
      UsageError,
      `Cannot order filters by ${importance}: wanted weights of the base network, found those of a ` +
        `small one in ${printable(given.file, 300)}`,
      cure`pass base.safetensors`,
      cure`leave out ${{ option: "importance" }}`,
    );
  }
  const whole = jobOn(inputs, { ...options, mode: "plain", which: "base" });
  const scores = await scoresOf(whole, importance, scoring);
  const named = whole.pairs.map((pair) => [pair.which, importantFilters(pair, scores)] as const);
  return { ...options, importance, widths: joinWidths(named) };
}

/** By class: how many different scores are below its own. */
function ranksOf(scores: Float64Array): number[] {
  const different = [...new Set(scores)].sort((a, b) => a - b);
  const ranks = new Map(different.map((score, rank) => [score, rank]));
  return Array.from(scores, (score) => ranks.get(score) ?? 0);
}

/**
 * What a search orders filters by: the options with the order that is meant, and ranks of the classes
 * of channels, the higher the more they matter; none where the first ones do. Raises errors as
 * {@link withImportance} does.
 */
export async function rankedForSearch(
  inputs: RunInputs,
  options: TrainOptions,
  scoring: Scoring = {},
): Promise<{ readonly options: TrainOptions; readonly ranks?: readonly number[] }> {
  const importance = importanceOf(options, inputs.given);
  if (importance === "first") return { options };
  const alone = { mode: "plain", which: "base", compression: 1, widths: undefined } as const;
  const scores = await scoresOf(jobOn(inputs, { ...options, ...alone }), importance, scoring);
  return { options: { ...options, importance }, ranks: ranksOf(scores) };
}

/** Raises a {@link DataError} for ranks of other channels: those of a state that was changed. */
export function demandRanks({ ranks, adjoined }: Pick<Job, "ranks" | "adjoined">): void {
  const { count } = pairClasses(adjoined);
  if (!ranks || ranks.length === count) return;
  throw new DataError(
    `Cannot go on with the search: wanted an order of ${count} filters, found one of ` +
      `${ranks.length}; take an earlier checkpoint`,
  );
}
