import { identity } from "./augment.ts";
import type { Batch, EpochBatches, WholeBatches } from "./batch.ts";
import { TrainingBatches, ValidationBatches } from "./batches.ts";
import type { Dataset } from "./dataset.ts";
import { EpochWalk, type TrainingOptions } from "./epoch_walk.ts";
import { DataError } from "./error.ts";
import type { Picture } from "./picture.ts";
import { arePictures, type PictureSet } from "./pictures.ts";
import { Rows } from "./rows.ts";

/** Batches whose pictures are asked for ahead, so that a step finds them decoded. */
const AHEAD = 2;

/** A picture, and its place in the set. */
interface Placed {
  readonly place: number;
  readonly picture: Picture | undefined;
}

/**
 * The results of `read` for the whole numbers of a range, in their order; `ahead` of them are asked
 * for before the first is there. When the walk is left, what has been asked for is let go.
 */
async function* inOrder(
  read: (i: number) => Promise<Placed>,
  { from, to }: { readonly from: number; readonly to: number },
  ahead: number,
): AsyncGenerator<Placed, void, void> {
  const waiting: Promise<Placed>[] = [];
  for (let i = from; i < to; i++) {
    const found = read(i);
    // An error is raised where its picture is wanted, if it still is.
    found.catch(() => {});
    waiting.push(found);
    if (waiting.length < ahead) continue;
    const [first] = waiting.splice(0, 1);
    yield await first;
  }
  for (const found of waiting) yield await found;
}

/**
 * Batches of pictures to train on, as {@link TrainingBatches} are of images in memory. In the place
 * of a broken picture is the next of the order that is none.
 */
export class PictureTrainingBatches implements EpochBatches {
  /** Batches in an epoch. */
  readonly length: number;
  readonly #options: TrainingOptions<PictureSet>;
  readonly #walk: EpochWalk;
  readonly #rows: Rows;

  /** Raises a `RangeError` for a batch larger than the set, or a seed that is none. */
  constructor(options: TrainingOptions<PictureSet>) {
    this.#walk = new EpochWalk(options);
    this.#rows = new Rows(options.dataset, options.batch);
    this.#options = options;
    this.length = this.#walk.length;
  }

  /** The batches of an epoch, from batch `first` on. Raises a `RangeError` for negative numbers. */
  epoch(epoch: number, first = 0): AsyncGenerator<Batch, void, void> {
    this.#walk.check(epoch, first);
    return this.#from(epoch, first);
  }

  /** The picture at some position of an order, or the next one that is not broken. */
  async #unbroken(order: Uint32Array, position: number): Promise<Placed> {
    const { source, name } = this.#options.dataset;
    for (let k = 0; k < order.length; k++) {
      const place = order[(position + k) % order.length];
      const picture = await source.read(place);
      if (picture) return { place, picture };
    }
    throw new DataError(`Cannot train on ${name}: all ${order.length} pictures are broken`);
  }

  async *#from(epoch: number, first: number): AsyncGenerator<Batch, void, void> {
    const { dataset: { labels }, batch } = this.#options;
    const [rows, walk] = [this.#rows, this.#walk];
    const order = walk.order(epoch);
    const pictures = inOrder(
      (position) => this.#unbroken(order, position),
      { from: first * batch, to: this.length * batch },
      (AHEAD + 1) * batch,
    );
    let row = 0;
    let k = first;
    for await (const { place, picture } of pictures) {
      if (!picture) continue;
      const crop = walk.crop({ epoch, place, position: k * batch + row }, picture);
      rows.put(row, { ...picture, place, label: labels[place] }, crop);
      if (++row < batch) continue;
      walk.draw(epoch, k++, rows.places);
      row = 0;
      yield walk.draws.length ? { ...rows.batch(batch), draws: walk.draws } : rows.batch(batch);
    }
  }
}

/**
 * All pictures in order, as {@link ValidationBatches} are of images in memory, but for broken ones.
 * Raises a `DataError` where all are broken.
 */
export class PictureValidationBatches {
  /** Batches in a walk, if none is broken. */
  readonly length: number;
  readonly #set: PictureSet;
  readonly #rows: Rows;

  /** Raises a `RangeError` for a batch that is not a whole number from 1 on. */
  constructor({ dataset, batch }: { dataset: PictureSet; batch: number }) {
    this.#rows = new Rows(dataset, batch);
    this.#set = dataset;
    this.length = Math.ceil(dataset.length / batch);
  }

  /** The batches, from the first picture on, and the places of their pictures. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, void> {
    const { source, labels, length, name } = this.#set;
    const rows = this.#rows;
    const read = async (place: number): Promise<Placed> => ({
      place,
      picture: await source.read(place),
    });
    const crop = identity();
    let row = 0;
    let any = false;
    const all = { from: 0, to: length };
    for await (const { place, picture } of inOrder(read, all, (AHEAD + 1) * rows.length)) {
      if (!picture) continue;
      any = true;
      rows.put(row, { ...picture, place, label: labels[place] }, crop);
      if (++row < rows.length) continue;
      row = 0;
      yield rows.batch(rows.length);
    }
    if (!any) throw new DataError(`Cannot measure on ${name}: all ${length} pictures are broken`);
    if (row === 0) return;
    rows.repeat(row);
    yield rows.batch(row);
  }
}

/** Batches of either kind of set to train on. */
export function trainingBatches(options: TrainingOptions<Dataset | PictureSet>): EpochBatches {
  const { dataset, ...rest } = options;
  return arePictures(dataset)
    ? new PictureTrainingBatches({ dataset, ...rest })
    : new TrainingBatches({ dataset, ...rest });
}

/** The first batch of either kind of set. */
export async function firstBatch(
  options: { dataset: Dataset | PictureSet; batch: number },
): Promise<Batch> {
  for await (const batch of validationBatches(options)) return batch;
  throw new TypeError(`Cannot take a batch of ${options.dataset.name}: it has none`);
}

/** Batches of either kind of set to measure on. */
export function validationBatches(
  { dataset, batch }: { dataset: Dataset | PictureSet; batch: number },
): WholeBatches {
  return arePictures(dataset)
    ? new PictureValidationBatches({ dataset, batch })
    : new ValidationBatches({ dataset, batch });
}
