import type { EpochBatches } from "../data/batch.ts";
import { checkNumber } from "../data/number_check.ts";
import type { Gpu } from "../kernels/gpu.ts";
import { smallSpecs } from "../nn/compress/adjoined_state.ts";
import { runSmalls } from "../nn/compress/run_adjoined.ts";
import { runNetwork } from "../nn/forward.ts";
import type { State } from "../nn/parameters.ts";
import { joinSpecs } from "../nn/state.ts";
import { firstBatches } from "./first_batches.ts";
import { type Feed, Images } from "./image_feed.ts";
import type { ImageWork } from "./image_work.ts";
import { applying, Weights } from "./learner.ts";
import { type Objective, pairsOf, specsOf } from "./objective.ts";

/** What statistics are estimated on. */
export interface EstimatedOn {
  /** Pairs, of which those of the small networks are estimated, or one network. */
  readonly objective: Exclude<Objective, { readonly mode: "search" }>;
  /** The data side. */
  readonly feed: Feed;
  /** Its batches. */
  readonly batches: EpochBatches;
  /** How many of them, the first ones of the training. */
  readonly count: number;
  /** Is told how far it is. */
  readonly work?: ImageWork;
}

/**
 * The state with the running statistics of small networks, or of the only network, estimated anew: the
 * means over batches of each batch's mean and unbiased variance, where training takes moving averages.
 * A network that was cut out of another has statistics of its own: they are not those of its parts.
 * All else stays as it is, the layers that both networks share among it.
 */
export async function estimateStatistics(
  gpu: Gpu,
  state: State,
  { objective, feed, batches, count, work }: EstimatedOn,
): Promise<State> {
  checkNumber("estimate statistics", "the number of batches", count, { from: 1, whole: true });
  const pairs = pairsOf(objective);
  const { statistics } = pairs.length ? joinSpecs(pairs.map(smallSpecs)) : specsOf(objective);
  if (!statistics.length) return state;
  using scope = gpu.scope();
  const weights = new Weights(scope, specsOf(objective), state);
  const images = new Images(scope, feed);
  const program = await scope.trace("estimation of statistics", (trace) => {
    const image = images.record(trace, feed.normalization);
    const running = { apply: applying(trace), parameter: weights.tensor, training: false };
    // The running statistics are those of the last batch, and of what evaluation has: nothing drops.
    const estimating = { ...running, training: true, momentum: 1, noise: null };
    if (pairs.length) runSmalls(pairs, image, { trunk: running, small: estimating });
    else if ("network" in objective) runNetwork(objective.network, image, estimating);
  });
  const sums = new Map(
    statistics.map(({ name, shape: [channels] }) => [name, new Float64Array(channels)] as const),
  );
  for await (const batch of firstBatches(batches, count)) {
    images.send(batch);
    program.replay();
    const [flat] = await gpu.read([weights.statistics.flat]);
    for (const [name, values] of weights.statistics.split(Float32Array.from(flat))) {
      sums.get(name)?.forEach((sum, c, all) => all[c] = sum + values[c]);
    }
    if (work?.sent(batch.count)) work.waited();
  }
  work?.ended();
  const means = [...sums].map(([name, all]) =>
    [name, Float32Array.from(all, (sum) => sum / count)] as const
  );
  return new Map([...state, ...means]);
}
