import type { Random } from "./random.ts";

/** Random numbers of a batch: each image has its own in each epoch, whatever else is drawn. */
export interface Streams {
  /** Images in the batch. */
  readonly length: number;
  /** Those of the image in a row; the same for one seed, epoch and picture. */
  image(row: number): Random;
  /** Those of the whole batch. */
  batch(): Random;
}

/** The random numbers that an augmentation takes on the GPU, as an array beside the batch. */
export interface Draw {
  /** The name of its stream of random numbers. */
  readonly name: string;
  /** Numbers of an image. */
  readonly numbers: number;
  /** Writes `[batch, numbers]`, all of them. */
  fill(numbers: Float32Array, streams: Streams): void;
}
