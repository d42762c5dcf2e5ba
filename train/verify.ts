import type { Batch } from "../data/batch.ts";
import { validationBatches } from "../data/picture_batches.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { networkSpecs } from "../nn/state.ts";
import { networkWords, type Which } from "../nn/which.ts";
import { VerificationError } from "./errors.ts";
import type { ImageWork } from "./image_work.ts";
import { Weights } from "./learner.ts";
import type { Objective } from "./objective.ts";
import { Evaluation } from "./evaluation.ts";
import { type Feed } from "./image_feed.ts";
import type { Verification } from "./types.ts";

/**
 * The largest difference of a logit that still counts as equal; times the largest logit of the
 * image where that is above 1, as float32 rounds in proportion.
 */
export const TOLERANCE = 1e-4;

/** Index of the largest value; the first of equals. */
function argmax(values: Float32Array): number {
  return values.reduce((best, value, i) => value > values[best] ? i : best, 0);
}

/** Gives the logits of a batch, `[batch, classes]`, row-major; those of its rest may be missing. */
export type LogitsOf = (batch: Batch) => Promise<Float32Array>;

/** The largest absolute value, and 1 at least. NaN when any is. */
function magnitude(logits: Float32Array): number {
  return logits.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
}

/**
 * Compares the logits that two networks give for all of a data set. Classes are the same, too, where
 * neither network tells them apart by more than the {@link TOLERANCE}. `work` is told how far it is.
 */
export async function compareLogits(
  [first, second]: readonly [LogitsOf, LogitsOf],
  { dataset, batch: size }: Pick<Feed, "dataset" | "batch">,
  work?: ImageWork,
): Promise<Verification> {
  const classes = dataset.classes.length;
  let maxDifference = 0;
  let maxError = 0;
  let agreeing = 0;
  let images = 0;
  for await (const batch of validationBatches({ dataset, batch: size })) {
    const all = [await first(batch), await second(batch)];
    for (let i = 0; i < batch.count; i++) {
      const [a, b] = all.map((logits) => logits.subarray(i * classes, (i + 1) * classes));
      // A NaN stays: Math.max gives NaN when either is.
      const difference = a.reduce((most, value, c) => Math.max(most, Math.abs(value - b[c])), 0);
      const scale = magnitude(a);
      maxDifference = Math.max(maxDifference, difference);
      maxError = Math.max(maxError, difference / scale);
      const [ofA, ofB] = [argmax(a), argmax(b)];
      const apart = Math.max(a[ofA] - a[ofB], b[ofB] - b[ofA]);
      if (apart <= TOLERANCE * scale) agreeing++;
    }
    images += batch.count;
    work?.sent(batch.count);
    work?.waited();
  }
  return { maxDifference, maxError, top1Agreement: agreeing / images, images };
}

/**
 * Runs the masked small network (prefix slices of the whole weights) and the extracted one (its own
 * small tensors) over all of a data set, and compares their logits.
 */
export async function compare(
  gpu: Gpu,
  { adjoined, weights, extracted, feed, work }: {
    adjoined: Adjoined;
    /** Weights of the adjoined pair. */
    weights: Weights;
    extracted: { readonly network: Network; readonly state: State };
    feed: Feed;
    /** Is told how far the comparison is. */
    work?: ImageWork;
  },
): Promise<Verification> {
  using scope = gpu.scope();
  const both: Objective = { mode: "adjoined", adjoined, detach: false };
  const { network, state } = extracted;
  const { which } = adjoined;
  const alone: Objective = { mode: "plain", which, network };
  const own = new Weights(scope, networkSpecs(network), state);
  const masked = await Evaluation.trace(scope, { objective: both, weights, feed });
  const small = await Evaluation.trace(scope, { objective: alone, weights: own, feed });
  const networks = [masked, small] as const;
  const [first, second] = networks.map((net): LogitsOf => (batch) => net.logits(batch, which));
  return await compareLogits([first, second], feed, work);
}

/** What has to hold, and how far it is from that. */
export function inequality({ maxDifference, maxError, top1Agreement }: Verification): string {
  return `to ${TOLERANCE} of the largest, or of 1 where that is more, and the same class for every ` +
    `image, found a difference of ${maxDifference}, which is ${maxError} of that, and ` +
    `${(100 * top1Agreement).toFixed(2)} % equal classes`;
}

/** Whether two networks count as equal: logits to {@link TOLERANCE}, and the same classes. */
export function areEqual({ maxError, top1Agreement }: Verification): boolean {
  return maxError <= TOLERANCE && top1Agreement === 1;
}

/** Raises a {@link VerificationError} when the extracted network is not the one measured. */
export function demandEqual(found: Verification, which: Which = "small"): void {
  if (areEqual(found)) return;
  throw new VerificationError(
    `Cannot save the ${networkWords(which)}: it has to give the masked network's logits ` +
      `${inequality(found)}; nothing was saved`,
  );
}
