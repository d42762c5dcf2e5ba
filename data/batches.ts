import { type CropWriter, identity } from "./augment.ts";
import type { Batch } from "./batch.ts";
import type { Dataset } from "./dataset.ts";
import { EpochWalk, type TrainingOptions } from "./epoch_walk.ts";
import { imageAt, Rows } from "./rows.ts";

export type { Batch } from "./batch.ts";
export type { TrainingOptions } from "./epoch_walk.ts";

/**
 * Batches to train on: each epoch in an order of its own, without the last incomplete batch. The
 * order depends only on seed and epoch, the augmentation of an image only on seed, epoch and its
 * place in the set, so a run can go on anywhere.
 */
export class TrainingBatches {
  /** Batches in an epoch. */
  readonly length: number;
  readonly #options: TrainingOptions;
  readonly #walk: EpochWalk;
  readonly #rows: Rows;

  /** Raises a `RangeError` for a batch larger than the dataset, or a seed that is none. */
  constructor(options: TrainingOptions) {
    this.#walk = new EpochWalk(options);
    this.#rows = new Rows(options.dataset, options.batch);
    this.#options = options;
    this.length = this.#walk.length;
  }

  /** The batches of an epoch, from batch `first` on. Raises a `RangeError` for negative numbers. */
  epoch(epoch: number, first = 0): Generator<Batch, void, void> {
    this.#walk.check(epoch, first);
    return this.#from(epoch, first);
  }

  *#from(epoch: number, first: number): Generator<Batch, void, void> {
    const { dataset, batch, draws } = this.#options;
    const [rows, walk] = [this.#rows, this.#walk];
    const order = walk.order(epoch);
    for (let k = first; k < this.length; k++) {
      const places = order.subarray(k * batch, (k + 1) * batch);
      places.forEach((place, row) => {
        const crop = walk.crop({ epoch, place, position: k * batch + row }, dataset);
        rows.put(row, imageAt(dataset, place), crop);
      });
      if (draws?.length) walk.draw(epoch, k, places);
      yield draws?.length ? { ...rows.batch(batch), draws: walk.draws } : rows.batch(batch);
    }
  }
}

/** How a validation set is walked. */
export interface ValidationOptions {
  /** The images. */
  dataset: Dataset;
  /** Images in a batch; may be more than there are. */
  batch: number;
  /** How images are cropped; not at all unless told. */
  crop?: CropWriter;
}

/** All images in order. The last batch may be filled in part: its `count` says how far. */
export class ValidationBatches {
  /** Batches in a walk. */
  readonly length: number;
  readonly #options: ValidationOptions;
  readonly #rows: Rows;

  /** Raises a `RangeError` for a batch that is not a whole number from 1 on. */
  constructor(options: ValidationOptions) {
    this.#rows = new Rows(options.dataset, options.batch);
    this.#options = options;
    this.length = Math.ceil(options.dataset.length / options.batch);
  }

  /** The batches, from the first image on. */
  *[Symbol.iterator](): Generator<Batch, void, void> {
    const { dataset, batch, crop = identity() } = this.#options;
    for (let start = 0; start < dataset.length; start += batch) {
      const count = Math.min(batch, dataset.length - start);
      for (let row = 0; row < batch; row++) {
        const place = row < count ? start + row : 0;
        this.#rows.put(row, imageAt(dataset, place), crop);
      }
      yield this.#rows.batch(count);
    }
  }
}
