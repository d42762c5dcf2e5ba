import { readdir, readFile } from "node:fs/promises";
import { parseCifar10, parseCifar100 } from "./cifar.ts";
import { concatenate, type Dataset, measureNormalization, type Split, take } from "./dataset.ts";
import type { DatasetName } from "./dataset_names.ts";
import { DataError } from "./error.ts";
import { foundInstead } from "./found_instead.ts";
import { drawSplit } from "./generated.ts";
import { gunzip } from "./gzip.ts";
import { type IdxArray, idxDataset, largestLabel, parseIdx } from "./idx.ts";
import { abridged, listed } from "./words.ts";

/** What to open, and how much of it. */
export interface OpenOptions {
  /** Where the files lie; needed by all but generated images, refused by those. */
  dataDir?: string;
  /** Of generated images; files do not depend on it. */
  seed: number;
  /** The first so many training images; all unless told, and 4000 generated ones. */
  trainCount?: number;
  /** The first so many validation images; all unless told, and 1000 generated ones. */
  validationCount?: number;
  /** Pixels of a side of generated images, 32 unless told; files must have just that. */
  imageSize?: number;
  /** How many classes an IDX set has; other sets must have just that many. */
  classes?: number;
}

/** One file of a set, under any of the names that it may have. */
interface File {
  readonly name: string;
  readonly pattern: RegExp;
}

/** Files that make up one half of a set, or a part of it: all must be there. */
interface Wanted {
  readonly files: readonly File[];
  readonly words: string;
}

interface Source {
  /** The folder that the published archive unpacks to. */
  readonly folder?: string;
  readonly cure: string;
  readonly wanted: readonly Wanted[];
}

function named(names: readonly string[], words = names.join(", ")): Wanted {
  const files = names.map((name) => ({ name, pattern: new RegExp(`^${RegExp.escape(name)}$`) }));
  return { files, words };
}

function idxFile(
  stem: string,
  kind: string,
  { name, note = "" }: { name: string; note?: string },
): Wanted {
  const pattern = new RegExp(`^${stem}-${kind}[-.]idx\\d-ubyte(\\.gz)?$`);
  return { files: [{ name, pattern }], words: name + note };
}

const CIFAR10: Source = {
  folder: "cifar-10-batches-bin",
  cure: "unpack the binary version of CIFAR-10 (cifar-10-binary.tar.gz) there",
  wanted: [
    named(
      [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
      "data_batch_1.bin to data_batch_5.bin",
    ),
    named(["test_batch.bin"]),
  ],
};
const CIFAR100: Source = {
  folder: "cifar-100-binary",
  cure: "unpack the binary version of CIFAR-100 (cifar-100-binary.tar.gz) there",
  wanted: [
    named(["train.bin"]),
    named(["test.bin"]),
  ],
};
const IDX: Source = {
  cure: "put the four files of MNIST, Fashion-MNIST or a set in their format there",
  wanted: [
    idxFile("train", "images", { name: "train-images-idx3-ubyte" }),
    idxFile("train", "labels", { name: "train-labels-idx1-ubyte" }),
    idxFile("t10k", "images", { name: "t10k-images-idx3-ubyte" }),
    idxFile("t10k", "labels", { name: "t10k-labels-idx1-ubyte", note: " (each may end in .gz)" }),
  ],
};

/** The sorted names in a folder, or what is wrong with it. */
async function list(folder: string): Promise<string[] | string> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    return foundInstead(folder, error, "folder");
  }
}

/** The bytes of a file of a set. */
async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new DataError(
      `Cannot read images: wanted a file of the data set, found ${foundInstead(path, cause)}`,
      { cause },
    );
  }
}

/** The files in a folder that are of a half, and the names of those that are not there. */
function match(
  { files }: Wanted,
  found: readonly string[],
): { there: string[]; lacking: string[] } {
  const matches = files.map(({ pattern }) => found.find((name) => pattern.test(name)));
  return {
    there: matches.filter((name) => name !== undefined),
    lacking: files.filter((_, i) => matches[i] === undefined).map(({ name }) => name),
  };
}

