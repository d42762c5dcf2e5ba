import { printable } from "../data/printable.ts";
import { areLists } from "../export/widths_file.ts";
import { Gpu } from "../kernels/gpu.ts";
import { filterScores, type Importance, importantFilters } from "../nn/compress/importance.ts";
import { UsageError } from "./errors.ts";
import { TAYLOR_BATCHES, taylorScores } from "./filter_scores.ts";
import type { Given } from "./given.ts";
import { isSmall } from "./init.ts";
import { initialState, type Job, jobOn, type RunInputs } from "./job.ts";
import { pairsFor } from "./pair.ts";
import { joinWidths, widthsByName } from "./small_widths.ts";
import type { TrainOptions } from "./types.ts";

/** The order of the filters that a run cuts by: where it is not told, `l2` of weights that are given. */
function importanceOf(
  { importance, widths, mode, which }: TrainOptions,
  given: Given | undefined,
): Importance {
  const isBase = mode === "plain" && which === "base";
  if (!given || isBase) return "first";
  return importance ?? (widthsByName(widths).some(([, of]) => areLists(of)) ? "first" : "l2");
}

/** Scores of the filters of the weights that a run starts from. */
async function scoresOf(
  job: Job,
  importance: Exclude<Importance, "first">,
  open: () => Promise<Gpu>,
): Promise<Float64Array> {
  const { adjoined, feed, batches } = job;
  const state = initialState(job);
  if (importance !== "taylor") return filterScores(adjoined, { importance, state });
  const gpu = await open();
  try {
    return await taylorScores(gpu, adjoined, { state, feed, batches, count: TAYLOR_BATCHES });
  } finally {
    gpu.destroy();
  }
}

/**
 * The options of a run with the filters that its small network keeps as `widths`, where these are not
 * the first ones. Raises a {@link UsageError} for an order of filters where the weights that it starts
 * from are those of a small network, and errors as {@link jobOn} does.
 */
export async function withImportance(
  inputs: RunInputs,
  options: TrainOptions,
  open: () => Promise<Gpu> = Gpu.open,
): Promise<TrainOptions> {
  const { given, split } = inputs;
  const importance = importanceOf(options, given);
  if (importance === "first" || !given) return options;
  const small = options.mode === "distill" || options.mode === "plain";
  if (small && isSmall(given, pairsFor(options, split.train, inputs.network)[0])) {
    if (options.importance === undefined) return { ...options, importance: "first" };
    throw new UsageError(
      `Cannot order filters by ${importance}: wanted weights of the base network, found those of a ` +
        `small one in ${
          printable(given.file, 300)
        }; pass base.safetensors, or leave out --importance`,
    );
  }
  const whole = jobOn(inputs, { ...options, mode: "plain", which: "base" });
  const scores = await scoresOf(whole, importance, open);
  const named = whole.pairs.map((pair) => [pair.which, importantFilters(pair, scores)] as const);
  return { ...options, importance, widths: joinWidths(named) };
}
