// Which images a saved network is measured on: those of its run, unless the command line says other.
import { isSmallName, isWhich, type SmallName, type Which } from "../../nn/which.ts";
import { dirname } from "node:path";
import { DataError } from "../../data/error.ts";
import { missingPermission } from "../../data/missing_permission.ts";
import { printable } from "../../data/printable.ts";
import { listed } from "../../data/words.ts";
import type { Value } from "../../train/options/option.ts";
import type { NetworksInFile } from "../../train/resume/state_networks.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import { networksIn } from "./networks_in.ts";
import { isOnnx } from "./network_format.ts";
import { readFile } from "./read_file.ts";
import { demandWhole, refuseMixed, statOf } from "./replacing.ts";
import { checkpointCure } from "./run_checkpoints.ts";
import {
  imagesOfState,
  type ImagesOptions,
  readValidationOptions,
  type ValidationOptions,
} from "./run_data.ts";

/** The file of a network, and the folder of the run that it is of. */
export interface SavedNetwork {
  readonly file: string;
  readonly folder: string;
}

/** Whether a path is that of a folder, also by a link. Raises Deno's error where it may not be read. */
export function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (missingPermission(error)) throw error;
    return false;
  }
}

/** Raises a {@link DataError} for a run with other networks than the one that is wanted. */
function demandNetwork(path: string, which: string): void {
  const names = namesIn(path);
  if (names.length === 0 || names.some((name) => name === which)) return;
  throw new DataError(
    `Cannot read the run in ${printable(path, 300)}: wanted ${which}.safetensors, found ` +
      `${listed(names.map((name) => `${name}.safetensors`))}; --which names the network`,
  );
}

function inFolder(path: string, which: string): SavedNetwork {
  return { file: `${path.replace(/(?<=.)\/+$/, "")}/${which}.safetensors`, folder: path };
}

/** The network that a path names: one of a run folder, or the file itself. Raises a {@link DataError}. */
export function savedNetwork(path: string, which: string): SavedNetwork {
  if (isFolder(path)) {
    demandWhole(path);
    demandNetwork(path, which);
    return inFolder(path, which);
  }
  const folder = dirname(path);
  refuseMixed(folder);
  return { file: path, folder };
}

/** The names of the networks in a run folder: base, and small ones by their numbers. */
export function namesIn(path: string): Which[] {
  const found = [...Deno.readDirSync(path)].flatMap(({ name }): Which[] => {
    const which = name.replace(/\.safetensors$/, "");
    return which !== name && isWhich(which) && !which.endsWith(".torch") ? [which] : [];
  });
  return found.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** All networks that a path names: those of a run folder, or the file itself. */
export function savedNetworks(path: string): SavedNetwork[] {
  if (!isFolder(path)) return [savedNetwork(path, "")];
  demandWhole(path);
  const found = namesIn(path).map((which) => inFolder(path, which));
  if (found.length) return found;
  throw new DataError(
    `Cannot read the run in ${printable(path, 300)}: wanted base.safetensors or ` +
      `small.safetensors, found neither; ` +
      (checkpointCure(path) ?? "name the folder or a file of a run that has ended"),
  );
}

/** A checkpoint of a run, and the networks in it. */
export interface OpenedCheckpoint extends NetworksInFile {
  readonly state: TrainingState;
}

/**
 * The checkpoint of a run that a path names; nothing where it names something else. Raises a
 * {@link DataError} for a file that holds no network either.
 */
export async function openCheckpoint(path: string): Promise<OpenedCheckpoint | undefined> {
  if (isFolder(path)) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch {
    // Whoever wants a network there says so.
    return undefined;
  }
  if (isOnnx(bytes, path)) return undefined;
  const { networks, state } = await networksIn(bytes, path);
  return state && { networks, state };
}

/**
 * The small networks that a path names: those of a run folder, or of a checkpoint of a run; `small`
 * where it names neither.
 */
export async function smallNetworksOf(path: string): Promise<SmallName[]> {
  const names = isFolder(path)
    ? namesIn(path)
    : (await openCheckpoint(path))?.networks.map(({ which }) => which) ?? [];
  const found = names.filter(isSmallName);
  return found.length ? found : ["small"];
}

/**
 * Which images a saved network was validated on: as its checkpoint says where it is out of one, else
 * the config.json in the folder of its run.
 */
export async function imagesOf(
  { file, folder }: SavedNetwork,
  state?: TrainingState,
): Promise<ImagesOptions> {
  return state ? imagesOfState(state, file) : await readValidationOptions(folder);
}

/**
 * Raises a {@link DataError} where the images of a run are not where they were. `dataDir` is what
 * its checkpoint says, or config.json.
 */
export function checkNotMoved(
  { file, folder }: SavedNetwork,
  { dataDir }: Pick<ValidationOptions, "dataDir">,
  state?: TrainingState,
): void {
  if (dataDir === undefined) return;
  try {
    Deno.statSync(dataDir);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return;
    const whose = state
      ? `of ${printable(file, 300)}: it`
      : `of the run in ${printable(folder, 300)}: its config.json`;
    throw new DataError(
      `Cannot open the images ${whose} names the folder ${printable(dataDir, 300)}, found none; ` +
        `--data-dir says where they are now`,
    );
  }
}

/**
 * The images of the network that a path names, where the command line does not say: as its
 * checkpoint has them where it is one, else config.json; nothing where there is no such file, or
 * where another data set is typed.
 */
export async function imagesOfRun(
  path: string,
  typed: Readonly<Record<string, Value>>,
  state?: TrainingState,
): Promise<Record<string, Value>> {
  if (!isFolder(path) && !statOf(path)) return {};
  const [saved] = savedNetworks(path);
  const { dataset, dataDir } = typed;
  const isThere = state !== undefined || statOf(`${saved.folder}/config.json`) !== undefined;
  if (!isThere && (dataset !== undefined || !isFolder(path))) return {};
  let images: ImagesOptions;
  try {
    images = await imagesOf(saved, state);
  } catch (error) {
    if (dataset !== undefined && error instanceof DataError) return {};
    throw error;
  }
  if (dataset !== undefined && dataset !== images.dataset) return {};
  if (dataDir === undefined) checkNotMoved(saved, images, state);
  const { trainSize: _, ...measured } = images;
  return measured;
}
