import { checkNumber, type NumberRange } from "../../data/number_check.ts";
import { DataError } from "../../data/error.ts";
import { parseJson, wrongKey } from "../../data/json.ts";
import { printable, printableJson } from "../../data/printable.ts";
import { DATASET_NAMES } from "../../data/recipes.ts";
import { listed } from "../../data/words.ts";
import type { TrainOptions } from "../../train/types.ts";

/** Which images a run was validated on. */
export type ValidationOptions = Pick<
  TrainOptions,
  "dataset" | "dataDir" | "seed" | "valSize" | "valSplit"
>;

/** These, and how many images the run was trained on where it was told. */
export type ImagesOptions = ValidationOptions & Pick<TrainOptions, "trainSize">;

/** The error for a run whose images are not known. */
export function unknownImages(file: string, found: string, cause?: unknown): DataError {
  return new DataError(
    `Cannot open the images of a run: wanted ${printable(file, 300)}, which names them, found ` +
      `${found}; leave the file with the network in its run folder`,
    { cause },
  );
}

function isDatasetName(name: unknown): name is TrainOptions["dataset"] {
  return DATASET_NAMES.some((known) => known === name);
}

/**
 * Which images the options of a run name. Raises a {@link DataError} that names the file and the
 * field where they do not.
 *
 * @param file What errors call the file that has them.
 */
export function imagesIn(options: unknown, file: string): ImagesOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw unknownImages(file, printableJson(options));
  }
  const config: Readonly<Record<string, unknown>> = { ...options };
  const own = (field: string): unknown => Object.hasOwn(config, field) ? config[field] : undefined;
  const refuse = (field: string, wanted: string): never => {
    const value = own(field);
    const found = value === undefined ? `no ${field}` : `${field} ${printableJson(value)}`;
    throw unknownImages(file, `${found} in place of ${wanted}`);
  };
  const { dataset, dataDir } = { dataset: own("dataset"), dataDir: own("dataDir") ?? undefined };
  if (!isDatasetName(dataset)) return refuse("dataset", listed(DATASET_NAMES, "or"));
  if (dataDir !== undefined && (typeof dataDir !== "string" || !/^[^\0]+$/.test(dataDir))) {
    return refuse("dataDir", "a path");
  }
  const number = (field: string, range: NumberRange, wanted: string): number => {
    const value = own(field);
    try {
      checkNumber("read it", field, value, range);
    } catch {
      return refuse(field, wanted);
    }
    return Number(value);
  };
  const optional = (field: string, range: NumberRange, wanted: string) =>
    (own(field) ?? undefined) === undefined ? {} : { [field]: number(field, range, wanted) };
  const most = Number.MAX_SAFE_INTEGER;
  return {
    dataset,
    seed: number("seed", { from: 0, to: most, whole: true }, "a whole number from 0 on"),
    ...dataDir === undefined ? {} : { dataDir },
    ...optional("trainSize", { from: 1, to: most, whole: true }, "a whole number from 1 on"),
    ...optional("valSize", { from: 1, to: most, whole: true }, "a whole number from 1 on"),
    ...optional("valSplit", { above: 0, below: 1 }, "a number above 0 and below 1"),
  };
}

/** What the text of a config.json says of the images of its run. Raises errors as {@link imagesIn}. */
export function parseImagesConfig(text: string, file: string): ImagesOptions {
  let config: unknown;
  try {
    config = parseJson(text);
  } catch (error) {
    throw unknownImages(file, wrongKey(error) ?? "a file that is not JSON", error);
  }
  return imagesIn(config, file);
}
