// How a new run takes the place of an old one, so that one whole run is there at every moment.
//
// The new run is written to `unfinished`, and whole there. Renaming that folder to `replacing` is the
// moment from which on the new run counts. Its files are then linked into the place of the old ones.
// When all are there, removing config.json from `replacing` ends it; the rest is tidying up.
import { DataError } from "../../data/error.ts";
import { CHECKPOINTS, isCheckpointName, isExportedName } from "./checkpoint_names.ts";
import { EXPORTED, isExported } from "./exported_names.ts";
import { checkpointCure } from "./run_checkpoints.ts";
import { removeTemporary, syncFile, syncFolder } from "./whole_file.ts";

/** What a run leaves in its folder. */
export const RUN_FILES = [
  "config.json",
  "search.jsonl",
  "widths.json",
  "widths.svg",
  "metrics.jsonl",
  "base.safetensors",
  "small.safetensors",
  "curves.svg",
  "batch.png",
  "confusion.svg",
  "pareto.svg",
  "report.json",
  "summary.json",
  "report.html",
] as const;

/** What `eval` puts beside them. */
export const EVALUATED = [
  "confusion.svg",
  "mistakes.png",
  "base-confusion.svg",
  "base-mistakes.png",
] as const;

/** Where a run is within its epoch; goes away at its end. */
export const PROGRESS_FILE = "progress.json";

/** The file of events for TensorBoard, which asks for a folder of them, and its folder. */
export const EVENTS_FOLDER = "tensorboard";
const EVENTS_NAME = "events.out.tfevents.0.adjoin";
export const EVENTS_FILE = `${EVENTS_FOLDER}/${EVENTS_NAME}`;

/** All names that belong to a run with one small network. */
const OWN_FILES: readonly string[] = [
  ...new Set([...RUN_FILES, ...EXPORTED, ...EVALUATED, PROGRESS_FILE]),
];

/** What a run leaves of each of several small networks: `small-2.safetensors` and so on. */
const RUN_FILE_OF_ONE = /^(small-[\w.-]+)(\.safetensors|-widths\.(json|svg)|-confusion\.svg)$/;

/** What `eval` puts beside them. */
const EVALUATED_OF_ONE = /^(small-[\w.-]+)-mistakes\.png$/;

function isRunFile(name: string): boolean {
  return RUN_FILES.some((known) => known === name) ||
    (RUN_FILE_OF_ONE.test(name) && !isExported(name));
}

function isOwnFile(name: string): boolean {
  return OWN_FILES.includes(name) || RUN_FILE_OF_ONE.test(name) || EVALUATED_OF_ONE.test(name) ||
    isExported(name);
}

/** Names in their order: those that are known, before those of several small networks. */
function inOrder(names: readonly string[]): string[] {
  const place = (name: string): number => {
    const at = OWN_FILES.indexOf(name);
    return at < 0 ? OWN_FILES.length : at;
  };
  return names.toSorted((a, b) =>
    place(a) - place(b) || a.localeCompare(b, "en", { numeric: true })
  );
}

/** Where a run writes while the one that it will replace is still there. */
export const UNFINISHED = "unfinished";

/** Where a new run is while its files are put in the place of the old one's. */
export const REPLACING = "replacing";

/** Those of the names that are in a folder, in their order. */
export function present(folder: string, names: readonly string[]): string[] {
  const there = new Set([...Deno.readDirSync(folder)].map(({ name }) => name));
  return names.filter((name) => there.has(name));
}

/** The files in a folder that a run leaves there, in their order. */
export function runFilesIn(folder: string): string[] {
  return inOrder([...Deno.readDirSync(folder)].map(({ name }) => name).filter(isRunFile));
}

/** The files in a folder that belong to a run, those of `export` and `eval` among them. */
export function ownFilesIn(folder: string): string[] {
  return inOrder([...Deno.readDirSync(folder)].map(({ name }) => name).filter(isOwnFile));
}

/** Those names in the folder of a run's checkpoints that fit, from the folder of the run on. */
function amongCheckpoints(folder: string, fits: (name: string) => boolean): string[] {
  const own = `${folder}/${CHECKPOINTS}`;
  if (!statOf(own)?.isDirectory) return [];
  return [...Deno.readDirSync(own)].map(({ name }) => name).filter(fits).toSorted()
    .map((name) => `${CHECKPOINTS}/${name}`);
}

