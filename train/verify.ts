import { type Batch, ValidationBatches } from "../data/batches.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Adjoined } from "../nn/adjoin.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { networkSpecs } from "../nn/state.ts";
import { VerificationError } from "./errors.ts";
import { Weights } from "./learner.ts";
import type { Objective } from "./objective.ts";
import { Evaluation, type Feed } from "./step.ts";
import type { Verification } from "./types.ts";

/** The largest difference of a logit that still counts as equal. */
export const TOLERANCE = 1e-4;

/** Index of the largest of `count` values from `start` on; the first of equals. */
function argmax(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[start + i] > values[start + best]) best = i;
  return best;
}

/** Gives the logits of a batch, `[batch, classes]`, row-major; those of its rest may be missing. */
export type LogitsOf = (batch: Batch) => Promise<Float32Array>;

/** Compares the logits that two networks give for all of a data set. */
export async function compareLogits(
  [first, second]: readonly [LogitsOf, LogitsOf],
  { dataset, batch: size }: Pick<Feed, "dataset" | "batch">,
): Promise<Verification> {
  const classes = dataset.classes.length;
  let maxDifference = 0;
  let agreeing = 0;
  let images = 0;
  for (const batch of new ValidationBatches({ dataset, batch: size })) {
    const a = await first(batch);
    const b = await second(batch);
    for (let i = 0; i < batch.count; i++) {
      const start = i * classes;
      for (let c = start; c < start + classes; c++) {
        // A NaN stays: Math.max gives NaN when either is.
        maxDifference = Math.max(maxDifference, Math.abs(a[c] - b[c]));
      }
      if (argmax(a, start, classes) === argmax(b, start, classes)) agreeing++;
    }
    images += batch.count;
  }
  return { maxDifference, top1Agreement: agreeing / images, images };
}

/**
 * Runs the masked small network (prefix slices of the whole weights) and the extracted one (its own
 * small tensors) over all of a data set, and compares their logits.
 */
export async function compare(
  gpu: Gpu,
  { adjoined, weights, extracted, feed }: {
    adjoined: Adjoined;
    /** Weights of the adjoined pair. */
    weights: Weights;
    extracted: { readonly network: Network; readonly state: State };
    feed: Feed;
  },
): Promise<Verification> {
  using scope = gpu.scope();
  const both: Objective = { mode: "adjoined", adjoined, detach: false };
  const { network, state } = extracted;
  const alone: Objective = { mode: "plain", which: "small", network };
  const own = new Weights(scope, networkSpecs(network), state);
  const masked = await Evaluation.trace(scope, { objective: both, weights, feed });
  const small = await Evaluation.trace(scope, { objective: alone, weights: own, feed });
  return await compareLogits([
    (batch) => masked.logits(batch, "small"),
    (batch) => small.logits(batch, "small"),
  ], feed);
}

/** Whether two networks count as equal: logits to {@link TOLERANCE}, and the same classes. */
export function areEqual({ maxDifference, top1Agreement }: Verification): boolean {
  return maxDifference <= TOLERANCE && top1Agreement === 1;
}

/** Raises a {@link VerificationError} when the extracted network is not the one measured. */
export function demandEqual(found: Verification): void {
  if (areEqual(found)) return;
  const { maxDifference, top1Agreement } = found;
  throw new VerificationError(
    `Cannot save the small network: it has to give the masked network's logits to ${TOLERANCE} ` +
      `and the same class for every image, found a difference of ${maxDifference} and ` +
      `${(100 * top1Agreement).toFixed(2)} % equal classes; nothing was saved`,
  );
}
