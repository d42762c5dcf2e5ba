import type { Dataset } from "../../data/dataset.ts";
import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { DATASET_NAMES } from "../../data/dataset_names.ts";
import { openDataset } from "../../data/folder.ts";
import { UsageError } from "../../train/errors.ts";
import type { CheckpointInfo } from "../../export/metadata.ts";
import type { TrainOptions } from "../../train/types.ts";

/** Which images a run was validated on. */
export type ValidationOptions = Pick<TrainOptions, "dataset" | "dataDir" | "seed" | "valSize">;

/**
 * The validation images that options name. Of a set in files, the training half is read as well; of
 * generated training images, one is drawn.
 */
export async function openValidation(options: ValidationOptions): Promise<Dataset> {
  const { dataset, dataDir, seed, valSize } = options;
  const size = { trainCount: 1, validationCount: valSize };
  return (await openDataset(dataset, { dataDir, seed, ...size })).validation;
}

function isDatasetName(name: unknown): name is TrainOptions["dataset"] {
  return DATASET_NAMES.some((known) => known === name);
}

/** What config.json in a run folder says of its images. Raises a {@link DataError} if it does not. */
export async function readValidationOptions(folder: string): Promise<ValidationOptions> {
  const file = `${folder}/config.json`;
  let config: unknown;
  try {
    config = JSON.parse(await Deno.readTextFile(file));
  } catch (cause) {
    const found = cause instanceof SyntaxError
      ? "a file that is not JSON"
      : foundInstead(file, cause);
    throw new DataError(
      `Cannot open the images of a run: wanted ${file}, which names them, found ${found}; leave ` +
        `the file with the network in its run folder`,
      { cause },
    );
  }
  const { dataset, dataDir, seed, valSize }: Record<string, unknown> = Object(config);
  const optional = (value: unknown, type: string): boolean =>
    (value ?? undefined) === undefined || typeof value === type;
  const fits = isDatasetName(dataset) && Number.isSafeInteger(seed) &&
    optional(dataDir, "string") && optional(valSize, "number");
  if (!fits) {
    throw new DataError(
      `Cannot open the images of a run: wanted dataset, seed and maybe dataDir and valSize in ` +
        `${file}, found ${JSON.stringify({ dataset, seed, dataDir, valSize })}`,
    );
  }
  return {
    dataset,
    seed: Number(seed),
    ...(typeof dataDir !== "string" ? {} : { dataDir }),
    ...(typeof valSize !== "number" ? {} : { valSize }),
  };
}

/** "10 classes (cat, dog, cow, ...) of images of 32x32x3", height first. */
function words(classes: readonly string[], image: readonly number[]): string {
  const names = [...classes.slice(0, 3), ...classes.length > 3 ? ["..."] : []].join(", ");
  return `${classes.length} classes (${names}) of images of ${image.join("x")}`;
}

/** Raises a {@link UsageError} unless a saved network is one for the images of a data set. */
export function checkImages(
  { classes, image }: CheckpointInfo,
  { dataset, file }: { dataset: Dataset; file: string },
): void {
  const { height, width, channels, name } = dataset;
  const found = words(dataset.classes, [height, width, channels]);
  const wanted = words(classes, image);
  const equal = image.join() === [height, width, channels].join() &&
    classes.join() === dataset.classes.join();
  if (equal) return;
  throw new UsageError(
    `Cannot run ${file} on ${name}: wanted ${wanted}, found ${found}; name the data set that it ` +
      `was trained on`,
  );
}
