/** How a data set is trained on, unless told; that of the authors where they have one. */
export interface Recipe {
  /** How often each training image is seen. */
  readonly epochs: number;
  /** Images of a step. */
  readonly batchSize: number;
  /** What is done to training images. */
  readonly augment: "none" | "crop-flip" | "crop" | "resized-crop";
  /** Pixels of a side of its images, as networks take them; those of its files unless told. */
  readonly imageSize?: number;
  /** The side of what is validated on over the shorter side of an image; 1 unless told. */
  readonly cropPct?: number;
}

/** How the authors took photographs. */
const AS_AUTHORS = { imageSize: 224, cropPct: 1 / 1.14 } as const;

/** The name of a data set: `generated`, or one that lies in files. */
export type DatasetName = "generated" | "cifar10" | "cifar100" | "idx" | "folder" | "pets";

/** The data sets: images drawn from the seed, and those that lie in files. */
export const RECIPES = {
  generated: { epochs: 6, batchSize: 64, augment: "none", imageSize: 32 },
  cifar10: { epochs: 100, batchSize: 32, augment: "crop-flip", imageSize: 32 },
  cifar100: { epochs: 150, batchSize: 32, augment: "crop-flip", imageSize: 32 },
  idx: { epochs: 10, batchSize: 64, augment: "crop" },
  folder: { epochs: 100, batchSize: 64, augment: "resized-crop", ...AS_AUTHORS },
  pets: { epochs: 100, batchSize: 64, augment: "resized-crop", ...AS_AUTHORS },
} as const satisfies Readonly<Record<DatasetName, Recipe>>;

/** The name of a data set that lies in files. */
export type FileSetName = Exclude<DatasetName, "generated">;

/** The names of all data sets. */
export const DATASET_NAMES: readonly DatasetName[] = Object.keys(RECIPES) as DatasetName[];

/** The names of the data sets that lie in files. */
export const FILE_SET_NAMES: readonly FileSetName[] = DATASET_NAMES.filter((name) =>
  name !== "generated"
);

/** One entry of all recipes, by data set. */
function byDataset<Key extends keyof Recipe>(key: Key): Record<DatasetName, Recipe[Key]> {
  const recipes: Readonly<Record<DatasetName, Recipe>> = RECIPES;
  return Object.fromEntries(DATASET_NAMES.map((name) => [name, recipes[name][key]])) as Record<
    DatasetName,
    Recipe[Key]
  >;
}

/** Epochs by data set. */
export const EPOCHS: Record<DatasetName, number> = byDataset("epochs");

/** Batch sizes by data set. */
export const BATCH_SIZES: Record<DatasetName, number> = byDataset("batchSize");

/** Augmentations by data set. */
export const AUGMENTS: Record<DatasetName, Recipe["augment"]> = byDataset("augment");

/** Pixels of a side by data set, where one is told. */
export const IMAGE_SIZES: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(byDataset("imageSize")).flatMap(([name, size]) => size ? [[name, size]] : []),
);

/** Shares of the shorter side that are validated on, by data set. */
export const CROP_PCTS: Readonly<Record<DatasetName, number>> = Object.fromEntries(
  Object.entries(byDataset("cropPct")).map(([name, share]) => [name, share ?? 1]),
) as Record<DatasetName, number>;

/** The names of the data sets whose images may be pictures of any size, decoded when wanted. */
export const PICTURE_SET_NAMES: readonly FileSetName[] = [
  "cifar10",
  "cifar100",
  "folder",
  "pets",
];
