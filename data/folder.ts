import { curable, cure } from "./cure.ts";
import { centralImages } from "./central_images.ts";
import {
  type AnySplit,
  checkCount,
  type Dataset,
  type DatasetPart,
  type ImageSet,
  measureNormalization,
  type Normalization,
  type Split,
} from "./dataset.ts";
import { DataError } from "./error.ts";
import { drawSplit } from "./generated.ts";
import { labelNotes } from "./label_notes.ts";
import { measurePictures } from "./picture_normalization.ts";
import { arePictures, type PictureSet } from "./pictures.ts";
import { Random } from "./random.ts";
import type { DatasetName, FileSetName } from "./recipes.ts";
import type { FileOptions, HalfOfFiles } from "./sets/file_set.ts";
import { FILE_SETS } from "./sets/mod.ts";
import { refuseOther } from "./sets/recognize.ts";
import type { Half } from "./sets/set_files.ts";
import { stratified } from "./stratified.ts";
import { percent } from "./words.ts";

/** What to open, and how much of it. A folder is needed by all but generated images. */
export interface OpenOptions extends FileOptions {
  /** Of generated images, and of which images of a file are taken. */
  readonly seed: number;
  /** How many training images; all unless told, and 4000 generated ones. */
  readonly trainCount?: number;
  /** How many validation images; all unless told, and 1000 generated ones. */
  readonly validationCount?: number;
  /** The part of the training images in files that is validated on, instead of the test images. */
  readonly validationSplit?: number;
  /**
   * Pixels of a side that networks take: those of generated images, 32 unless told; images of one size
   * in files must have just that, and sets of pictures need it.
   */
  readonly imageSize?: number;
  /**
   * The central part of validation images in memory that is shown, of their side; all unless told.
   * Pictures are prepared as `prepare` says.
   */
  readonly cropPct?: number;
  /** What pixels are normalised by, where that is known; measured on training images unless told. */
  readonly normalization?: Normalization;
}

