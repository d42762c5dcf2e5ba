/** Images of one step. The arrays are written again by the next batch: copy what must last. */
export interface Batch {
  /**
   * `[batch, height, width, channels]`. Its buffer is longer by the zeros that fill the last
   * 32-bit word, as uploads go in whole words. Where there are `sizes`, each image has as many bytes
   * as the largest, and begins at a whole word.
   */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** `[batch]`. */
  readonly labels: Uint32Array<ArrayBuffer>;
  /** `[batch, 4]`: where each image is sampled, as {@link CropWriter} writes it. */
  readonly crops: Float32Array<ArrayBuffer>;
  /** How many images, from the first on, are meant; the others repeat one of the set. */
  readonly count: number;
  /** `[batch]`: the index of each image in its set. */
  readonly places?: Uint32Array<ArrayBuffer>;
  /** `[batch, 2]`: height and width of each image, where they differ. */
  readonly sizes?: Uint32Array<ArrayBuffer>;
  /** `[batch, numbers]` of each {@link Draw} of the augmentations, in their order. */
  readonly draws?: readonly Float32Array<ArrayBuffer>[];
}

/** Batches in order; those of pictures have to be waited for. */
export type Batches = Iterable<Batch> | AsyncIterable<Batch>;

/** Batches to train on, epoch by epoch. */
export interface EpochBatches {
  /** Batches in an epoch. */
  readonly length: number;
  /** The batches of an epoch, from batch `first` on. */
  epoch(epoch: number, first?: number): Batches;
}

/** Batches to measure on, which can be walked again. */
export type WholeBatches = Batches & {
  /** Batches in a walk. */
  readonly length: number;
};
