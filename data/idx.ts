import { checkDataset, type Dataset } from "./dataset.ts";
import { DataError } from "./error.ts";

/** An array of bytes as an IDX file holds it, row-major. */
export interface IdxArray {
  /** What errors call it. */
  readonly fileName: string;
  /** Its dimensions, the slowest first. */
  readonly shape: readonly number[];
  /** As many as the product of the shape. */
  readonly values: Uint8Array;
}

const TYPES: Readonly<Record<number, string>> = {
  0x08: "unsigned bytes (8)",
  0x09: "signed bytes (9)",
  0x0b: "16-bit integers (11)",
  0x0c: "32-bit integers (12)",
  0x0d: "32-bit floats (13)",
  0x0e: "64-bit floats (14)",
};

/**
 * Reads an IDX file of unsigned bytes: two zero bytes, the type (8), the number of dimensions,
 * each dimension as a big-endian 32-bit number, then the values. Raises a `DataError` for a file
 * that is cut off, goes on too long, or holds something else.
 */
export function parseIdx(bytes: Uint8Array, fileName: string): IdxArray {
  const fail = (wanted: string, found: string) =>
    new DataError(`Cannot read ${fileName} as IDX: wanted ${wanted}, found ${found}`);
  if (bytes.length < 4) {
    throw fail("a header of at least 4 bytes", `${bytes.length}; download it again`);
  }
  const [zero, alsoZero, type, rank] = bytes;
  if (zero !== 0 || alsoZero !== 0 || !(type in TYPES)) {
    const hex = Array.from(bytes.subarray(0, 4), (v) => v.toString(16).padStart(2, "0")).join(" ");
    throw fail("it to start with 00 00 08", `${hex}; is it another format?`);
  }
  if (type !== 0x08) throw fail(TYPES[8], `${TYPES[type]}; convert its values to bytes`);
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    const dimensions = `${header} bytes of header for ${rank} dimensions`;
    throw fail(dimensions, `${bytes.length}; download it again`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, k) => view.getUint32(4 + 4 * k));
  const size = header + shape.reduce((product, d) => product * d, 1);
  if (bytes.length !== size) {
    throw fail(`${size} bytes for shape [${shape}]`, `${bytes.length}; download it again`);
  }
  return { fileName, shape, values: bytes.subarray(header) };
}

/** What {@link idxDataset} puts together. */
export interface IdxDatasetOptions {
  /** Of the dataset. */
  name: string;
  /** `[length, height, width]` or `[length, height, width, channels]`. */
  images: IdxArray;
  /** `[length]`. */
  labels: IdxArray;
  /** How many classes, named "0", "1" and so on; the largest label + 1 unless told. */
  classes?: number;
}

/** Images and labels as a dataset; a `DataError` where they do not fit together. */
export function idxDataset({ name, images, labels, classes }: IdxDatasetOptions): Dataset {
  const [length, height, width, channels = 1] = images.shape;
  if (images.shape.length !== 3 && images.shape.length !== 4) {
    throw new DataError(
      `Cannot use ${images.fileName} as images: wanted 3 or 4 dimensions, found shape [${images.shape}]`,
    );
  }
  if (labels.shape.length !== 1) {
    throw new DataError(
      `Cannot use ${labels.fileName} as labels: wanted 1 dimension, found shape [${labels.shape}]`,
    );
  }
  if (labels.shape[0] !== length) {
    throw new DataError(
      `Cannot use ${labels.fileName} with ${images.fileName}: wanted ${length} labels, one for each image, found ${
        labels.shape[0]
      }; take both from the same set`,
    );
  }
  const count = classes ?? largestLabel(labels) + 1;
  const dataset: Dataset = {
    name,
    classes: Array.from({ length: count }, (_, label) => String(label)),
    length,
    height,
    width,
    channels,
    pixels: images.values,
    labels: labels.values,
  };
  checkDataset(dataset);
  return dataset;
}

/** The largest value of an array of labels. */
export function largestLabel({ values }: IdxArray): number {
  return values.reduce((largest, label) => Math.max(largest, label), 0);
}