/** A split, and what there is to say of its images, a sentence each. */
export interface OpenedSplit extends AnySplit {
  readonly notes: readonly string[];
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

/** Images that are validated on, of which the central part may be asked for. */
function shown(set: Dataset | PictureSet, cropPct = 1): Dataset | PictureSet {
  return arePictures(set) ? set : centralImages(set, cropPct);
}

async function readPart({ name, part, half, places }: Part): Promise<Dataset | PictureSet> {
  return { ...await half.read(places, part), name, part };
}

/** The parts of a set, of which images have still to be read. */
interface Parts {
  readonly train?: Part;
  readonly validation: Part;
  /** Of the files, a sentence each. */
  readonly notes: readonly string[];
}

/** The parts of a set in files. */
async function openParts(
  name: FileSetName,
  options: OpenOptions,
  wantsTrain: boolean,
): Promise<Parts> {
  const { seed, trainCount, validationCount } = options;
  const needed: Half[] = options.validationSplit !== undefined
    ? ["train"]
    : wantsTrain
    ? ["train", "test"]
    : ["test"];
  if (name === "folder" && options.dataDir !== undefined) await refuseOther(options.dataDir);
  const { train, test, split, notes = [] } = await FILE_SETS[name].open(options, needed);
  const whole: Part | undefined = train && { name: `${name} train`, part: "train", half: train };
  const fraction = options.validationSplit ?? split;
  if (whole && fraction !== undefined) {
    const [rest, validation] = splitTraining(whole, fraction, seed);
    const unasked = options.validationSplit === undefined;
    return {
      train: sized(rest, trainCount, seed),
      validation: sized(validation, validationCount, seed),
      notes: [
        ...notes,
        ...unasked
          ? [`${percent(fraction)} of the pictures are validated on, each class in proportion`]
          : [],
      ],
    };
  }
  if (!test) throw new Error(`The test images of ${name} were not opened`);
  const { part = "test" } = test;
  const validation: Part = { name: `${name} ${part}`, part, half: test };
  return {
    train: whole && sized(whole, trainCount, seed),
    validation: sized(validation, validationCount, seed),
    notes,
  };
}

async function openGenerated(options: OpenOptions): Promise<Pick<Split, "train" | "validation">> {
  if (options.dataDir !== undefined) {
    throw curable(
      DataError,
      `Cannot open generated images in ${options.dataDir}: they are drawn from the seed`,
      cure`leave out ${{ option: "dataDir" }}`,
    );
  }
  if (options.validationSplit !== undefined) {
    throw new RangeError(
      "Cannot split generated images: wanted a set in files, as validation images are drawn " +
        "besides; leave out the split",
    );
  }
  const { train, validation } = await drawSplit({
    train: options.trainCount ?? 4000,
    validation: options.validationCount ?? 1000,
    size: options.imageSize,
    seed: options.seed,
  });
  return { train, validation: centralImages(validation, options.cropPct ?? 1) };
}

/** Raises a {@link DataError} unless images have the size and the classes that are asked for. */
function checkAsked(
  name: DatasetName,
  { imageSize, classes }: OpenOptions,
  { height, width, classes: names }: ImageSet,
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

function measured(train: Dataset | PictureSet, seed: number): Promise<Normalization> {
  if (arePictures(train)) return measurePictures(train, seed);
  return Promise.resolve(measureNormalization(train));
}

/**
 * Opens a set of images by name: drawn from the seed, read from the files of CIFAR-10 and CIFAR-100
 * (binary versions) or from IDX files as of MNIST, or found as pictures in folders. Fewer images than
 * there are in files are drawn by the seed, with each class in proportion. Pictures are normalised by
 * a sample: see {@link measurePictures}. Raises a `DataError` that names the folder and the files it
 * wanted and found, and a `RangeError` for more images than there are.
 */
export async function openDataset(name: DatasetName, options: OpenOptions): Promise<OpenedSplit> {
  if (name === "generated") {
    const split = await openGenerated(options);
    checkAsked(name, options, split.train);
    const normalization = options.normalization ?? measureNormalization(split.train);
    return { ...split, normalization, notes: [] };
  }
  const parts = await openParts(name, options, true);
  if (!parts.train) throw new Error(`The training images of ${name} were not opened`);
  const train = await readPart(parts.train);
  checkAsked(name, options, train);
  const validation = shown(await readPart(parts.validation), options.cropPct);
  return {
    train,
    validation,
    normalization: options.normalization ?? await measured(train, options.seed),
    notes: [...parts.notes, ...labelNotes(train, validation)],
  };
}

/**
 * Opens some training images, shown as those that a network is measured on: `trainCount` of them with
 * each class in proportion, all where there are fewer; of the `among` that a run is trained on, where
 * it is not all of the set. Raises errors as {@link openDataset} does.
 */
export async function openTrainingSample(
  name: DatasetName,
  options: OpenOptions & { readonly trainCount: number; readonly among?: number },
): Promise<Dataset | PictureSet> {
  const { cropPct, seed, trainCount, among = Infinity } = options;
  if (name === "generated") {
    const { train } = await openGenerated({
      ...options,
      trainCount: Math.min(trainCount, among),
      validationCount: 1,
    });
    return centralImages(train, cropPct ?? 1);
  }
  const every = { ...options, trainCount: undefined, validationCount: undefined };
  const { train } = await openParts(name, every, true);
  if (!train) throw new Error(`The training images of ${name} were not opened`);
  const all = train.places?.length ?? train.half.labels.length;
  const trained = Math.min(among, all);
  const part = sized(sized(train, trained, seed), Math.min(trainCount, trained), seed);
  return shown(await readPart(part), cropPct);
}

/**
 * Opens the images of a set that a network is measured on, and of its files only those that hold
 * them. Raises errors as {@link openDataset} does.
 */
export async function openValidationImages(
  name: DatasetName,
  options: OpenOptions,
): Promise<Dataset | PictureSet> {
  if (name === "generated") {
    return (await openGenerated({ ...options, trainCount: 1 })).validation;
  }
  const { validation } = await openParts(name, options, false);
  return shown(await readPart(validation), options.cropPct);
}