/** The paths of all wanted files. */
async function locate(name: DatasetName, source: Source, dataDir?: string): Promise<string[][]> {
  const words = source.wanted.map((wanted) => wanted.words);
  const wanted = listed(words);
  if (dataDir === undefined) {
    throw new DataError(
      `Cannot open ${name}: wanted a folder with ${wanted}, found no --data-dir; name it, and ${source.cure}`,
    );
  }
  const names = await list(dataDir);
  const folders = [dataDir];
  if (source.folder !== undefined && Array.isArray(names) && names.includes(source.folder)) {
    folders.push(`${dataDir}/${source.folder}`);
  }
  for (const folder of folders) {
    const found = folder === dataDir ? names : await list(folder);
    if (typeof found === "string") continue;
    const matches = source.wanted.map((wanted) => match(wanted, found));
    if (matches.every(({ lacking }) => lacking.length === 0)) {
      return matches.map(({ there }) => there.map((file) => `${folder}/${file}`));
    }
  }
  // What was found is told of the folder closest to the wanted one.
  const closest = folders[folders.length - 1];
  throw new DataError(
    `Cannot open ${name} in ${closest}: wanted ${wanted}, found ${
      tell(await list(closest), source)
    }; ${source.cure}`,
  );
}

function tell(found: string[] | string, { wanted }: Source): string {
  if (typeof found === "string") return found;
  if (found.length === 0) return "an empty folder";
  const names = abridged(found, 8);
  const matches = wanted.map((half) => match(half, found));
  const lacking = matches.flatMap(({ lacking }) => lacking);
  return names + (matches.some(({ there }) => there.length) ? `, no ${lacking.join(", ")}` : "");
}

type Halves = Pick<Split, "train" | "validation">;

async function openCifar(
  source: Source,
  name: "cifar10" | "cifar100",
  dataDir?: string,
): Promise<Halves> {
  const parse = name === "cifar10" ? parseCifar10 : parseCifar100;
  const [trainPaths, testPaths] = await locate(name, source, dataDir);
  const open = async (path: string): Promise<Dataset> => parse(await read(path), path);
  const join = async (half: string, [first, ...rest]: string[]): Promise<Dataset> => {
    const parts: [Dataset, ...Dataset[]] = [await open(first)];
    for (const path of rest) parts.push(await open(path));
    return concatenate(`${name} ${half}`, parts);
  };
  return {
    train: { ...await join("train", trainPaths), part: "train" },
    validation: { ...await join("validation", testPaths), part: "test" },
  };
}

async function openIdx(dataDir?: string, classes?: number): Promise<Halves> {
  const open = async ([path]: string[]): Promise<IdxArray> =>
    parseIdx(await gunzip(await read(path), path), path);
  const [images, labels, testImages, testLabels] = await locate("idx", IDX, dataDir);
  const trainLabels = await open(labels);
  const validationLabels = await open(testLabels);
  classes ??= Math.max(largestLabel(trainLabels), largestLabel(validationLabels)) + 1;
  const train = idxDataset({
    name: "idx train",
    images: await open(images),
    labels: trainLabels,
    classes,
  });
  const validation = idxDataset({
    name: "idx validation",
    images: await open(testImages),
    labels: validationLabels,
    classes,
  });
  const shape = ({ height, width, channels }: Dataset) => `[${height},${width},${channels}]`;
  if (shape(train) !== shape(validation)) {
    throw new DataError(
      `Cannot validate on ${testImages[0]}: wanted images of ${shape(train)} as in ${
        images[0]
      }, found ${shape(validation)}; take both from the same set`,
    );
  }
  return { train: { ...train, part: "train" }, validation: { ...validation, part: "test" } };
}

async function openGenerated(options: OpenOptions): Promise<Halves> {
  if (options.dataDir !== undefined) {
    throw new DataError(
      `Cannot open generated images in ${options.dataDir}: they are drawn from the seed; leave out --data-dir`,
    );
  }
  return await drawSplit({
    train: options.trainCount ?? 4000,
    validation: options.validationCount ?? 1000,
    size: options.imageSize,
    seed: options.seed,
  });
}

function open(name: DatasetName, options: OpenOptions): Promise<Halves> {
  switch (name) {
    case "generated":
      return openGenerated(options);
    case "cifar10":
      return openCifar(CIFAR10, name, options.dataDir);
    case "cifar100":
      return openCifar(CIFAR100, name, options.dataDir);
    case "idx":
      return openIdx(options.dataDir, options.classes);
  }
}

/**
 * Opens a set of images by name: drawn from the seed, or read from the files of CIFAR-10 and
 * CIFAR-100 (binary versions) or from IDX files as of MNIST. Raises a `DataError` that names the
 * folder and the files it wanted and found, and a `RangeError` for more images than there are.
 */
export async function openDataset(name: DatasetName, options: OpenOptions): Promise<Split> {
  const { trainCount, validationCount, imageSize, classes } = options;
  const opened = await open(name, options);
  const { train: { height, width, classes: names } } = opened;
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
  const train = take(opened.train, trainCount ?? opened.train.length);
  const validation = take(opened.validation, validationCount ?? opened.validation.length);
  return { train, validation, normalization: measureNormalization(train) };
}
