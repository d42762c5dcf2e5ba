import { openBytes } from "./byte_source.ts";
import { parseCifar10, parseCifar100 } from "./cifar.ts";
import { nameClasses, readClassNames } from "./class_names.ts";
import {
  checkCount,
  checkDataset,
  concatenate,
  type Dataset,
  type DatasetPart,
  measureNormalization,
  pick,
  type Split,
} from "./dataset.ts";
import type { DatasetName } from "./dataset_names.ts";
import { DataError } from "./error.ts";
import { drawSplit } from "./generated.ts";
import { checkIdxShapes, largestLabel } from "./idx.ts";
import { readIdx, readIdxShape } from "./idx_file.ts";
import { labelNotes } from "./label_notes.ts";
import { Random } from "./random.ts";
import { CIFAR10, CIFAR100, type Half, IDX, locate } from "./set_files.ts";
import { stratified } from "./stratified.ts";

/** What to open, and how much of it. */
export interface OpenOptions {
  /** Where the files lie; needed by all but generated images, refused by those. */
  readonly dataDir?: string;
  /** Of generated images, and of which images of a file are taken. */
  readonly seed: number;
  /** How many training images; all unless told, and 4000 generated ones. */
  readonly trainCount?: number;
  /** How many validation images; all unless told, and 1000 generated ones. */
  readonly validationCount?: number;
  /** The part of the training images in files that is validated on, instead of the test images. */
  readonly validationSplit?: number;
  /** Pixels of a side of generated images, 32 unless told; files must have just that. */
  readonly imageSize?: number;
  /** How many classes an IDX set has; other sets must have just that many. */
  readonly classes?: number;
  /** The classes of a network that the images are for: names of IDX sets, which have but numbers. */
  readonly classNames?: readonly string[];
}

/** A split, and what there is to say of its images, a sentence each. */
export interface OpenedSplit extends Split {
  readonly notes: readonly string[];
}

/** One half of a set in files: its labels have been read. */
interface HalfOfFiles {
  readonly labels: ArrayLike<number>;
  /** Reads the images at some places, ascending; all unless told. */
  read(places?: Uint32Array): Promise<Dataset>;
}

type Halves = Partial<Record<Half, HalfOfFiles>>;

async function openCifar(
  name: "cifar10" | "cifar100",
  { dataDir }: OpenOptions,
  halves: readonly Half[],
): Promise<Halves> {
  const [files, parse] = name === "cifar10" ? [CIFAR10, parseCifar10] : [CIFAR100, parseCifar100];
  const { paths } = await locate(name, files, { dataDir, halves });
  const open = async (path: string): Promise<Dataset> => {
    await using source = await openBytes(path);
    const bytes = new Uint8Array(Math.min(source.most, LARGEST_CIFAR + 1));
    const filled = await source.fill(bytes);
    return parse(bytes.subarray(0, filled), source.name);
  };
  const opened: Halves = {};
  for (const half of halves) {
    const [first, ...rest] = paths[half];
    const parts: [Dataset, ...Dataset[]] = [await open(first)];
    for (const path of rest) parts.push(await open(path));
    const whole = concatenate(`${name} ${half}`, parts);
    opened[half] = {
      labels: whole.labels,
      read: (places) => Promise.resolve(places ? pick(whole, places) : whole),
    };
  }
  return opened;
}

/** Bytes of a file of CIFAR at most; those that are published have less than half of it. */
const LARGEST_CIFAR = 400_000_000;

async function openIdx(options: OpenOptions, halves: readonly Half[]): Promise<Halves> {
  const { dataDir, classes: count, classNames: known } = options;
  const { folder, paths } = await locate("idx", IDX, { dataDir, halves });
  const names = await readClassNames(folder);
  const files = [];
  for (const half of halves) {
    const [images, labels] = paths[half];
    const shapes = { images: await readIdxShape(images), labels: await readIdxShape(labels) };
    checkIdxShapes(shapes);
    files.push({ half, path: images, shape: shapes.images, labels: await readIdx(labels) });
  }
  const [first, second] = files.map(({ shape }) => shape);
  const sizes = ({ shape: [, height, width, channels = 1] }: { shape: readonly number[] }) =>
    `[${height},${width},${channels}]`;
  if (second && sizes(first) !== sizes(second)) {
    throw new DataError(
      `Cannot validate on ${second.fileName}: wanted images of ${
        sizes(first)
      } as in ${first.fileName}, found ${sizes(second)}; take both from the same set`,
    );
  }
  const largest = Math.max(...files.map(({ labels }) => largestLabel(labels)));
  const classes = nameClasses({ largest, count, names, known });
  const opened: Halves = {};
  for (const { half, path, shape: { shape }, labels: { values: labels } } of files) {
    const [length, height, width, channels = 1] = shape;
    const image = { name: `idx ${half}`, classes, height, width, channels };
    // Before pixels are read: an empty set, or labels that are out of range.
    checkDataset({
      ...image,
      length,
      labels,
      pixels: { length: length * height * width * channels },
    });
    opened[half] = {
      labels,
      read: async (places) => {
        const { values: pixels } = await readIdx(path, places);
        if (!places) return { ...image, length, pixels, labels };
        const taken = Uint8Array.from(places, (place) => labels[place]);
        return { ...image, length: places.length, pixels, labels: taken };
      },
    };
  }
  return opened;
}

/** Some images of a half. */
interface Part {
  readonly name: string;
  readonly part: DatasetPart;
  readonly half: HalfOfFiles;
  /** Which; all unless told. */
  readonly places?: Uint32Array;
}

