import { type CropWriter, identity } from "./augment.ts";
import { curable, cure } from "./cure.ts";
import type { Dataset } from "./dataset.ts";
import type { Draw } from "./draws.ts";
import { checkNumber } from "./number_check.ts";
import { epochOrder, type Sampler } from "./order.ts";
import type { PictureSize } from "./picture.ts";
import type { PictureSet } from "./pictures.ts";
import { checkSeed, Random } from "./random.ts";

/** How a training set is walked. */
export interface TrainingOptions<Set extends Dataset | PictureSet = Dataset> {
  /** The images. */
  dataset: Set;
  /** Images in a batch. */
  batch: number;
  /** Of order and augmentation. */
  seed: number;
  /** How images are chosen; each once unless told. */
  sampler?: Sampler;
  /** How an image of some size is cropped, given random numbers of its own; not at all unless told. */
  augment?: (random: Random, source: PictureSize) => CropWriter;
  /** What augmentations on the GPU draw. */
  draws?: readonly Draw[];
}

/** An image where it is shown. */
interface Shown {
  readonly epoch: number;
  /** Its index in the set. */
  readonly place: number;
  /** Its index in the order of the epoch. */
  readonly position: number;
}

/** Raises a `RangeError` for a batch of more images than a set has. */
export function demandBatch(batch: number, { name, length }: Dataset | PictureSet): void {
  if (batch <= length) return;
  const problem = `Cannot make batches of ${batch} images: ${name} has ${length}`;
  const option = { option: "batchSize", words: "the batch" };
  throw curable(RangeError, problem, cure`lower ${option} to at most that`);
}

/** The order and the draws of training batches, whatever kind their images are of. */
export class EpochWalk {
  /** Batches in an epoch. */
  readonly length: number;
  /** The numbers of each draw. */
  readonly draws: readonly Float32Array<ArrayBuffer>[];
  readonly #options: TrainingOptions<Dataset | PictureSet>;

  /** Raises a `RangeError` for a batch larger than the set, or a seed that is none. */
  constructor(options: TrainingOptions<Dataset | PictureSet>) {
    const { dataset, batch, seed, draws = [] } = options;
    checkSeed(seed);
    demandBatch(batch, dataset);
    this.#options = options;
    this.length = Math.floor(dataset.length / batch);
    this.draws = draws.map(({ numbers }) => new Float32Array(batch * numbers));
  }

  /** Raises a `RangeError` for an epoch and a batch that there are not. */
  check(epoch: number, first: number): void {
    const action = "make the batches of an epoch";
    checkNumber(action, "the epoch", epoch, { from: 0, whole: true });
    checkNumber(action, "the first batch", first, { from: 0, to: this.length, whole: true });
  }

  /** The places of the images in the order of an epoch. */
  order(epoch: number): Uint32Array {
    const { dataset, seed, sampler } = this.#options;
    const { labels, classes: { length: classes } } = dataset;
    return epochOrder({ labels, classes, seed, epoch, sampler });
  }

  /** The random numbers of an image at a position of an epoch. */
  #random(name: string, { epoch, place, position }: Shown): Random {
    const { seed, sampler } = this.#options;
    // An image that is shown twice is not shown alike.
    const showing = sampler === "balanced" ? `, position ${position}` : "";
    return new Random(seed, `${name} of epoch ${epoch}, image ${place}${showing}`);
  }

  /** The crop of an image. */
  crop(shown: Shown, size: PictureSize): CropWriter {
    const { augment } = this.#options;
    return augment ? augment(this.#random("crop", shown), size) : identity();
  }

  /** Draws the numbers of batch `k`. `places` are its images. */
  draw(epoch: number, k: number, places: ArrayLike<number>): void {
    const { seed, batch, draws = [] } = this.#options;
    draws.forEach(({ name, fill }, i) =>
      fill(this.draws[i], {
        length: batch,
        image: (row) =>
          this.#random(name, { epoch, place: places[row], position: k * batch + row }),
        batch: () => new Random(seed, `${name} of epoch ${epoch}, batch ${k}`),
      })
    );
  }
}
