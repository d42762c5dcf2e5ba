import { widthsOf } from "../../nn/compress/adjoin.ts";
import { filterScores } from "../../nn/compress/importance.ts";
import { prune } from "../../nn/compress/prune.ts";
import type { State } from "../../nn/parameters.ts";
import { TAYLOR_BATCHES, taylorScores } from "../filter_scores.ts";
import { workloads } from "../workloads.ts";
import { base } from "./base.ts";
import { baseJob, smallJob, uniformJob } from "./jobs.ts";
import type { Method, Training, Turn } from "./method.ts";

/** Scores of the filters of the base network that was trained alone; none for the first filters. */
async function scoresOf(turn: Turn, state: State): Promise<Float64Array | undefined> {
  const { pruneBy: importance, gpu } = turn;
  if (importance === "first") return undefined;
  const { adjoined, feed, batches } = baseJob(turn);
  return importance === "taylor"
    ? await taylorScores(gpu, adjoined, { state, feed, batches, count: TAYLOR_BATCHES })
    : filterScores(adjoined, { importance, state });
}

async function training(turn: Turn): Promise<Training> {
  const plain = { mode: "plain", which: "small" } as const;
  // The filters were chosen when it began.
  if (turn.from) {
    return { job: uniformJob(turn, { ...plain, widths: turn.from.run.options.widths }) };
  }
  const { state: trained } = await turn.trained(base, "base");
  const scores = await scoresOf(turn, trained);
  const { adjoined, state } = prune(smallJob(turn).adjoined, trained, scores);
  return { job: uniformJob(turn, { ...plain, widths: widthsOf(adjoined) }), state };
}

/** The small network, cut out of the base network that was trained alone, and trained as long again. */
export const pruned: Method = {
  name: "pruned",
  rows: { small: "small, pruned and fine-tuned" },
  needs: [base],
  takes: ["pruneBy"],
  work: (ground) => workloads(smallJob(ground)),
  training,
};
