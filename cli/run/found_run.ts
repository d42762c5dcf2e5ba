// Finds the run that --resume names, and the checkpoint that it goes on from.
import { basename, dirname } from "node:path";
import { DataError } from "../../data/error.ts";
import { errorCode, foundInstead } from "../../data/found_instead.ts";
import { parseJson } from "../../data/json.ts";
import { missingPermission } from "../../data/missing_permission.ts";
import { printable } from "../../data/printable.ts";
import { listed } from "../../data/words.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import type { EpochMetrics } from "../../train/types.ts";
import { readCheckpoint } from "./checkpoint_files.ts";
import { CHECKPOINTS, isCheckpointName, LAST, runOfCheckpoint } from "./checkpoint_names.ts";
import { readText } from "./read_file.ts";
import {
  finishReplacing,
  isReplacing,
  REPLACING,
  runFilesIn,
  statOf,
  UNFINISHED,
} from "./replacing.ts";
import { refuseHeld } from "./run_place.ts";

/** A run to go on with. */
export interface FoundRun {
  /** Its folder. */
  readonly path: string;
  /** Where it writes: the folder itself, or one below it until it takes the place of another run. */
  readonly work: string;
  /** The checkpoint that it goes on from. */
  readonly file: string;
  readonly state: TrainingState;
  /** Where its last checkpoint is, where that is another one and can be read. */
  readonly last?: Pick<TrainingState, "phase" | "position">;
  /** All options of its command. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Its epochs so far. */
  readonly history: readonly EpochMetrics[];
}

/** What a run may have written before its first checkpoint. */
const BEGUN: readonly string[] = ["config.json", "batch.png", "report.html", CHECKPOINTS];

/** Where a run and one of its checkpoints are. */
type Place = Pick<FoundRun, "path" | "work" | "file">;

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, "");
}

function cannot(path: string, wanted: string, found: string, cause?: unknown): DataError {
  return new DataError(
    `Cannot go on from ${printable(path, 300)}: wanted ${wanted}, found ${found}`,
    { cause },
  );
}

/** The folder of a run, and where it writes, out of the latter. */
function placeOf(work: string): Pick<FoundRun, "path" | "work"> {
  const isWithin = basename(work) === UNFINISHED && statOf(`${work}/config.json`) !== undefined;
  return { path: isWithin ? dirname(work) : work, work };
}

/** Ends a replacement that has begun in a folder, so that one run is in it. */
function endReplacing(path: string): void {
  if (!isReplacing(path)) return;
  refuseHeld(path);
  finishReplacing(path);
}

function hasCheckpoint(work: string): boolean {
  return statOf(`${work}/${CHECKPOINTS}/${LAST}`) !== undefined;
}

/** The run in a folder that has a checkpoint: one that is to replace another before that one. */
function runIn(path: string): Place | undefined {
  endReplacing(path);
  const work = [`${path}/${UNFINISHED}`, path].find(hasCheckpoint);
  return work === undefined
    ? undefined
    : { ...placeOf(work), file: `${work}/${CHECKPOINTS}/${LAST}` };
}

/** The names of the checkpoints in a folder of them. */
function checkpointsIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).filter(isCheckpointName)
      .toSorted();
  } catch {
    return [];
  }
}

/** Whether there are checkpoints in the folder of a run, be it without the last one. */
export function hasCheckpoints(path: string): boolean {
  return checkpointsIn(`${path}/${CHECKPOINTS}`).length > 0;
}

/** Other checkpoints beside one, in words: what to name in its place. */
function others(folder: string, name: string): string {
  const there = checkpointsIn(folder).filter((other) => other !== name);
  return there.length ? `; name another one of ${printable(folder, 300)}: ${listed(there)}` : "";
}

function noCheckpoint(path: string): DataError {
  const wanted = "the folder of a run with a checkpoint";
  const folder = basename(path) === CHECKPOINTS ? path : `${path}/${CHECKPOINTS}`;
  const left = others(folder, LAST);
  if (left) return cannot(path, `${LAST} in its checkpoints`, `none${left}`);
  if (statOf(`${path}/compare.json`)) return cannot(path, wanted, "that of a comparison");
  if (!statOf(`${path}/config.json`)) return cannot(path, wanted, "a folder without a run");
  return cannot(
    path,
    wanted,
    `a run without: it ended before its first, or is of a release that wrote none; train it again`,
  );
}

