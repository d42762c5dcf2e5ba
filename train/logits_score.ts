import type { Batch } from "../data/batch.ts";
import { countCorrect } from "../kernels/ops/counters.ts";
import type { Values } from "../kernels/op.ts";
import type { Score } from "./types.ts";

/** The sums that the kernels count, of logits that something else has computed. */
export class LogitsScore {
  readonly #classes: number;
  #counters: Values = { shape: [4], data: new Float64Array(4) };

  /** `classes` is how many logits an image has. */
  constructor(classes: number) {
    this.#classes = classes;
  }

  /** Counts the images of a batch that are meant; logits `[count, classes]`, row-major. */
  add({ count, labels }: Batch, logits: Float32Array): void {
    [this.#counters] = countCorrect.reference([
      { shape: [count, this.#classes], data: Float64Array.from(logits) },
      { shape: [count], data: Float64Array.from(labels.subarray(0, count)) },
      this.#counters,
    ], {});
  }

  /** How many images there were. */
  get images(): number {
    return this.#counters.data[0];
  }

  /** How many of them have their class's logit as the largest. */
  get right(): number {
    return this.#counters.data[1];
  }

  /** The means over all images. */
  get score(): Score {
    const [images, top1, top5, loss] = this.#counters.data;
    return { top1: top1 / images, top5: top5 / images, loss: loss / images };
  }
}
