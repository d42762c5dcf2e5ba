import { checkNumber } from "./number_check.ts";
import { checkSeed, Random } from "./random.ts";
import { countClasses } from "./stratified.ts";

/** The ways in which the images of an epoch are chosen. */
export const SAMPLERS = ["shuffled", "balanced"] as const;

/**
 * `shuffled`: every image once. `balanced`: as many draws as there are images, with replacement,
 * each class equally likely, and each image of a class.
 */
export type Sampler = typeof SAMPLERS[number];

/** What {@link epochOrder} puts into order. */
export interface OrderOptions {
  /** The class of each image, from 0 to classes - 1. */
  readonly labels: ArrayLike<number>;
  /** How many classes there are; images may lack of some. */
  readonly classes: number;
  /** Of the order. */
  readonly seed: number;
  /** From 0 on; each has an order of its own. */
  readonly epoch: number;
  /** How images are chosen; `shuffled` unless told. */
  readonly sampler?: Sampler;
}

/** How many images each class has. Raises a `RangeError` for a label that is no class. */
function countsOf(action: string, labels: ArrayLike<number>, classes: number): number[] {
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] >= 0 && labels[i] < classes) continue;
    throw new RangeError(
      `Cannot ${action}: wanted labels from 0 to ${classes - 1}, found ${labels[i]} at image ${i}`,
    );
  }
  return countClasses(labels, classes);
}

/** Draws with replacement; as PyTorch's WeightedRandomSampler does with weights 1 / count. */
function balanced({ labels, classes, seed, epoch }: OrderOptions): Uint32Array {
  const counts = countsOf("draw a balanced order", labels, classes);
  // The images of class c are places[ends[c] - counts[c] .. ends[c]].
  const ends = new Uint32Array(classes);
  for (let c = 1; c < classes; c++) ends[c] = ends[c - 1] + counts[c - 1];
  const places = new Uint32Array(labels.length);
  for (let i = 0; i < labels.length; i++) places[ends[labels[i]]++] = i;
  const present = counts.flatMap((count, c) => count > 0 ? [c] : []);
  const random = new Random(seed, `balanced order of epoch ${epoch}`);
  return places.map(() => {
    const c = present[random.integer(present.length)];
    return places[ends[c] - 1 - random.integer(counts[c])];
  });
}

/**
 * The places of the images of an epoch, as many as there are labels, in the order in which they are
 * shown. It depends on the seed, the epoch and the labels alone. Raises a `RangeError` for a seed or
 * epoch that is none, and for labels that are no classes.
 */
export function epochOrder(options: OrderOptions): Uint32Array {
  const { labels, seed, epoch, sampler = "shuffled" } = options;
  checkSeed(seed);
  checkNumber("put an epoch into order", "the epoch", epoch, { from: 0, whole: true });
  if (sampler === "balanced") return balanced(options);
  const order = Uint32Array.from({ length: labels.length }, (_, i) => i);
  new Random(seed, `order of epoch ${epoch}`).shuffle(order);
  return order;
}

/**
 * A weight of each class in the loss, `[classes]`: images / (classes with images · images of the
 * class), as scikit-learn's "balanced". Their mean over the images is 1. A class without images gets
 * 0: it is never a label, and should take no part of the target either. Raises a `RangeError` for
 * labels that are no classes.
 */
export function balancedWeights(
  labels: ArrayLike<number>,
  classes: number,
): Float32Array<ArrayBuffer> {
  const counts = countsOf("weigh the classes", labels, classes);
  const present = counts.filter((count) => count > 0).length;
  return Float32Array.from(
    counts,
    (count) => count === 0 ? 0 : labels.length / (present * count),
  );
}
