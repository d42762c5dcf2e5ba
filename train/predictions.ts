import type { Batch } from "../data/batch.ts";
import { logSoftmax } from "../kernels/ops/softmax.ts";

/** The part of a batch that says which images these are, and of which classes. */
export type Labelled = Pick<Batch, "count" | "labels" | "places">;

/** The class that a network gives one image. */
export interface Prediction {
  /** The index of the image in its set. */
  readonly place: number;
  /** Its class. */
  readonly label: number;
  /** The class with the largest logit; the first of equals. */
  readonly predicted: number;
  /** Probability of the predicted class, from 0 to 1. */
  readonly probability: number;
  /** Probability of the image's own class. */
  readonly ofLabel: number;
}

/** Mistakes that are kept, of however many. */
const KEPT = 100;

/** More confident first; of equals the one that comes first in the set. */
function before(a: Prediction, b: Prediction): number {
  return b.probability - a.probability || a.place - b.place;
}

/** The classes that a network gives the images of a set, counted. */
export class Predictions {
  /** The number of classes. */
  readonly classes: number;
  /** `[classes, classes]`: images of each class, by the class that they are given. */
  readonly counts: Uint32Array;
  #images = 0;
  /** Of each image: its place, its class, the class that it is given, and how probable that is. */
  readonly #each: readonly [number[], number[], number[], number[]] = [[], [], [], []];
  readonly #mistakes: Prediction[] = [];

  /** For this many classes, and no images yet. */
  constructor(classes: number) {
    this.classes = classes;
    this.counts = new Uint32Array(classes * classes);
  }

  /** The number of images. */
  get images(): number {
    return this.#images;
  }

  /** What is said of each image, in the order in which they came. */
  get each(): Iterable<Omit<Prediction, "ofLabel">> {
    const [places, labels, given, probabilities] = this.#each;
    return places.values().map((place, i) => ({
      place,
      label: labels[i],
      predicted: given[i],
      probability: probabilities[i],
    }));
  }

  /** The most confident mistakes, 100 at most, the most confident of them first. */
  get mistakes(): Prediction[] {
    return this.#mistakes.toSorted(before).slice(0, KEPT);
  }

  /** Counts the images of a batch that are meant; its logits are `[batch, classes]`, row-major. */
  add({ count, labels, places }: Labelled, logits: Float32Array): void {
    const { classes } = this;
    const data = Float64Array.from(logits.subarray(0, count * classes));
    const logs = logSoftmax({ shape: [count, classes], data });
    for (let row = 0; row < count; row++) {
      const own = logs.subarray(row * classes, (row + 1) * classes);
      const predicted = own.reduce((best, log, i) => log > own[best] ? i : best, 0);
      const label = labels[row];
      this.counts[label * classes + predicted]++;
      const place = places?.[row] ?? this.#images + row;
      const probability = Math.exp(own[predicted]);
      [place, label, predicted, probability].forEach((value, i) => this.#each[i].push(value));
      if (predicted === label) continue;
      this.#mistakes.push({
        place,
        label,
        predicted,
        probability,
        ofLabel: Math.exp(own[label]),
      });
    }
    this.#images += count;
    if (this.#mistakes.length < 10 * KEPT) return;
    this.#mistakes.sort(before).length = KEPT;
  }
}
