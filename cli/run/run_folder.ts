import { listed, plural } from "../../data/words.ts";
import { UsageError } from "../../train/errors.ts";
import type { EpochMetrics, Summary, TrainOptions } from "../../train/types.ts";
import { CHECKPOINTS, LAST } from "./checkpoint_names.ts";
import type { FoundRun } from "./found_run.ts";
import { type Keeping, KeptFolder } from "./kept_folder.ts";
import { type FolderRequest, takeFolder, unusable } from "./output_folder.ts";
import {
  EVENTS_FILE,
  EVENTS_FOLDER,
  filesOfRun,
  isReplacing,
  ownCheckpoints,
  replaceRun,
  REPLACING,
  runFilesIn,
  statOf,
  UNFINISHED,
} from "./replacing.ts";
import { rescue } from "./rescue.ts";
import { runConfig } from "./run_config.ts";
import { checkPlace, holdRun, prepare, refuseHeld } from "./run_place.ts";
import { SaidOnce } from "./said_once.ts";
import { cureFor, unwritable, whyNot } from "./unwritable.ts";
import { syncFile, tryWriting, writeWhole } from "./whole_file.ts";

type Content = Uint8Array | string;

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

function bytesOf(content: Content): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

function linesName({ search }: EpochMetrics): string {
  return search ? "search.jsonl" : "metrics.jsonl";
}

/** The files of one run. */
export class RunFolder extends KeptFolder {
  readonly #request: FolderRequest;
  readonly #faults: SaidOnce;
  readonly #metrics: EpochMetrics[] = [];
  /** All that was to be written, by name. */
  readonly #contents = new Map<string, Content>();
  /** Names of those that are not on the disk as they should be. */
  readonly #owed = new Set<string>();

  /**
   * Writes nothing yet. With `overwrite` the files of an earlier run will be replaced at the end.
   * `note` is told, once, what cannot be written while the run goes on; the `keep` latest
   * checkpoints stay.
   */
  constructor(
    output: string,
    request: FolderRequest,
    { note = () => {}, keep }: Partial<Keeping> = {},
  ) {
    super(output, { keep, note });
    this.#request = request;
    this.#faults = new SaidOnce(note);
  }

  /** What was appended. */
  get metrics(): readonly EpochMetrics[] {
    return this.#metrics;
  }

  /** What there is on disk so far, in words. */
  kept(): string {
    if (this.rescued !== undefined) return `all there is of the run is in ${this.rescued}`;
    if (!this.begun) return "nothing was written";
    let names: string[];
    try {
      names = runFilesIn(this.work);
    } catch {
      return `nothing is left of it in ${this.work}`;
    }
    const words = names.map((name) => {
      const lines = String(this.#contents.get(name) ?? "").split("\n").length - 1;
      return name.endsWith(".jsonl") ? `${name} with ${plural(lines, "epoch")}` : name;
    });
    const checkpoint = this.checkpointWords();
    words.push(...checkpoint);
    const some = checkpoint.length > 0 || names.some((name) => name.endsWith(".safetensors"));
    const weights = some ? "" : ", but no weights";
    const before = this.work === this.folder ? "" : `; the run before is still in ${this.folder}`;
    return `${this.work} keeps ${listed(words)}${weights}${before}`;
  }

  /**
   * Makes the folder and writes config.json. Raises a {@link UsageError} where another run has not
   * ended yet.
   */
  start(options: TrainOptions | Readonly<Record<string, unknown>>): void {
    this.folder = takeFolder(this.folder, this.#request);
    const path = this.folder;
    checkPlace(path);
    refuseHeld(path);
    if (this.#request.overwrite) prepare(path);
    const replaces = filesOfRun(path).length > 0;
    this.work = this.#request.overwrite && replaces ? `${path}/${UNFINISHED}` : path;
    const file = `${this.work}/config.json`;
    try {
      Deno.mkdirSync(this.work, { recursive: true });
      this.#hold(runConfig(options, { output: path }), { createNew: true });
    } catch (error) {
      throw error instanceof UsageError ? error : unwritable(file, error);
    }
    this.begun = true;
  }

  /** Writes config.json where it is not there yet, and holds it. */
  #hold(config: string, { createNew }: { readonly createNew: boolean }): void {
    const file = `${this.work}/config.json`;
    if (createNew || !statOf(file)) {
      Deno.writeTextFileSync(file, config, { createNew: true });
      syncFile(file);
    } else if (Deno.readTextFileSync(file) !== config) {
      // That of a run that has ended is true until the next one has.
      this.#owed.add("config.json");
    }
    this.held = holdRun(this.folder, file);
    this.#contents.set("config.json", config);
  }

  /**
   * Goes on in the folder of a run, whose epochs so far are those of `found`. Raises a
   * {@link UsageError} where another process does, or where nothing can be written.
   */
  resume(
    { path, work, last, history }: Pick<FoundRun, "path" | "work" | "last" | "history">,
    options: TrainOptions | Readonly<Record<string, unknown>>,
  ): void {
    this.folder = path;
    this.work = work;
    checkPlace(path);
    refuseHeld(path);
    try {
      tryWriting(work);
      this.#hold(runConfig(options, { output: path }), { createNew: false });
      // What goes on has not ended, whatever it had come to.
      if (statOf(`${work}/summary.json`)) Deno.removeSync(`${work}/summary.json`);
      this.tidy();
    } catch (error) {
      throw error instanceof UsageError
        ? error
        : unusable(path, whyNot(error), cureFor(error, path));
    }
    this.keepAfter(last);
    this.begun = true;
    this.rewrite(history);
  }

  /** Writes search.jsonl and metrics.jsonl anew: these epochs count, and no others. */
  rewrite(history: readonly EpochMetrics[]): void {
    this.#metrics.splice(0, Infinity, ...history.filter(({ search }) => !search));
    for (const name of ["search.jsonl", "metrics.jsonl"]) {
      const rows = history.filter((metrics) => linesName(metrics) === name);
      if (!rows.length && !statOf(`${this.work}/${name}`)) continue;
      this.#contents.set(name, rows.map((row) => JSON.stringify(row) + "\n").join(""));
      this.#writeLines(name, { all: true });
    }
  }

  /**
   * Appends a line to metrics.jsonl, or to search.jsonl while widths are searched. A run can go on
   * where that fails: the end of the run writes the file anew.
   */
  append(metrics: EpochMetrics): void {
    const name = linesName(metrics);
    if (!metrics.search) this.#metrics.push(metrics);
    const line = JSON.stringify(metrics) + "\n";
    this.#contents.set(name, `${this.#contents.get(name) ?? ""}${line}`);
    // Half a line may be there.
    this.#writeLines(name, { line, all: this.#owed.has(name) });
  }

  #writeLines(name: string, { line = "", all }: { line?: string; all: boolean }): void {
    const file = `${this.work}/${name}`;
    try {
      if (all) Deno.writeTextFileSync(file, String(this.#contents.get(name)));
      else Deno.writeTextFileSync(file, line, { append: true });
      this.#done(name);
    } catch (error) {
      this.#failed(name, unwritable(file, error));
    }
  }

  #done(name: string): void {
    this.#owed.delete(name);
    this.#faults.worked(name);
  }

  #failed(name: string, { message }: Error): void {
    this.#owed.add(name);
    this.#faults.failed(name, message);
  }

  /**
   * Writes a file so that it is there either whole or not at all. A run can go on where that fails:
   * its end writes the file anew.
   */
  async put(name: string, content: Content): Promise<void> {
    this.#contents.set(name, content);
    try {
      await writeWhole(`${this.work}/${name}`, bytesOf(content));
      this.#done(name);
    } catch (error) {
      this.#failed(name, error as UsageError);
    }
  }

  /** Writes files, else all of the run to another folder, and raises a {@link UsageError}. */
  async #save(files: ReadonlyMap<string, Content>): Promise<void> {
    for (const [name, content] of files) this.#contents.set(name, content);
    try {
      for (const [name, content] of files) {
        await writeWhole(`${this.work}/${name}`, bytesOf(content));
        this.#owed.delete(name);
      }
    } catch (error) {
      const { message } = error as UsageError;
      throw new UsageError(`${message}; ${await this.#rescue()}`, { cause: error });
    }
  }

