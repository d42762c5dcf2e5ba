import type { CropWriter } from "./augment.ts";
import type { Batch } from "./batch.ts";
import { checkDataset, type Dataset, type ImageSet } from "./dataset.ts";
import type { PictureSize } from "./picture.ts";
import { arePictures, type PictureSet } from "./pictures.ts";

/** The room that an image has in a batch. */
export interface Frame {
  /** Bytes from one image to the next. */
  readonly bytes: number;
  /** Whether images have sizes of their own, and so begin at whole words. */
  readonly varied: boolean;
}

/** The room that the images of a set have in batches. */
export function frameOf(set: Dataset | PictureSet | ImageSet): Frame {
  const { height, width, channels } = set;
  if (!arePictures(set) || !set.source.varied) {
    return { bytes: height * width * channels, varied: false };
  }
  return { bytes: Math.ceil(set.source.area * channels / 4) * 4, varied: true };
}

/** An image that is put into a batch. */
interface Placed extends PictureSize {
  /** `[height, width, channels]`. */
  readonly pixels: Uint8Array;
  /** The index of the image in its set. */
  readonly place: number;
  readonly label: number;
}

/** Room for one batch, filled image by image. */
export class Rows {
  /** Images in the batch. */
  readonly length: number;
  /** The pixels of {@link Batch}. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** The labels of {@link Batch}. */
  readonly labels: Uint32Array<ArrayBuffer>;
  /** The crops of {@link Batch}. */
  readonly crops: Float32Array<ArrayBuffer>;
  /** The places of {@link Batch}. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** The sizes of {@link Batch}, where they differ. */
  readonly sizes?: Uint32Array<ArrayBuffer>;
  readonly #bytes: number;

  /** Raises a `RangeError` for a batch that is not a whole number from 1 on. */
  constructor(set: Dataset | PictureSet, batch: number) {
    if (!arePictures(set)) checkDataset(set);
    if (!Number.isInteger(batch) || batch < 1) {
      throw new RangeError(
        `Cannot make batches of ${batch} images: wanted a whole number from 1 on`,
      );
    }
    const { bytes, varied } = frameOf(set);
    this.length = batch;
    this.#bytes = bytes;
    this.pixels = new Uint8Array(
      new ArrayBuffer(Math.ceil(batch * bytes / 4) * 4),
      0,
      batch * bytes,
    );
    this.labels = new Uint32Array(batch);
    this.crops = new Float32Array(batch * 4);
    this.places = new Uint32Array(batch);
    if (varied) this.sizes = new Uint32Array(batch * 2);
  }

  /** Puts an image into a row. */
  put(row: number, { pixels, height, width, place, label }: Placed, crop: CropWriter): void {
    const start = row * this.#bytes;
    this.pixels.set(pixels, start);
    this.pixels.fill(0, start + pixels.length, start + this.#bytes);
    this.places[row] = place;
    this.labels[row] = label;
    this.sizes?.set([height, width], row * 2);
    crop(this.crops, row * 4);
  }

  /** Fills the rows from one on with that before, so that they can be computed and left out. */
  repeat(from: number): void {
    const { pixels, labels, crops, places, sizes } = this;
    for (let row = Math.max(from, 1); row < this.length; row++) {
      pixels.copyWithin(row * this.#bytes, 0, this.#bytes);
      labels[row] = labels[0];
      places[row] = places[0];
      crops.copyWithin(row * 4, 0, 4);
      sizes?.copyWithin(row * 2, 0, 2);
    }
  }

  /** The batch, of which `count` images are meant. */
  batch(count: number): Batch {
    const { pixels, labels, crops, places, sizes } = this;
    return { pixels, labels, crops, places, count, ...sizes ? { sizes } : {} };
  }
}

/** An image of a set in memory. */
export function imageAt(
  { pixels, labels, height, width, channels }: Dataset,
  place: number,
): Placed {
  const bytes = height * width * channels;
  const own = pixels.subarray(place * bytes, (place + 1) * bytes);
  return { pixels: own, height, width, place, label: labels[place] };
}
