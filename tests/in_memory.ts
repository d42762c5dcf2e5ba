// Sets whose pixels are in memory.
import { assert } from "@std/assert";
import type { Split } from "../data/dataset.ts";
import { openDataset, type OpenOptions } from "../data/folder.ts";
import { arePictures } from "../data/pictures.ts";
import type { DatasetName } from "../data/recipes.ts";

/** Opens a set of which no pictures have to be decoded. */
export async function openInMemory(
  name: DatasetName,
  options: OpenOptions,
): Promise<Split & { readonly notes: readonly string[] }> {
  const { train, validation, ...others } = await openDataset(name, options);
  assert(!arePictures(train) && !arePictures(validation));
  return { train, validation, ...others };
}