/** The names of a run's checkpoints, below its folder. */
export function ownCheckpoints(folder: string): string[] {
  return amongCheckpoints(folder, isCheckpointName);
}

/** The names of all that a folder has of a run, those of checkpoints and exports below it. */
export function filesOfRun(folder: string): string[] {
  const own = (name: string): boolean => isCheckpointName(name) || isExportedName(name);
  const events = statOf(`${folder}/${EVENTS_FILE}`)?.isFile ? [EVENTS_FILE] : [];
  return [...ownFilesIn(folder), ...amongCheckpoints(folder, own), ...events];
}

/** What there is under a path, a link for itself; nothing where there is nothing to be seen. */
export function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch { /* empty */ }
}

/** Whether a new run was being put into the place of the one in a folder, and is not yet. */
export function isReplacing(path: string): boolean {
  return statOf(`${path}/${REPLACING}`)?.isDirectory === true &&
    statOf(`${path}/${REPLACING}/config.json`) !== undefined;
}

/** Puts a file under another name, too: as a second name for it, or as a copy where there are none. */
function double(from: string, to: string): void {
  try {
    Deno.linkSync(from, to);
  } catch {
    Deno.copyFileSync(from, to);
    syncFile(to);
  }
}

/** The folders that a run has below its own. */
const FOLDERS = [CHECKPOINTS, EVENTS_FOLDER];

/** Removes a folder of a run's, unless there is something else in it. */
function removeFolder(own: string): void {
  if (!statOf(own)?.isDirectory) return;
  removeTemporary(own);
  if ([...Deno.readDirSync(own)].length === 0) Deno.removeSync(own);
}

/** Empties one of the folders that are for runs only, and gives the names of what is none of theirs. */
export function emptyRun(folder: string): string[] {
  for (const name of filesOfRun(folder)) Deno.removeSync(`${folder}/${name}`);
  removeTemporary(folder);
  for (const name of FOLDERS) removeFolder(`${folder}/${name}`);
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

/** Goes on from wherever a replacement ended; does nothing where there was none. */
export function finishReplacing(path: string): void {
  const from = `${path}/${REPLACING}`;
  if (!statOf(from)?.isDirectory) return;
  if (isReplacing(path)) {
    const fresh = filesOfRun(from);
    for (const name of filesOfRun(path)) Deno.removeSync(`${path}/${name}`);
    const has = (own: string): boolean => fresh.some((name) => name.startsWith(`${own}/`));
    const folders = FOLDERS.filter(has).map((own) => `${path}/${own}`);
    for (const own of folders) Deno.mkdirSync(own, { recursive: true });
    for (const name of fresh) double(`${from}/${name}`, `${path}/${name}`);
    for (const own of folders) syncFolder(own);
    for (const own of FOLDERS) if (!has(own)) removeFolder(`${path}/${own}`);
    syncFolder(path);
    Deno.removeSync(`${from}/config.json`);
    syncFolder(from);
  }
  // Stays where there is something else in it.
  if (emptyRun(from).length === 0) Deno.removeSync(from);
}

/** Puts the run in `unfinished` into the place of the run in a folder. */
export function replaceRun(path: string): void {
  const from = `${path}/${UNFINISHED}`;
  syncFolder(from);
  Deno.renameSync(from, `${path}/${REPLACING}`);
  syncFolder(path);
  finishReplacing(path);
}

/** Raises a {@link DataError} for a folder with files of two runs. */
export function refuseMixed(path: string): void {
  if (!isReplacing(path)) return;
  throw new DataError(
    `Cannot read the run in ${path}: a new run was taking its place when the process ended, found the new ` +
      `one in it; name ${path}/${REPLACING}, where the new one is whole, or train with ` +
      `--overwrite, which first ends what was begun`,
  );
}

/** Raises a {@link DataError} for a folder without a run that has ended well. */
export function demandWhole(path: string): void {
  refuseMixed(path);
  if (statOf(`${path}/summary.json`) || !statOf(`${path}/config.json`)) return;
  if (statOf(`${path}/compare.json`)) {
    throw new DataError(
      `Cannot read the run in ${path}: it is a comparison; name the folder of one of its runs, as ` +
        `${path}/adjoined-0`,
    );
  }
  throw new DataError(
    `Cannot read the run in ${path}: wanted one that has ended well, found no summary.json, which ` +
      `is written last; ${checkpointCure(path) ?? "name one of its files, or train it again"}`,
  );
}
