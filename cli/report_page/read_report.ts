import { basename, resolve } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { printable } from "../../data/printable.ts";
import { isHeld } from "../run/held_file.ts";
import { ownPoints, sizesIn } from "../run/pareto_points_of.ts";
import {
  isReplacing,
  ownCheckpoints,
  ownFilesIn,
  PROGRESS_FILE,
  REPLACING,
  statOf,
  UNFINISHED,
} from "../run/replacing.ts";
import { readComparison } from "./read_comparison.ts";
import { readRun } from "./read_run.ts";
import { historyIn, jsonIn } from "./run_files.ts";
import type { OtherRun, ReportData, ReportFile, Status } from "./report_data.ts";
import { sameCommand } from "./same_command.ts";

/** Bytes of a file that is hashed at most. */
const HASHED = 1 << 28;

/** How a folder is read. */
export interface ReadOptions {
  /** Folders of other runs and comparisons, which are shown beside it. */
  readonly beside?: readonly string[];
  /** Whether files are hashed. */
  readonly hashes?: boolean;
  /** Whether the run is known to have ended, though this process still holds its folder. */
  readonly ended?: boolean;
}

async function hashOf(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

/** The files of a run, their sizes and hashes. A checkpoint changes: it has no hash. */
async function filesIn(folder: string, { hashes = false }: ReadOptions): Promise<ReportFile[]> {
  const own = [...ownFilesIn(folder), "compare.json", "compare.svg"]
    .filter((name) =>
      name !== "report.html" && name !== PROGRESS_FILE && statOf(`${folder}/${name}`)?.isFile
    );
  const files = own.map(async (name): Promise<ReportFile> => {
    const { size: bytes } = await Deno.stat(`${folder}/${name}`);
    const isHashed = hashes && bytes <= HASHED;
    return { name, bytes, ...isHashed ? { sha256: await hashOf(`${folder}/${name}`) } : {} };
  });
  const checkpoints = ownCheckpoints(folder).map(async (name): Promise<ReportFile> => {
    return { name, bytes: (await Deno.stat(`${folder}/${name}`)).size };
  });
  return await Promise.all([...files, ...checkpoints]);
}

/** Where the run of a folder writes: the folder itself, or one below it until it replaces a run. */
export function workOf(folder: string): string {
  if (isReplacing(folder)) return `${folder}/${REPLACING}`;
  const unfinished = `${folder}/${UNFINISHED}`;
  return statOf(`${unfinished}/config.json`) ? unfinished : folder;
}

function statusOf(work: string, ended: boolean, known: boolean): Status {
  if (!known && isHeld(`${work}/config.json`)) return "running";
  return ended ? "finished" : "stopped";
}

/** The error for a folder without a run. */
function notRun(folder: string, found: string, cause?: unknown): DataError {
  return new DataError(
    `Cannot report on ${printable(folder, 300)}: wanted the folder of a run or of a comparison, ` +
      `found ${found}`,
    { cause },
  );
}

/** Raises a {@link DataError} for what is no folder. */
function demandFolder(folder: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(folder);
  } catch (error) {
    throw notRun(folder, foundInstead(folder, error, "folder"), error);
  }
  if (!info.isDirectory) throw notRun(folder, "a file");
}

/** Another run, as it is shown beside one. Raises a {@link DataError} for a folder without one. */
async function otherRun(folder: string): Promise<OtherRun> {
  demandFolder(folder);
  const came = await jsonIn(folder, "summary.json") ?? await jsonIn(folder, "compare.json");
  const history = await historyIn(folder);
  if (!came && history.length === 0) throw notRun(folder, "neither epochs nor results");
  const networks = came ? await ownPoints(came, sizesIn(folder)) : [];
  return { name: basename(resolve(folder)), networks, history };
}

/**
 * Reads all that the report of a run or of a comparison shows: one that has ended, one that was
 * stopped, or one that goes on. Raises a {@link DataError} for a folder without any.
 */
export async function readReport(folder: string, options: ReadOptions = {}): Promise<ReportData> {
  demandFolder(folder);
  const others = await Promise.all((options.beside ?? []).map(otherRun));
  const work = workOf(folder.replace(/(?<=.)\/+$/, ""));
  const config = await jsonIn(work, "config.json");
  const compared = await jsonIn(work, "compare.json");
  const summary = await jsonIn(work, "summary.json");
  if (!config && !compared && !summary) throw notRun(folder, "neither config.json nor results");
  const known = options.ended === true;
  const isComparison = compared !== undefined || config?.command === "compare";
  const shared = {
    name: basename(resolve(folder)),
    folder: work,
    read: new Date(),
    version: project.version,
    config: config ?? {},
    command: sameCommand(config ?? {}),
    files: await filesIn(work, options),
    points: await ownPoints(compared ?? summary ?? {}, sizesIn(work)),
    others,
  };
  if (isComparison) {
    const comparison = await readComparison(work, { compared, config: shared.config });
    return { ...shared, ...comparison, status: statusOf(work, comparison.ended, known) };
  }
  const run = await readRun(work, { summary, config: shared.config });
  return { ...shared, ...run, status: statusOf(work, run.ended, known) };
}
