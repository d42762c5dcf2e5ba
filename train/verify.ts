import type { Batch } from "../data/batch.ts";
import { validationBatches } from "../data/picture_batches.ts";
import type { Gpu } from "../kernels/gpu.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import type { Network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { networkSpecs } from "../nn/state.ts";
import { type ByNetwork, networkWords, type Which } from "../nn/which.ts";
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

/** How far the logits of two networks are apart, over all batches so far. */
class Agreement {
  readonly #classes: number;
  #maxDifference = 0;
  #maxError = 0;
  #agreeing = 0;
  #images = 0;

  constructor(classes: number) {
    this.#classes = classes;
  }

  /** Adds those of a batch, `[batch, classes]`, row-major. */
  add(count: number, first: Float32Array, second: Float32Array): void {
    const classes = this.#classes;
    for (let i = 0; i < count; i++) {
      const [a, b] = [first, second].map((of) => of.subarray(i * classes, (i + 1) * classes));
      // A NaN stays: Math.max gives NaN when either is.
      const difference = a.reduce((most, value, c) => Math.max(most, Math.abs(value - b[c])), 0);
      const scale = magnitude(a);
      this.#maxDifference = Math.max(this.#maxDifference, difference);
      this.#maxError = Math.max(this.#maxError, difference / scale);
      const [ofA, ofB] = [argmax(a), argmax(b)];
      const apart = Math.max(a[ofA] - a[ofB], b[ofB] - b[ofA]);
      if (apart <= TOLERANCE * scale) this.#agreeing++;
    }
    this.#images += count;
  }

  get found(): Verification {
    return {
      maxDifference: this.#maxDifference,
      maxError: this.#maxError,
      top1Agreement: this.#agreeing / this.#images,
      images: this.#images,
    };
  }
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
  const agreement = new Agreement(dataset.classes.length);
  for await (const batch of validationBatches({ dataset, batch: size })) {
    agreement.add(batch.count, await first(batch), await second(batch));
    work?.sent(batch.count);
    work?.waited();
  }
  return agreement.found;
}

/** A network by itself, with its values. */
export interface Extracted {
  /** The network. */
  readonly network: Network;
  /** Its parameters and statistics. */
  readonly state: State;
}

/** A small network as it was trained, and extracted. */
export interface Twins {
  /** The pair, of which the small network is masked. */
  readonly adjoined: Adjoined;
  /** The small network with tensors of its own. */
  readonly extracted: Extracted;
}

/**
 * Runs masked small networks of one base network (prefix slices of the whole weights) and the
 * extracted ones (small tensors of their own) over all of a data set, and compares their logits.
 * The base network runs once for each batch.
 */
export async function compareAll(
  gpu: Gpu,
  { twins, weights, feed, work }: {
    twins: readonly Twins[];
    /** Weights of the adjoined networks. */
    weights: Weights;
    feed: Feed;
    /** Is told how far the comparison is. */
    work?: ImageWork;
  },
): Promise<ByNetwork<Verification>> {
  using scope = gpu.scope();
  const pairs = twins.map(({ adjoined }) => adjoined);
  const together: Objective = { mode: "adjoined", adjoined: pairs, detach: false };
  const masked = await Evaluation.trace(scope, { objective: together, weights, feed });
  const compared = [];
  for (const { adjoined: { which }, extracted: { network, state } } of twins) {
    const objective: Objective = { mode: "plain", which, network };
    const own = new Weights(scope, networkSpecs(network), state);
    const alone = await Evaluation.trace(scope, { objective, weights: own, feed });
    compared.push({ which, alone, agreement: new Agreement(feed.dataset.classes.length) });
  }
  for await (const batch of validationBatches(feed)) {
    const { count } = batch;
    const found = await masked.allLogits(batch);
    for (const { which, alone, agreement } of compared) {
      const first = found[which];
      if (!first) throw new TypeError(`Cannot compare ${which}: it is not evaluated`);
      agreement.add(count, first, await alone.logits(batch, which));
    }
    work?.sent(count);
    work?.waited();
  }
  return Object.fromEntries(compared.map(({ which, agreement }) => [which, agreement.found]));
}

/** As {@link compareAll}, of one small network. */
export async function compare(
  gpu: Gpu,
  { adjoined, extracted, ...parts }: Twins & {
    weights: Weights;
    feed: Feed;
    work?: ImageWork;
  },
): Promise<Verification> {
  const { [adjoined.which]: found } = await compareAll(gpu, {
    ...parts,
    twins: [{ adjoined, extracted }],
  });
  if (!found) throw new TypeError(`Cannot compare ${adjoined.which}: it is not evaluated`);
  return found;
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
