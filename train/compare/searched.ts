import { findWidths, type SearchJob, searchOn, widthsFoundBefore } from "../search.ts";
import { widthsOfFirst } from "../small_widths.ts";
import { workloads } from "../workloads.ts";
import { uniformJob } from "./jobs.ts";
import type { Ground, Method, Training, Turn } from "./method.ts";
import { OF_PAIRS } from "./takes.ts";

/** The search of widths. Raises a `UsageError` for a budget that no widths meet. */
export function searchJob({ inputs, options, find }: Ground): SearchJob {
  return searchOn(inputs, options, find);
}

async function training(turn: Turn): Promise<Training> {
  const { gpu, reporter, from, begin } = turn;
  const search = searchJob(turn);
  const before = widthsOfFirst(from?.run.options.widths);
  const found = before
    ? { widths: widthsFoundBefore(search, before) }
    : await findWidths(gpu, search, reporter, begin());
  const { file: { widths } } = found.widths;
  const job = uniformJob(turn, { widths });
  return { job, widths: found.widths, ..."history" in found ? { before: found.history } : {} };
}

/** Both networks on one set of weights, with the small one's widths searched, from fresh weights. */
export const searched: Method = {
  name: "searched",
  rows: { base: "base, adjoined, searched widths", small: "small, adjoined, searched widths" },
  takes: [
    ...OF_PAIRS,
    "divisors",
    "searchEpochs",
    "searchLr",
    "temperature",
    "endTemperature",
  ],
  before: {
    name: "search",
    what: "search of widths",
    work: (ground) => workloads(searchJob(ground).job),
  },
  // Searched widths cost what uniform ones do.
  work: (ground) => workloads(uniformJob(ground)),
  training,
};
