import { DiskKeeper } from "./checkpoint_files.ts";
import { CHECKPOINTS, LAST } from "./checkpoint_names.ts";
import type { FoundRun } from "./found_run.ts";
import { statOf } from "./replacing.ts";
import { removeTemporary } from "./whole_file.ts";

/** How checkpoints are kept. */
export interface Keeping {
  /** The latest that keep names of their own. */
  readonly keep?: number;
  /** Is told, once, what cannot be written. */
  readonly note: (text: string) => void;
}

/** A folder that a run or a comparison writes to: held against others, with checkpoints in it. */
export abstract class KeptFolder implements Disposable {
  /** The folder; before it is begun what was asked for. */
  protected folder: string;
  /** Where is written: the folder itself, or one below it until it takes the place of another run. */
  protected work: string;
  /** config.json, held as long as this process writes. */
  protected held?: Disposable;
  /** Where all is that could not be written in the folder. */
  protected rescued?: string;
  protected begun = false;
  readonly #keeping: Keeping;
  #keeper: DiskKeeper;

  constructor(output: string, keeping: Keeping) {
    this.folder = output;
    this.work = output;
    this.#keeping = keeping;
    this.#keeper = this.#keeperFor();
  }

  #keeperFor(written?: FoundRun["last"]): DiskKeeper {
    return new DiskKeeper({
      ...this.#keeping,
      folder: () => `${this.work}/${CHECKPOINTS}`,
      written,
    });
  }

  /** Goes on from the last checkpoint that there is. */
  protected keepAfter(last: FoundRun["last"]): void {
    this.#keeper = this.#keeperFor(last);
  }

  /** Removes what a process that was killed has left on its way. */
  protected tidy(): void {
    for (const own of [this.work, `${this.work}/${CHECKPOINTS}`].filter(statOf)) {
      removeTemporary(own);
    }
  }

  /** The last checkpoint that is there, in words; nothing where there is none. */
  protected checkpointWords(): string[] {
    const { written } = this.#keeper;
    return written && statOf(`${this.work}/${CHECKPOINTS}/${LAST}`)
      ? [`a checkpoint of ${written}`]
      : [];
  }

  /** Lets other runs have the folder. */
  [Symbol.dispose](): void {
    this.held?.[Symbol.dispose]();
  }

  /** The folder; before it is begun what was asked for. */
  get path(): string {
    return this.folder;
  }

  /** Where is written now: the folder itself, or one below it. */
  get writes(): string {
    return this.work;
  }

  /** Whether there is anything on disk. */
  get started(): boolean {
    return this.begun;
  }

  /** Keeps the checkpoints; to be asked for when the folder has been started or resumed. */
  get keeper(): DiskKeeper {
    return this.#keeper;
  }

  /** The folder that is gone on from; nothing where there is no checkpoint. */
  get resumable(): string | undefined {
    if (this.rescued !== undefined) return this.rescued;
    return this.#keeper.written === undefined ? undefined : this.folder;
  }
}
