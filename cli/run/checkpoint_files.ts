import { DataError } from "../../data/error.ts";
import { foundInstead } from "../../data/found_instead.ts";
import { printable } from "../../data/printable.ts";
import type { Keeper, KeptAs } from "../../train/resume/keeper.ts";
import {
  encodeTrainingState,
  parseTrainingState,
  type TrainingState,
} from "../../train/resume/training_state.ts";
import type { Which } from "../../train/types.ts";
import { bestName, isKeptName, keptName, LAST, positionWords } from "./checkpoint_names.ts";
import { readFile } from "./read_file.ts";
import { isDamaged, sealed } from "./seal.ts";
import { SaidOnce } from "./said_once.ts";
import { whyNot } from "./unwritable.ts";
import { nameAlso, writeWhole } from "./whole_file.ts";

/** Reads a checkpoint. Raises a {@link DataError} for a file that is none. */
export async function readCheckpoint(file: string): Promise<TrainingState> {
  const bytes = await readFile(file).catch((cause) => {
    throw new DataError(
      `Cannot go on: wanted a checkpoint of a run, found ${foundInstead(file, cause)}`,
      { cause },
    );
  });
  const state = parseTrainingState(bytes, file);
  if (!await isDamaged(bytes)) return state;
  throw new DataError(
    `Cannot go on from ${
      printable(file, 300)
    }: wanted the bytes that were saved, found others; the ` +
      `file is damaged`,
  );
}

/** The reason at the bottom of an error. */
function reasonOf(error: unknown): string {
  return whyNot(error instanceof Error && error.cause ? error.cause : error);
}

/**
 * Keeps checkpoints in a folder, while training goes on. What cannot be written is said once, stays
 * in memory, and is tried again with the next one; what is in the folder stays whole.
 */
export class DiskKeeper implements Keeper {
  readonly #folder: () => string;
  readonly #keep: number;
  readonly #faults: SaidOnce;
  /** What is still to be written, by name: no more than one state for each. */
  readonly #owed = new Map<string, TrainingState>();
  /** Where the checkpoint is that is on the disk. */
  #written?: Pick<TrainingState, "phase" | "position">;
  #writing: Promise<void> = Promise.resolve();

  /** `folder` is asked for at each checkpoint; the `keep` latest get names of their own. */
  constructor({ folder, keep = 0, note, written }: {
    readonly folder: () => string;
    readonly keep?: number;
    readonly note: (text: string) => void;
    /** The checkpoint that is there already. */
    readonly written?: Pick<TrainingState, "phase" | "position">;
  }) {
    this.#folder = folder;
    this.#keep = keep;
    this.#faults = new SaidOnce(note);
    this.#written = written;
  }

  save(state: TrainingState, { best }: KeptAs = { best: [] }): Promise<void> {
    const before = this.#writing;
    this.#writing = before.then(() => this.#add(state, best));
    // Not more than one at a time: each is as large as all that is trained.
    return before;
  }

  async settled(): Promise<void> {
    for (let last; last !== this.#writing;) await (last = this.#writing);
  }

  async last(): Promise<TrainingState | undefined> {
    await this.settled();
    const owed = this.#owed.get(LAST);
    if (owed || !this.#written) return owed;
    return await readCheckpoint(`${this.#folder()}/${LAST}`);
  }

  async best(which: Which): Promise<TrainingState | undefined> {
    await this.settled();
    const name = bestName(which);
    const owed = this.#owed.get(name);
    if (owed || !this.#written) return owed;
    const file = `${this.#folder()}/${name}`;
    const info = await Deno.stat(file).catch(() => undefined);
    return info && await readCheckpoint(file);
  }

  where(): string | undefined {
    return this.#written && `${this.#folder()}/${LAST}`;
  }

  /** The last checkpoint on the disk, in words; nothing where there is none. */
  get written(): string | undefined {
    return this.#written && positionWords(this.#written);
  }

  /** Names and states that could not be written yet. */
  get owed(): ReadonlyMap<string, TrainingState> {
    return this.#owed;
  }

  async #add(state: TrainingState, best: readonly Which[]): Promise<void> {
    const kept = this.#keep > 0 ? [keptName(state)] : [];
    // Without `last`, what is new is done once more; without the best, it would never be found again.
    for (const name of [...kept, ...best.map(bestName), LAST]) {
      this.#owed.delete(name);
      this.#owed.set(name, state);
    }
    for (const name of this.#owed.keys()) {
      if (isKeptName(name) && !kept.includes(name)) this.#owed.delete(name);
    }
    const folder = this.#folder();
    try {
      await Deno.mkdir(folder).catch((error) => {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      });
      await this.#pay(folder);
      this.#faults.worked(folder);
    } catch (error) {
      const there = this.written;
      this.#faults.failed(
        folder,
        `Cannot keep a checkpoint in ${folder}: ${
          reasonOf(error)
        }; the run goes on and tries again ` +
          `at the next, ${there ? `the one there is of ${there}` : "there is none yet"}`,
      );
      return;
    }
    const older = `older ones in ${folder}`;
    try {
      await this.#prune(folder);
      this.#faults.worked(older);
    } catch (error) {
      this.#faults.failed(older, `Cannot remove ${older}: ${reasonOf(error)}; they stay`);
    }
  }

  /** Writes what is owed, each state once. */
  async #pay(folder: string): Promise<void> {
    const first = new Map<TrainingState, string>();
    for (const [name, state] of [...this.#owed]) {
      const file = `${folder}/${name}`;
      const from = first.get(state);
      if (from === undefined) await writeWhole(file, await sealed(encodeTrainingState(state)));
      else await nameAlso(from, file);
      first.set(state, file);
      this.#owed.delete(name);
      if (name === LAST) this.#written = { phase: state.phase, position: state.position };
    }
  }

  /** Removes all but the latest of those with names of their own. */
  async #prune(folder: string): Promise<void> {
    if (this.#keep === 0) return;
    const found: { readonly file: string; readonly time: number }[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      if (!isKeptName(name)) continue;
      const file = `${folder}/${name}`;
      found.push({ file, time: (await Deno.stat(file)).mtime?.getTime() ?? 0 });
    }
    found.sort((a, b) => b.time - a.time || (a.file < b.file ? 1 : -1));
    for (const { file } of found.slice(this.#keep)) await Deno.remove(file);
  }
}
