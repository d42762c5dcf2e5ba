import { checkDataset, type Dataset } from "./dataset.ts";
import { DataError } from "./error.ts";
import { hexOf, otherFormat } from "./file_format.ts";
import { printable, printableJson } from "./printable.ts";

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

/** What the header of an IDX file says. */
export interface IdxHeader {
  /** Dimensions, the slowest first. */
  readonly shape: readonly number[];
  /** Bytes of the header. */
  readonly bytes: number;
  /** Bytes of the whole file. */
  readonly size: number;
}

/** The most bytes that a header takes: 255 dimensions. */
export const LONGEST_IDX_HEADER = 4 + 4 * 255;

function unreadable(fileName: string, wanted: string, found: string): DataError {
  return new DataError(
    `Cannot read ${printable(fileName, 300)} as IDX: wanted ${wanted}, found ${found}`,
  );
}

/** The error for a file that has not the size that its header says. */
export function wrongIdxSize(
  fileName: string,
  { shape, size }: IdxHeader,
  found: number | "more" | "fewer",
): DataError {
  const bytes = Number.isSafeInteger(size) ? size : "more than 2^53";
  const wanted = `${bytes} bytes for shape ${printableJson(shape)}`;
  return unreadable(fileName, wanted, `${found}; download it again`);
}

/**
 * Reads the header of an IDX file of unsigned bytes: two zero bytes, the type (8), the number of
 * dimensions, each dimension as a big-endian 32-bit number. Raises a `DataError` for another format.
 *
 * @param bytes The beginning of the file, or all of it.
 */
export function parseIdxHeader(bytes: Uint8Array, fileName: string): IdxHeader {
  const fail = (wanted: string, found: string) => unreadable(fileName, wanted, found);
  if (bytes.length < 4) {
    throw fail("a header of at least 4 bytes", `${bytes.length}; download it again`);
  }
  const [zero, alsoZero, type, rank] = bytes;
  if (zero !== 0 || alsoZero !== 0 || !(type in TYPES)) {
    const other = otherFormat(bytes);
    const cure = other?.cure ?? "is it another format?";
    const found = other ? other.name : hexOf(bytes, 4);
    throw fail("it to start with 00 00 08", `${found}; ${cure}`);
  }
  if (type !== 0x08) throw fail(TYPES[8], `${TYPES[type]}; convert its values to bytes`);
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    const dimensions = `${header} bytes of header for ${rank} dimensions`;
    throw fail(dimensions, `${bytes.length}; download it again`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, k) => view.getUint32(4 + 4 * k));
  // A product that begins with infinity would be no number where a size is 0.
  const count = shape.includes(0) ? 0 : shape.reduce((product, d) => product * d, 1);
  return { shape, bytes: header, size: header + count };
}

/**
 * Reads an IDX file of unsigned bytes: its header, then the values. Raises a `DataError` for a file
 * that is cut off, goes on too long, or holds something else.
 */
export function parseIdx(bytes: Uint8Array, fileName: string): IdxArray {
  const header = parseIdxHeader(bytes, fileName);
  if (bytes.length !== header.size) throw wrongIdxSize(fileName, header, bytes.length);
  return { fileName, shape: header.shape, values: bytes.subarray(header.bytes) };
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

/** The order of the axes, for those who have another. */
const AXES = "the axes are count, height, width, or count, height, width, channels";

/** Channels of an image at most: what a pixel of a texture holds. */
const MOST_CHANNELS = 4;

/** What {@link checkIdxShapes} compares. */
export interface IdxShapes {
  readonly images: Pick<IdxArray, "fileName" | "shape">;
  readonly labels: Pick<IdxArray, "fileName" | "shape">;
}

/**
 * Raises a `DataError` unless shapes are those of images `[length, height, width]` or
 * `[length, height, width, channels]`, 1 to 4 channels, and of their labels `[length]`.
 */
export function checkIdxShapes({ images, labels }: IdxShapes): void {
  const [imageFile, labelFile] = [images, labels].map(({ fileName }) => printable(fileName, 300));
  const { shape } = images;
  const [length, height, , channels = 1] = shape;
  if (shape.length !== 3 && shape.length !== 4) {
    throw new DataError(
      `Cannot use ${imageFile} as images: wanted 3 or 4 dimensions, found shape ` +
        `${printableJson(shape)}; ${AXES}`,
    );
  }
  if (labels.shape.length !== 1) {
    throw new DataError(
      `Cannot use ${labelFile} as labels: wanted 1 dimension, found shape ` +
        printableJson(labels.shape),
    );
  }
  if (labels.shape[0] !== length) {
    const turned = shape.includes(labels.shape[0]) ? `: ${AXES}` : "";
    throw new DataError(
      `Cannot use ${labelFile} with ${imageFile}: wanted ${length} labels, one for each image, ` +
        `found ${labels.shape[0]}; take both from the same set${turned}`,
    );
  }
  if (channels > MOST_CHANNELS) {
    const first = height <= MOST_CHANNELS ? ", not count, channels, height, width" : "";
    throw new DataError(
      `Cannot use ${imageFile} as images: wanted 1 to ${MOST_CHANNELS} channels, found shape ` +
        `[${shape}]; the axes are count, height, width, channels${first}`,
    );
  }
}

/** Images and labels as a dataset; a `DataError` where they do not fit together. */
export function idxDataset({ name, images, labels, classes }: IdxDatasetOptions): Dataset {
  checkIdxShapes({ images, labels });
  const [length, height, width, channels = 1] = images.shape;
  const count = classes ?? largestLabel(labels) + 1;
  const dataset: Dataset = {
    name,
    classes: numbered(count),
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

/** Names of classes that have only their numbers: "0", "1" and so on. */
export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, label) => String(label));
}

/** The largest value of an array of labels. */
export function largestLabel({ values }: IdxArray): number {
  return values.reduce((largest, label) => Math.max(largest, label), 0);
}
