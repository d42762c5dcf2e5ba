// What has to hold of a folder before a run writes to it.
import { printable } from "../../data/printable.ts";
import { UsageError } from "../../train/errors.ts";
import { CHECKPOINTS } from "./checkpoint_names.ts";
import { hold, isHeld } from "./held_file.ts";
import { unusable } from "./output_folder.ts";
import {
  emptyRun,
  finishReplacing,
  ownFilesIn,
  REPLACING,
  statOf,
  UNFINISHED,
} from "./replacing.ts";
import { unwritable } from "./unwritable.ts";

/** Raises a {@link UsageError} for a folder in which something is in the way of a run. */
export function checkPlace(path: string): void {
  for (const name of [UNFINISHED, REPLACING, CHECKPOINTS]) {
    const info = statOf(`${path}/${name}`);
    if (!info || info.isDirectory) continue;
    const what = info.isSymlink ? "a link" : "a file";
    const cure = "remove it, or choose another --output";
    throw unusable(path, `runs need the name ${name} in it for a folder, found ${what}`, cure);
  }
  for (const name of statOf(path) ? ownFilesIn(path) : []) {
    if (!statOf(`${path}/${name}`)?.isDirectory) continue;
    throw unusable(path, `a folder is in the place of the file ${name}`);
  }
}

function busy(path: string): UsageError {
  const cure = "wait for its end, or choose another --output";
  return unusable(path, "another run is writing to it", cure);
}

/** Raises a {@link UsageError} for a folder that another process writes a run to. */
export function refuseHeld(path: string): void {
  for (const folder of [path, `${path}/${UNFINISHED}`, `${path}/${REPLACING}`]) {
    if (isHeld(`${folder}/config.json`)) throw busy(path);
  }
}

/**
 * Holds the config.json of a run, where files can be held. Raises a {@link UsageError} where another
 * process was the first to.
 */
export function holdRun(path: string, file: string): Disposable | undefined {
  const held = hold(file);
  if (!held && isHeld(file)) throw busy(path);
  return held;
}

/** Ends what an earlier run had begun, and empties the folders that a run needs to replace another. */
export function prepare(path: string): void {
  try {
    finishReplacing(path);
    for (const folder of [UNFINISHED, REPLACING].map((name) => `${path}/${name}`)) {
      if (!statOf(folder)) continue;
      const [other] = emptyRun(folder);
      if (other === undefined) continue;
      const why = `runs need ${folder} for themselves, found ${printable(other)} in it`;
      throw unusable(path, why, "move it elsewhere, or choose another --output");
    }
  } catch (error) {
    throw error instanceof UsageError ? error : unwritable(path, error);
  }
}
