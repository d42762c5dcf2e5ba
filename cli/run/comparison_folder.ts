import { listed, plural } from "../../data/words.ts";
import { UsageError } from "../../train/errors.ts";
import { LAST } from "./checkpoint_names.ts";
import type { FoundRun } from "./found_run.ts";
import { type Keeping, KeptFolder } from "./kept_folder.ts";
import { type FolderRequest, takeFolder, unusable } from "./output_folder.ts";
import { statOf } from "./replacing.ts";
import { rescue } from "./rescue.ts";
import { runConfig } from "./run_config.ts";
import { checkPlace, holdRun, refuseHeld } from "./run_place.ts";
import { cureFor, unwritable, whyNot } from "./unwritable.ts";
import { syncFile, tryWriting } from "./whole_file.ts";

const REPORT = "report.html";

/** The folder of a comparison: config.json, checkpoints, what it has come to, and those of its runs. */
export class ComparisonFolder extends KeptFolder {
  readonly #request: FolderRequest;
  #config = "";
  /** How many results compare.json has. */
  results = 0;

  /** Writes nothing yet. The `keep` latest checkpoints stay. */
  constructor(output: string, request: FolderRequest, keeping: Keeping) {
    super(output, keeping);
    this.#request = request;
  }

  /**
   * Makes the folder and writes config.json. Raises a {@link UsageError} where another run has not
   * ended yet.
   */
  start(options: Readonly<Record<string, unknown>>): void {
    this.folder = this.work = takeFolder(this.folder, this.#request);
    checkPlace(this.folder);
    refuseHeld(this.folder);
    this.#begin(options);
  }

  /** Goes on in a folder. Raises a {@link UsageError} as {@link start} does. */
  resume(
    { path, last }: Pick<FoundRun, "path" | "last">,
    options: Readonly<Record<string, unknown>>,
  ): void {
    this.folder = this.work = path;
    checkPlace(path);
    refuseHeld(path);
    try {
      tryWriting(path);
      this.tidy();
    } catch (error) {
      throw unusable(path, whyNot(error), cureFor(error, path));
    }
    this.#begin(options);
    this.keepAfter(last);
  }

  #begin(options: Readonly<Record<string, unknown>>): void {
    const file = `${this.folder}/config.json`;
    this.#config = runConfig(options, { output: this.folder });
    try {
      Deno.writeTextFileSync(file, this.#config);
      syncFile(file);
      this.held = holdRun(this.folder, file);
    } catch (error) {
      throw error instanceof UsageError ? error : unwritable(file, error);
    }
    this.begun = true;
  }

  /** What there is on disk so far, in words. */
  kept(): string {
    if (this.rescued !== undefined) {
      return `a checkpoint of the comparison is in ${this.rescued}`;
    }
    const words = this.results === 0
      ? []
      : [`compare.json with ${plural(this.results, "result")}`, "the networks"];
    if (this.begun && statOf(`${this.folder}/${REPORT}`)) words.push(REPORT);
    words.push(...this.checkpointWords());
    return words.length ? `${this.folder} keeps ${listed(words)}` : "nothing was written";
  }

  /**
   * Waits until the last checkpoint is kept; where it could not be, keeps it in another folder with
   * what the comparison has come to. Gives whether it did.
   */
  async settle(): Promise<boolean> {
    await this.keeper.settled();
    const { owed } = this.keeper;
    if (!this.begun || !owed.has(LAST)) return false;
    const contents = new Map([["config.json", new TextEncoder().encode(this.#config)]]);
    const results = await Deno.readFile(`${this.folder}/compare.json`).catch(() => undefined);
    if (results) contents.set("compare.json", results);
    this.rescued = await rescue(this.folder, { contents, checkpoints: owed });
    return this.rescued !== undefined;
  }
}
