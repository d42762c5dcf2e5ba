/** How a data set is trained on, unless told; that of the authors where they have one. */
export interface Recipe {
  /** How often each training image is seen. */
  readonly epochs: number;
  /** Images of a step. */
  readonly batchSize: number;
  /** What is done to training images. */
  readonly augment: "none" | "crop-flip" | "crop" | "resized-crop";
}

/** The data sets: images drawn from the seed, and those that lie in files. */
export const RECIPES = {
  generated: { epochs: 6, batchSize: 64, augment: "none" },
  cifar10: { epochs: 100, batchSize: 32, augment: "crop-flip" },
  cifar100: { epochs: 150, batchSize: 32, augment: "crop-flip" },
  idx: { epochs: 10, batchSize: 64, augment: "crop" },
  folder: { epochs: 100, batchSize: 64, augment: "resized-crop" },
  pets: { epochs: 100, batchSize: 64, augment: "resized-crop" },
} as const satisfies Readonly<Record<string, Recipe>>;

/** The name of a data set. */
export type DatasetName = keyof typeof RECIPES;

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
  return Object.fromEntries(DATASET_NAMES.map((name) => [name, RECIPES[name][key]])) as Record<
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