/** The run that a path names: its folder, that of its checkpoints, or one of them. */
function placeAt(typed: string): Place {
  let path = withoutSlash(typed);
  if (basename(path) === REPLACING && statOf(`${path}/config.json`)) path = dirname(path);
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    const found = errorCode(error) === "ENOENT"
      ? "neither folder nor file there"
      : foundInstead(path, error, "folder");
    throw cannot(path, "the folder of a run or one of its checkpoints", found, error);
  }
  if (info.isDirectory) {
    const inner = basename(path) === CHECKPOINTS && statOf(`${path}/${LAST}`);
    const folder = inner ? dirname(path) : path;
    const found = runIn(folder);
    if (!found) throw noCheckpoint(path);
    return found;
  }
  const work = runOfCheckpoint(path);
  return { ...placeOf(work ?? dirname(path)), file: path };
}

async function readConfig(work: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const found: unknown = parseJson(await readText(`${work}/config.json`));
    if (typeof found === "object" && found !== null) return { ...found };
  } catch { /* There is none, or none that can be read. */ }
}

async function read(place: Place): Promise<FoundRun> {
  const { work, file } = place;
  const state = await readCheckpoint(file).catch((error) => {
    if (!(error instanceof DataError)) throw error;
    const message = `${error.message.replace(/\.$/, "")}${others(dirname(file), basename(file))}`;
    throw new DataError(message, { cause: error });
  });
  if (runOfCheckpoint(file) === undefined) {
    throw cannot(
      file,
      `a checkpoint in the folder ${CHECKPOINTS} of its run`,
      "one elsewhere; put it there, and name it again",
    );
  }
  const config = state.run.config ?? await readConfig(work) ?? { ...state.run.options };
  let last: FoundRun["last"] = state;
  if (basename(file) !== LAST) {
    last = await readCheckpoint(`${dirname(file)}/${LAST}`).catch(() => undefined);
  }
  return {
    ...place,
    state,
    last: last && { phase: last.phase, position: last.position },
    config,
    history: state.history,
  };
}

/**
 * Reads the run that a path names. Raises a {@link DataError} where there is none to go on with, and
 * a `UsageError` where another process writes to its folder.
 */
export async function findRun(path: string): Promise<FoundRun> {
  return await read(placeAt(path));
}

/** The names that a run of a default name may have got. */
function namesLike(output: string): string[] {
  const name = basename(output);
  let entries: string[] = [];
  try {
    entries = [...Deno.readDirSync(dirname(output))].map((entry) => entry.name);
  } catch (error) {
    if (missingPermission(error)) throw error;
    // No run has been there.
  }
  return entries.filter((entry) =>
    entry === name || (entry.startsWith(`${name}-`) && /^\d+$/.test(entry.slice(name.length + 1)))
  ).map((entry) => `${dirname(output)}/${entry}`);
}

/** The folder of the newest run of a name that has a checkpoint; nothing where there is none. */
export function newestRun(
  { output, named }: { readonly output: string; readonly named: boolean },
): string | undefined {
  const found = (named ? [withoutSlash(output)] : namesLike(output)).flatMap((path) => {
    const place = runIn(path);
    const time = place && statOf(place.file)?.mtime?.getTime();
    return time === undefined ? [] : [{ path, time }];
  });
  return found.toSorted((a, b) => b.time - a.time).at(0)?.path;
}

/** Whether a folder holds a run that ended before its first checkpoint: nothing is lost with it. */
export function hasOnlyBegun(path: string): boolean {
  return statOf(`${path}/config.json`) !== undefined &&
    [UNFINISHED, "compare.json"].every((name) => !statOf(`${path}/${name}`)) &&
    runFilesIn(path).every((name) => BEGUN.includes(name));
}
