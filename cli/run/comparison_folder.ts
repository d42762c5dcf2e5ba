import { listed, plural } from "../../data/words.ts";
import { UsageError } from "../../train/errors.ts";
import { DiskKeeper } from "./checkpoint_files.ts";
import { CHECKPOINTS, LAST } from "./checkpoint_names.ts";
import type { FoundRun } from "./found_run.ts";
import { type FolderRequest, takeFolder, unusable } from "./output_folder.ts";
import { statOf } from "./replacing.ts";
import { rescue } from "./rescue.ts";
import { runConfig } from "./run_config.ts";
import { checkPlace, holdRun, refuseHeld } from "./run_place.ts";
import { cureFor, unwritable, whyNot } from "./unwritable.ts";
import { removeTemporary, syncFile, tryWriting } from "./whole_file.ts";

/** The folder of a comparison: config.json, checkpoints, what it has come to, and those of its runs. */
export class ComparisonFolder implements Disposable {
  readonly #request: FolderRequest;
  readonly #keeping: { readonly keep?: number; readonly note: (text: string) => void };
  #path: string;
  #started = false;
  #config = "";
  #held?: Disposable;
  #rescued?: string;
  #keeper: DiskKeeper;
  /** How many results compare.json has. */
  results = 0;

  /** Writes nothing yet. The `keep` latest checkpoints stay. */
  constructor(
    output: string,
    request: FolderRequest,
    keeping: { readonly keep?: number; readonly note: (text: string) => void },
  ) {
    this.#path = output;
    this.#request = request;
    this.#keeping = keeping;
    this.#keeper = this.#keeperFor();
  }

  #keeperFor(written?: FoundRun["last"]): DiskKeeper {
    return new DiskKeeper({
      ...this.#keeping,
      folder: () => `${this.#path}/${CHECKPOINTS}`,
      written,
    });
  }

  /** Lets other runs have the folder. */
  [Symbol.dispose](): void {
    this.#held?.[Symbol.dispose]();
  }

  /** The folder; before {@link start} what was asked for. */
  get path(): string {
    return this.#path;
  }

  /** Whether there is anything on disk. */
  get started(): boolean {
    return this.#started;
  }

  /** Keeps its checkpoints; to be asked for when it goes on, if it does. */
  get keeper(): DiskKeeper {
    return this.#keeper;
  }

  /** The folder that it goes on from; nothing where there is no checkpoint. */
  get resumable(): string | undefined {
    if (this.#rescued !== undefined) return this.#rescued;
    return this.#keeper.written === undefined ? undefined : this.#path;
  }

  /**
   * Makes the folder and writes config.json. Raises a {@link UsageError} where another run has not
   * ended yet.
   */
  start(options: Readonly<Record<string, unknown>>): void {
    this.#path = takeFolder(this.#path, this.#request);
    checkPlace(this.#path);
    refuseHeld(this.#path);
    this.#begin(options);
  }

  /** Goes on in a folder. Raises a {@link UsageError} as {@link start} does. */
  resume(
    { path, last }: Pick<FoundRun, "path" | "last">,
    options: Readonly<Record<string, unknown>>,
  ): void {
    this.#path = path;
    checkPlace(path);
    refuseHeld(path);
    try {
      tryWriting(path);
      for (const folder of [path, `${path}/${CHECKPOINTS}`].filter(statOf)) removeTemporary(folder);
    } catch (error) {
      throw unusable(path, whyNot(error), cureFor(error, path));
    }
    this.#begin(options);
    this.#keeper = this.#keeperFor(last);
  }

  #begin(options: Readonly<Record<string, unknown>>): void {
    const file = `${this.#path}/config.json`;
    this.#config = runConfig(options, { output: this.#path });
    try {
      Deno.writeTextFileSync(file, this.#config);
      syncFile(file);
      this.#held = holdRun(this.#path, file);
    } catch (error) {
      throw error instanceof UsageError ? error : unwritable(file, error);
    }
    this.#started = true;
  }

  /** What there is on disk so far, in words. */
  kept(): string {
    if (this.#rescued !== undefined) {
      return `a checkpoint of the comparison is in ${this.#rescued}`;
    }
    const words = this.results === 0
      ? []
      : [`compare.json with ${plural(this.results, "result")}`, "the networks"];
    const { written } = this.#keeper;
    if (written && statOf(`${this.#path}/${CHECKPOINTS}/${LAST}`)) {
      words.push(`a checkpoint of ${written}`);
    }
    return words.length ? `${this.#path} keeps ${listed(words)}` : "nothing was written";
  }

  /**
   * Waits until the last checkpoint is kept; where it could not be, keeps it in another folder with
   * what the comparison has come to. Gives whether it did.
   */
  async settle(): Promise<boolean> {
    await this.#keeper.settled();
    const { owed } = this.#keeper;
    if (!this.#started || !owed.has(LAST)) return false;
    const contents = new Map([["config.json", new TextEncoder().encode(this.#config)]]);
    const results = await Deno.readFile(`${this.#path}/compare.json`).catch(() => undefined);
    if (results) contents.set("compare.json", results);
    this.#rescued = await rescue(this.#path, { contents, checkpoints: owed });
    return this.#rescued !== undefined;
  }
}