/** So many images of a part, drawn by the seed with each class in proportion. */
function sized(part: Part, count: number | undefined, seed: number): Part {
  const all = part.places ?? Uint32Array.from(part.half.labels, (_, i) => i);
  if (count === undefined) return part;
  checkCount({ name: part.name, part: part.part, length: all.length }, count);
  if (count === all.length) return part;
  const labels = Uint16Array.from(all, (place) => part.half.labels[place]);
  const random = new Random(seed, `part of ${part.part}`);
  const chosen = stratified(labels, { count, random });
  return { ...part, places: chosen.map((place) => all[place]) };
}

/** The training images without some that are validated on, and those. */
function splitTraining(train: Part, fraction: number, seed: number): [Part, Part] {
  const { labels } = train.half;
  if (!(fraction > 0 && fraction < 1) || labels.length < 2) {
    throw new RangeError(
      `Cannot validate on a part of ${train.name}: wanted a part of 2 images or more above 0 and ` +
        `below 1, found ${fraction} of ${labels.length}`,
    );
  }
  const count = Math.min(Math.max(Math.round(fraction * labels.length), 1), labels.length - 1);
  const random = new Random(seed, "validation images of train");
  const places = stratified(labels, { count, random });
  const chosen = new Set(places);
  const rest = Uint32Array.from(labels, (_, i) => i).filter((place) => !chosen.has(place));
  return [{ ...train, places: rest }, {
    ...train,
    name: train.name.replace(/train$/, "validation"),
    part: "validation",
    places,
  }];
}

async function readPart({ name, part, half, places }: Part): Promise<Dataset> {
  return { ...await half.read(places), name, part };
}

/** The parts of a set in files, of which images have still to be read. */
async function openParts(
  name: Exclude<DatasetName, "generated">,
  options: OpenOptions,
  wantsTrain: boolean,
): Promise<{ train?: Part; validation: Part }> {
  const { validationSplit, seed, trainCount, validationCount } = options;
  const needed: Half[] = validationSplit !== undefined
    ? ["train"]
    : wantsTrain
    ? ["train", "test"]
    : ["test"];
  const { train, test } = name === "idx"
    ? await openIdx(options, needed)
    : await openCifar(name, options, needed);
  const whole: Part | undefined = train && { name: `${name} train`, part: "train", half: train };
  if (whole && validationSplit !== undefined) {
    const [rest, validation] = splitTraining(whole, validationSplit, seed);
    return {
      train: sized(rest, trainCount, seed),
      validation: sized(validation, validationCount, seed),
    };
  }
  if (!test) throw new Error(`The test images of ${name} were not opened`);
  const validation: Part = { name: `${name} test`, part: "test", half: test };
  return {
    train: whole && sized(whole, trainCount, seed),
    validation: sized(validation, validationCount, seed),
  };
}

async function openGenerated(options: OpenOptions): Promise<Pick<Split, "train" | "validation">> {
  if (options.dataDir !== undefined) {
    throw new DataError(
      `Cannot open generated images in ${options.dataDir}: they are drawn from the seed; leave out --data-dir`,
    );
  }
  if (options.validationSplit !== undefined) {
    throw new RangeError(
      "Cannot split generated images: wanted a set in files, as validation images are drawn " +
        "besides; leave out the split",
    );
  }
  return await drawSplit({
    train: options.trainCount ?? 4000,
    validation: options.validationCount ?? 1000,
    size: options.imageSize,
    seed: options.seed,
  });
}

/** Raises a {@link DataError} unless images have the size and the classes that are asked for. */
function checkAsked(
  name: DatasetName,
  { imageSize, classes }: OpenOptions,
  { height, width, classes: names }: Dataset,
): void {
  if (imageSize !== undefined && (imageSize !== height || imageSize !== width)) {
    throw new DataError(
      `Cannot open ${name} at ${imageSize}x${imageSize} pixels: its images have ${width}x${height}; leave out the image size`,
    );
  }
  if (classes !== undefined && classes !== names.length) {
    throw new DataError(
      `Cannot open ${name} with ${classes} classes: it has ${names.length}; leave out the classes`,
    );
  }
}

/**
 * Opens a set of images by name: drawn from the seed, or read from the files of CIFAR-10 and
 * CIFAR-100 (binary versions) or from IDX files as of MNIST. Fewer images than there are in files
 * are drawn by the seed, with each class in proportion. Raises a `DataError` that names the folder
 * and the files it wanted and found, and a `RangeError` for more images than there are.
 */
export async function openDataset(name: DatasetName, options: OpenOptions): Promise<OpenedSplit> {
  if (name === "generated") {
    const split = await openGenerated(options);
    checkAsked(name, options, split.train);
    return { ...split, normalization: measureNormalization(split.train), notes: [] };
  }
  const parts = await openParts(name, options, true);
  if (!parts.train) throw new Error(`The training images of ${name} were not opened`);
  const train = await readPart(parts.train);
  checkAsked(name, options, train);
  const validation = await readPart(parts.validation);
  const notes = labelNotes(train, validation);
  return { train, validation, normalization: measureNormalization(train), notes };
}

/**
 * Opens the images of a set that a network is measured on, and of its files only those that hold
 * them. Raises errors as {@link openDataset} does.
 */
export async function openValidationImages(
  name: DatasetName,
  options: OpenOptions,
): Promise<Dataset> {
  if (name === "generated") {
    return (await openGenerated({ ...options, trainCount: 1 })).validation;
  }
  return await readPart((await openParts(name, options, false)).validation);
}
