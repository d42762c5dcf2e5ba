import type { EpochBatches } from "../data/batch.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import { filterScores } from "../nn/compress/importance.ts";
import { runNetwork } from "../nn/forward.ts";
import { Parameters, type State } from "../nn/parameters.ts";
import { networkSpecs } from "../nn/state.ts";
import { Tape } from "../nn/tape.ts";
import { firstBatches } from "./first_batches.ts";
import { type Feed, Images } from "./image_feed.ts";
import type { ImageWork } from "./image_work.ts";
import { Weights } from "./learner.ts";
import { lossOf } from "./objective.ts";

/** Training batches whose gradients are taken, unless it is said. */
export const TAYLOR_BATCHES = 16;

/** What gradients are taken over. */
export interface ScoredOn {
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
 * Scores of the classes of a pair's channels by `taylor`: the mean over batches of the change of the
 * loss of the base network that each batch foretells, see {@link filterScores}. Norms go by running
 * statistics: by those of the batch, the loss does not depend on the scale of a filter at all.
 */
export async function taylorScores(
  gpu: Gpu,
  adjoined: Adjoined,
  { state, feed, batches, count, work }: ScoredOn & { readonly state: State },
): Promise<Float64Array> {
  const { base } = adjoined;
  const specs = networkSpecs(base);
  using scope = gpu.scope();
  const weights = new Weights(scope, specs, state);
  const gradients = new Parameters(scope, "gradients", specs.parameters);
  const gradientOf = new Map(
    specs.parameters.map(({ name }) => [weights.tensor(name), gradients.get(name)]),
  );
  const images = new Images(scope, feed);
  const one = scope.tensor("one", [1], [1]);
  const lambda = scope.tensor("lambda", [1], [0]);
  const program = await scope.trace("gradients of a batch", (trace) => {
    const image = images.record(trace, feed.normalization);
    const tape = new Tape(trace, (parameter) => gradientOf.get(parameter));
    const { apply } = tape;
    const running = { apply, parameter: weights.tensor, training: false };
    const logits = { base: runNetwork(base, image, running) };
    const { labels, mixed: mix } = images;
    const [loss] = lossOf(
      { mode: "plain", which: "base", network: base },
      { apply, logits, labels, mix, lambda, labelSmoothing: 0 },
    );
    tape.backward(loss, one);
  });
  let scores = new Float64Array();
  for await (const batch of firstBatches(batches, count)) {
    images.send(batch);
    program.replay();
    const [flat] = await gpu.read([gradients.flat]);
    const found = gradients.split(Float32Array.from(flat));
    const own = filterScores(adjoined, { importance: "taylor", state, gradients: found });
    scores = own.map((score, c) => (scores[c] ?? 0) + score / count);
    if (work?.sent(batch.count)) work.waited();
  }
  work?.ended();
  return scores;
}
