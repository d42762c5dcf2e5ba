import { basename } from "node:path";
import { encodeTrainingState, type TrainingState } from "../../train/resume/training_state.ts";
import { CHECKPOINTS, isKeptName } from "./checkpoint_names.ts";
import { ownCheckpoints, runFilesIn } from "./replacing.ts";
import { sealed } from "./seal.ts";
import { writeWhole } from "./whole_file.ts";

/** Copies a file where there is one. */
async function copy(from: string, to: string): Promise<void> {
  try {
    await Deno.copyFile(from, to);
  } catch { /* What can still be read is enough. */ }
}

/** The checkpoints that can still be seen. */
function kept(work: string): string[] {
  try {
    return ownCheckpoints(work).map((path) => basename(path));
  } catch {
    return [];
  }
}

/**
 * Writes all of a run whose folder cannot be written to a temporary folder, from which it can go on:
 * `contents`, what else is in `work`, and the last of `checkpoints`. Gives the folder; nothing where
 * there is no room there, either.
 */
export async function rescue(
  work: string,
  { contents, checkpoints }: {
    readonly contents: ReadonlyMap<string, Uint8Array>;
    readonly checkpoints: ReadonlyMap<string, TrainingState>;
  },
): Promise<string | undefined> {
  let folder: string | undefined;
  try {
    folder = await Deno.makeTempDir({ prefix: "adjoin-" });
    for (const [name, content] of contents) await writeWhole(`${folder}/${name}`, content);
    let there: string[] = [];
    try {
      there = runFilesIn(work).filter((name) => !contents.has(name));
    } catch { /* The folder is gone. */ }
    for (const name of there) await copy(`${work}/${name}`, `${folder}/${name}`);
    const own = `${folder}/${CHECKPOINTS}`;
    await Deno.mkdir(own);
    for (const [name, state] of checkpoints) {
      await writeWhole(`${own}/${name}`, await sealed(encodeTrainingState(state)));
    }
    const names = kept(work).filter((name) => !isKeptName(name));
    for (const name of names.filter((name) => !checkpoints.has(name))) {
      await copy(`${work}/${CHECKPOINTS}/${name}`, `${own}/${name}`);
    }
    // Stays where there are some.
    await Deno.remove(own).catch(() => {});
    return folder;
  } catch {
    if (folder) await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}
