import { curable, cure } from "./cure.ts";
import { DataError } from "./error.ts";
import type { ImageSet } from "./image_set.ts";
import type { PictureSet } from "./pictures.ts";
import { printable } from "./printable.ts";
import { unfitName } from "./unfit_name.ts";

export type { DatasetPart, ImageSet } from "./image_set.ts";

/** Labelled images of one size, in memory. */
export interface Dataset extends ImageSet {
  /** `[length, height, width, channels]`, one byte each. */
  readonly pixels: Uint8Array;
}

/** What pixels scaled to [0, 1] are normalised by: `(pixel / 255 - mean) / std`, channel by channel. */
export interface Normalization {
  /** `[channels]`. */
  readonly mean: number[];
  /** `[channels]`, the standard deviation. */
  readonly std: number[];
}

/** That of ImageNet's training images: what torchvision's and timm's ResNets were trained with. */
export const IMAGENET: Normalization = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Two sets without a common image; in memory, unless told. */
export interface Split<Set extends Dataset | PictureSet = Dataset> {
  /** What a network is trained on. */
  readonly train: Set;
  /** What it is measured on: its `part` says whether these are the test images of the set. */
  readonly validation: Set;
  /** Of the training set. */
  readonly normalization: Normalization;
}

/** Two sets of either kind. */
export type AnySplit = Split<Dataset | PictureSet>;

/** A dataset of which there may be no pixels yet, only how many there are. */
export type CountedDataset = Omit<Dataset, "pixels"> & {
  readonly pixels: Pick<Uint8Array, "length">;
};

/** Raises a `TypeError` for pixels and labels that are not arrays of whole numbers. */
function checkArrays({ name, pixels, labels }: CountedDataset): void {
  const arrays: {
    what: string;
    found: unknown;
    kinds: (Uint8ArrayConstructor | Uint16ArrayConstructor)[];
  }[] = [
    { what: "labels", found: labels, kinds: [Uint8Array, Uint16Array] },
  ];
  const counted = !ArrayBuffer.isView(pixels) && !Array.isArray(pixels);
  if (!counted) arrays.push({ what: "pixels", found: pixels, kinds: [Uint8Array] });
  for (const { what, found, kinds } of arrays) {
    if (kinds.some((kind) => found instanceof kind)) continue;
    const is = ArrayBuffer.isView(found) ? `a ${found.constructor.name}` : "none";
    throw new TypeError(
      `Cannot use ${name}: wanted ${what} in a ${kinds.map(({ name }) => name).join(" or a ")}, ` +
        `found ${is}; round them to whole numbers first`,
    );
  }
}

/**
 * Raises a `DataError` unless sizes, pixels, labels and classes fit together, and a `TypeError` for
 * pixels and labels in other arrays than those of a {@link Dataset}.
 */
export function checkDataset(dataset: CountedDataset): void {
  checkArrays(dataset);
  const { name, classes, length, height, width, channels, pixels, labels } = dataset;
  const shape = [length, height, width, channels];
  if (shape.some((d) => !Number.isInteger(d) || d < 1)) {
    throw new DataError(`Cannot use ${name}: wanted at least one image, found shape [${shape}]`);
  }
  const bytes = length * height * width * channels;
  if (pixels.length !== bytes) {
    throw new DataError(
      `Cannot use ${name}: wanted ${bytes} bytes of pixels for shape [${shape}], found ${pixels.length}`,
    );
  }
  if (labels.length !== length) {
    throw new DataError(
      `Cannot use ${name}: wanted a label for each of its ${length} images, found ${labels.length}`,
    );
  }
  for (const label of classes) {
    const why = unfitName(label);
    if (why) {
      throw new DataError(
        `Cannot use ${name}: wanted names of classes, found ${printable(label)}, ${why}; rename it`,
      );
    }
  }
  const wrong = labels.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    throw new DataError(
      `Cannot use ${name}: wanted labels below its ${classes.length} classes, found ${
        labels[wrong]
      } at image ${wrong}`,
    );
  }
}

/**
 * Mean and standard deviation of each channel over all pixels / 255. A channel that never varies
 * gets the deviation 1, so that dividing by it is harmless.
 */
export function measureNormalization(dataset: Dataset): Normalization {
  checkArrays(dataset);
  const { pixels, channels } = dataset;
  const counts = new Float64Array(channels * 256);
  for (let i = 0, c = 0; i < pixels.length; i++) {
    counts[c * 256 + pixels[i]]++;
    if (++c === channels) c = 0;
  }
  const total = pixels.length / channels;
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
    const histogram = counts.subarray(c * 256, (c + 1) * 256);
    const average = histogram.reduce((sum, count, v) => sum + count * v, 0) / total;
    const variance = histogram.reduce((sum, n, v) => sum + n * (v - average) ** 2, 0) / total;
    mean.push(average / 255);
    std.push(variance > 0 ? Math.sqrt(variance) / 255 : 1);
  }
  return { mean, std };
}

/** Raises a `RangeError` unless a dataset has as many images as are wanted of it. */
export function checkCount(
  { name, part, length }: Pick<Dataset, "name" | "part" | "length">,
  count: number,
): void {
  if (Number.isInteger(count) && count >= 1 && count <= length) return;
  const option = part === "train" ? "trainSize" : "valSize";
  const asked = { option, words: "the count" };
  const problem = `Cannot take ${count} images of ${name}: it has ${length}`;
  throw curable(RangeError, problem, cure`lower ${asked} to at most ${length}`);
}

/** The first `count` images, sharing memory with the dataset; a `RangeError` if it has fewer. */
export function take(dataset: Dataset, count: number): Dataset {
  checkCount(dataset, count);
  const { height, width, channels } = dataset;
  return {
    ...dataset,
    length: count,
    pixels: dataset.pixels.subarray(0, count * height * width * channels),
    labels: dataset.labels.subarray(0, count),
  };
}

/** Copies of the images at some places, in that order. */
export function pick(dataset: Dataset, places: Uint32Array): Dataset {
  const { height, width, channels } = dataset;
  const bytes = height * width * channels;
  const pixels = new Uint8Array(places.length * bytes);
  places.forEach((from, to) =>
    pixels.set(dataset.pixels.subarray(from * bytes, (from + 1) * bytes), to * bytes)
  );
  const labels = Uint16Array.from(places, (place) => dataset.labels[place]);
  return { ...dataset, length: places.length, pixels, labels };
}

/** The images of all parts in order, under one name; a `DataError` if their sizes differ. */
export function concatenate(name: string, parts: readonly [Dataset, ...Dataset[]]): Dataset {
  const [{ classes, height, width, channels }] = parts;
  for (const part of parts) {
    if (part.height !== height || part.width !== width || part.channels !== channels) {
      throw new DataError(
        `Cannot append ${part.name} to ${
          parts[0].name
        }: wanted images of [${height},${width},${channels}], found [${part.height},${part.width},${part.channels}]`,
      );
    }
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const pixels = new Uint8Array(length * height * width * channels);
  const labels = new Uint16Array(length);
  let at = 0;
  for (const part of parts) {
    pixels.set(part.pixels, at * height * width * channels);
    labels.set(part.labels, at);
    at += part.length;
  }
  return { name, classes, length, height, width, channels, pixels, labels };
}
