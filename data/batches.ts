import { type CropWriter, identity } from "./augment.ts";
import { curable, cure } from "./cure.ts";
import { checkDataset, type Dataset } from "./dataset.ts";
import { checkNumber } from "./number_check.ts";
import { checkSeed, Random } from "./random.ts";

/** Images of one step. The arrays are written again by the next batch: copy what must last. */
export interface Batch {
  /**
   * `[batch, height, width, channels]`. Its buffer is longer by the zeros that fill the last
   * 32-bit word, as uploads go in whole words.
   */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** `[batch]`. */
  readonly labels: Uint32Array<ArrayBuffer>;
  /** `[batch, 4]`: where each image is sampled, as {@link CropWriter} writes it. */
  readonly crops: Float32Array<ArrayBuffer>;
  /** How many images, from the first on, are meant; the others repeat image 0 of the set. */
  readonly count: number;
}

/** Room for one batch, filled from a dataset. */
class Rows {
  readonly #dataset: Dataset;
  readonly #bytes: number;
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly labels: Uint32Array<ArrayBuffer>;
  readonly crops: Float32Array<ArrayBuffer>;

  constructor(dataset: Dataset, batch: number) {
    checkDataset(dataset);
    if (!Number.isInteger(batch) || batch < 1) {
      throw new RangeError(
        `Cannot make batches of ${batch} images: wanted a whole number from 1 on`,
      );
    }
    this.#dataset = dataset;
    this.#bytes = dataset.height * dataset.width * dataset.channels;
    const bytes = batch * this.#bytes;
    this.pixels = new Uint8Array(new ArrayBuffer(Math.ceil(bytes / 4) * 4), 0, bytes);
    this.labels = new Uint32Array(batch);
    this.crops = new Float32Array(batch * 4);
  }

  fill(row: number, image: number, crop: CropWriter): void {
    const { pixels, labels } = this.#dataset;
    const from = image * this.#bytes;
    this.pixels.set(pixels.subarray(from, from + this.#bytes), row * this.#bytes);
    this.labels[row] = labels[image];
    crop(this.crops, row * 4);
  }

  batch(count: number): Batch {
    return { pixels: this.pixels, labels: this.labels, crops: this.crops, count };
  }
}

/** How a training set is walked. */
export interface TrainingOptions {
  /** The images. */
  dataset: Dataset;
  /** Images in a batch. */
  batch: number;
  /** Of order and crops. */
  seed: number;
  /** How images are cropped, given the random numbers of a batch; not at all unless told. */
  augment?: (random: Random) => CropWriter;
}

/**
 * Batches to train on: each epoch in an order of its own, without the last incomplete batch. Order
 * and crops of a batch depend only on seed, epoch and its place, so a run can go on anywhere.
 */
export class TrainingBatches {
  /** Batches in an epoch. */
  readonly length: number;
  readonly #options: TrainingOptions;
  readonly #rows: Rows;

  /** Raises a `RangeError` for a batch larger than the dataset, or a seed that is none. */
  constructor(options: TrainingOptions) {
    const { dataset, batch, seed } = options;
    checkSeed(seed);
    if (batch > dataset.length) {
      const problem = `Cannot make batches of ${batch} images: ${dataset.name} has ` +
        `${dataset.length}`;
      const option = { option: "batchSize", words: "the batch" };
      throw curable(RangeError, problem, cure`lower ${option} to at most that`);
    }
    this.#rows = new Rows(dataset, batch);
    this.#options = options;
    this.length = Math.floor(dataset.length / batch);
  }

  /** The batches of an epoch, from batch `first` on. Raises a `RangeError` for negative numbers. */
  epoch(epoch: number, first = 0): Generator<Batch, void, void> {
    const action = "make the batches of an epoch";
    checkNumber(action, "the epoch", epoch, { from: 0, whole: true });
    checkNumber(action, "the first batch", first, { from: 0, to: this.length, whole: true });
    return this.#from(epoch, first);
  }

  *#from(epoch: number, first: number): Generator<Batch, void, void> {
    const { dataset, batch, seed, augment = identity } = this.#options;
    const order = Uint32Array.from({ length: dataset.length }, (_, i) => i);
    new Random(seed, `order of epoch ${epoch}`).shuffle(order);
    for (let k = first; k < this.length; k++) {
      const crop = augment(new Random(seed, `crops of epoch ${epoch}, batch ${k}`));
      for (let row = 0; row < batch; row++) this.#rows.fill(row, order[k * batch + row], crop);
      yield this.#rows.batch(batch);
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
        this.#rows.fill(row, row < count ? start + row : 0, crop);
      }
      yield this.#rows.batch(count);
    }
  }
}