  /** Writes all of the run to a temporary folder; says what is kept. */
  async #rescue(): Promise<string> {
    this.rescued = await rescue(this.work, {
      contents: new Map([...this.#contents].map(([name, content]) => [name, bytesOf(content)])),
      checkpoints: this.keeper.owed,
    });
    return this.kept();
  }

  /**
   * Waits until the last checkpoint is kept; where it could not be, keeps all of the run in another
   * folder, and gives whether it did.
   */
  async settle(): Promise<boolean> {
    await this.keeper.settled();
    const { owed } = this.keeper;
    if (this.begun && this.rescued === undefined && owed.has(LAST)) await this.#rescue();
    return this.rescued !== undefined;
  }

  /** Sizes of the files of the run, in bytes; that of all checkpoints as one. */
  async sizes(): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for (const name of runFilesIn(this.folder)) {
      const found = await Deno.stat(`${this.folder}/${name}`).catch(() => undefined);
      if (found) sizes.set(name, found.size);
    }
    // Of a file with two names, once.
    const checkpoints = new Map<unknown, number>();
    for (const name of ownCheckpoints(this.folder)) {
      const { ino, size } = await Deno.stat(`${this.folder}/${name}`);
      checkpoints.set(ino ?? name, size);
    }
    if (checkpoints.size) {
      sizes.set(CHECKPOINTS, [...checkpoints.values()].reduce((sum, size) => sum + size));
    }
    const events = await Deno.stat(`${this.folder}/${EVENTS_FILE}`).catch(() => undefined);
    if (events) sizes.set(EVENTS_FOLDER, events.size);
    return sizes;
  }

  /** Writes the results; summary.json comes last, so that where it is, all is. */
  async finish(files: ReadonlyMap<string, Content>, summary: Summary): Promise<void> {
    const before = [...this.#contents];
    const lines = before.filter(([name]) => name.endsWith(".jsonl"));
    const owed = before.filter(([name]) => this.#owed.has(name));
    const last: [string, Content] = ["summary.json", json(summary)];
    await this.keeper.settled();
    // That of a run that goes on after its end is not true of the files that are to come.
    await Deno.remove(`${this.work}/summary.json`).catch(() => {});
    await this.#save(new Map([...lines, ...files, ...owed, last]));
    this.publish();
  }

  /** Ends a run that has no more to write than what it has put. */
  async end(): Promise<void> {
    await this.keeper.settled();
    await this.#save(new Map([...this.#contents].filter(([name]) => this.#owed.has(name))));
    this.publish();
  }

  /** Ends the run: puts its files in the place of those of an earlier one. */
  publish(): void {
    const path = this.folder;
    if (this.work === path) return this[Symbol.dispose]();
    // Windows does not rename what is held.
    if (Deno.build.os === "windows") this[Symbol.dispose]();
    try {
      replaceRun(path);
    } catch (error) {
      const { message } = unwritable(path, error);
      const work = isReplacing(path) ? `${path}/${REPLACING}` : this.work;
      throw new UsageError(`${message}; the new run is in ${work}`, { cause: error });
    } finally {
      this[Symbol.dispose]();
    }
    this.work = path;
  }
}
