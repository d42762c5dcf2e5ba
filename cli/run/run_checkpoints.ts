// Checkpoints that a run leaves in its folder, as others find them.
import { printable } from "../../data/printable.ts";
import { abridged } from "../../data/words.ts";
import { CHECKPOINTS, isCheckpointName } from "./checkpoint_names.ts";

/** Where one may be: the run that a folder holds, or that which will replace it. */
const PLACES = [CHECKPOINTS, `unfinished/${CHECKPOINTS}`];

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).filter(isCheckpointName);
  } catch {
    return [];
  }
}

/** The newest first, then the best, then those that are kept besides. */
function rank(name: string): number {
  return ["last", "best-small", "best-base"].findIndex((word) => name.startsWith(word)) >>> 0;
}

/**
 * Checkpoints in the folder of a run, as paths from there on, the last one first: also those of a run
 * that has not replaced the one in the folder yet. Those in the folder itself, where it is one of
 * checkpoints.
 */
export function checkpointsIn(folder: string): string[] {
  const places = ["", ...PLACES.map((place) => `${place}/`)];
  return places.flatMap((place) =>
    namesIn(`${folder}/${place}`).sort((a, b) => rank(a) - rank(b) || (a < b ? 1 : -1))
      .map((name) => place + name)
  );
}

/** How many checkpoints a message names. */
const NAMED = 3;

/** The folder of a run, out of that of its checkpoints, or that of the run that will replace it. */
function runOf(folder: string): string {
  const inner = /^(.*?)\/+(?:unfinished|checkpoints)\/*$/.exec(folder);
  return inner ? runOf(inner[1]) : folder;
}

/** What to do about a run without networks that has checkpoints, in words; nothing without any. */
export function checkpointCure(folder: string): string | undefined {
  const names = checkpointsIn(folder);
  if (!names.length) return undefined;
  return `name a checkpoint in it (${abridged(names, NAMED)}), or go on with the run by ` +
    `--resume ${printable(runOf(folder), 300)}`;
}
