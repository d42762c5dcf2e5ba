// Which images a saved network is measured on: those of its run, unless the command line says other.
import { dirname } from "node:path";
import { DataError } from "../../data/error.ts";
import { printable } from "../../data/printable.ts";
import type { Value } from "../../train/options/option.ts";
import { demandWhole, refuseMixed, statOf } from "./replacing.ts";
import { readValidationOptions, type ValidationOptions } from "./run_data.ts";

/** The file of a network, and the folder of the run that it is of. */
export interface SavedNetwork {
  readonly file: string;
  readonly folder: string;
}

/** Whether a path is that of a folder, also by a link. */
export function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** The network that a path names: one of a run folder, or the file itself. */
export function savedNetwork(path: string, which: string): SavedNetwork {
  if (isFolder(path)) {
    demandWhole(path);
    return { file: `${path.replace(/(?<=.)\/+$/, "")}/${which}.safetensors`, folder: path };
  }
  const folder = dirname(path);
  refuseMixed(folder);
  return { file: path, folder };
}

/** All networks that a path names: the one or two of a run folder, or the file itself. */
export function savedNetworks(path: string): SavedNetwork[] {
  if (!isFolder(path)) return [savedNetwork(path, "")];
  const both = ["base", "small"].map((which) => savedNetwork(path, which));
  const found = both.filter(({ file }) => statOf(file));
  if (found.length) return found;
  throw new DataError(
    `Cannot read the run in ${printable(path, 300)}: wanted base.safetensors or ` +
      `small.safetensors, found neither; name the folder or a file of a run that has ended`,
  );
}

/**
 * Raises a {@link DataError} where the images of a run are not where they were. `dataDir` is what
 * config.json says.
 */
export function checkNotMoved(
  folder: string,
  { dataDir }: Pick<ValidationOptions, "dataDir">,
): void {
  if (dataDir === undefined) return;
  try {
    Deno.statSync(dataDir);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return;
    throw new DataError(
      `Cannot open the images of the run in ${printable(folder, 300)}: its config.json names the ` +
        `folder ${printable(dataDir, 300)}, found none; --data-dir says where they are now`,
    );
  }
}

/**
 * What config.json says of the images of the network that a path names, where the command line does
 * not: nothing where there is no such file, or where another data set is typed.
 */
export async function imagesOfRun(
  path: string,
  typed: Readonly<Record<string, Value>>,
): Promise<Record<string, Value>> {
  if (!isFolder(path) && !statOf(path)) return {};
  const [{ folder }] = savedNetworks(path);
  const { dataset, dataDir } = typed;
  if (!statOf(`${folder}/config.json`) && (dataset !== undefined || !isFolder(path))) return {};
  let images: ValidationOptions;
  try {
    images = await readValidationOptions(folder);
  } catch (error) {
    if (dataset !== undefined && error instanceof DataError) return {};
    throw error;
  }
  if (dataset !== undefined && dataset !== images.dataset) return {};
  if (dataDir === undefined) checkNotMoved(folder, images);
  return { ...images };
}
