/** A part of a set: images to train on, to choose by, or those that its authors test on. */
export type DatasetPart = "train" | "validation" | "test";

/** Labelled images, and what is known of them before a pixel is read. */
export interface ImageSet {
  /** What errors call it. */
  readonly name: string;
  /** Which part of a set the images are, where that is known. */
  readonly part?: DatasetPart;
  /** The names of the classes; a label is an index into them. */
  readonly classes: readonly string[];
  /** The number of images. */
  readonly length: number;
  /** Pixels from top to bottom, as networks take them. */
  readonly height: number;
  /** Pixels from left to right, as networks take them. */
  readonly width: number;
  /** Bytes of a pixel: 1 for grey, 3 for red, green, blue. */
  readonly channels: number;
  /** `[length]`. */
  readonly labels: Uint8Array | Uint16Array;
}
