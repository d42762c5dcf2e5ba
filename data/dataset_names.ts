/** The names of the data sets. */
export const DATASET_NAMES = ["generated", "cifar10", "cifar100", "idx"] as const;

/** The name of a data set. */
export type DatasetName = typeof DATASET_NAMES[number];
