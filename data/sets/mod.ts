import type { FileSetName } from "../recipes.ts";
import { cifar10, cifar100 } from "./cifar.ts";
import type { FileSet } from "./file_set.ts";
import { folder } from "./folder_set.ts";
import { idx } from "./idx.ts";
import { pets } from "./pets.ts";

/** All data sets that lie in files. */
export const FILE_SETS: Readonly<Record<FileSetName, FileSet>> = {
  cifar10,
  cifar100,
  idx,
  folder,
  pets,
};
