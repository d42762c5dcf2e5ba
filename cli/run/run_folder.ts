import { printable } from "../../data/printable.ts";
import { listed } from "../../data/words.ts";
import { UsageError } from "../../train/errors.ts";
import { hold, isHeld } from "./held_file.ts";
import { type FolderRequest, takeFolder, unusable } from "./output_folder.ts";
import { runConfig } from "./run_config.ts";
import {
  emptyRun,
  finishReplacing,
  isReplacing,
  OWN_FILES,
  present,
  replaceRun,
  REPLACING,
  RUN_FILES,
  statOf,
  UNFINISHED,
} from "./replacing.ts";
import { plural } from "../../data/words.ts";
import type { EpochMetrics, Summary, TrainOptions } from "../../train/types.ts";
import { unwritable } from "./unwritable.ts";
import { syncFile, writeWhole } from "./whole_file.ts";

type Content = Uint8Array | string;

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

function bytesOf(content: Content): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** Raises a {@link UsageError} for a folder in which something is in the way of a run. */
function checkPlace(path: string): void {
  for (const name of [UNFINISHED, REPLACING]) {
    const info = statOf(`${path}/${name}`);
    if (!info || info.isDirectory) continue;
    const what = info.isSymlink ? "a link" : "a file";
    const cure = "remove it, or choose another --output";
    throw unusable(path, `runs need the name ${name} in it for a folder, found ${what}`, cure);
  }
  for (const name of present(path, OWN_FILES)) {
    if (!statOf(`${path}/${name}`)?.isDirectory) continue;
    throw unusable(path, `a folder is in the place of the file ${name}`);
  }
}

/** Raises a {@link UsageError} for a folder that another process writes a run to. */
function refuseHeld(path: string): void {
  for (const folder of [path, `${path}/${UNFINISHED}`, `${path}/${REPLACING}`]) {
    if (!isHeld(`${folder}/config.json`)) continue;
    const cure = "wait for its end, or choose another --output";
    throw unusable(path, "another run is writing to it", cure);
  }
}

/** Ends what an earlier run had begun, and empties the folders that a run needs to replace another. */
function prepare(path: string): void {
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

/** The files of one run. */
export class RunFolder {
  readonly #request: FolderRequest;
  readonly #metrics: EpochMetrics[] = [];
  /** All that was to be written, by name. */
  readonly #contents = new Map<string, Content>();
  #path: string;
  #work: string;
  #started = false;
  /** config.json, held as long as this run writes. */
  #held?: Disposable;

  /** Writes nothing yet. With `overwrite` the files of an earlier run will be replaced at the end. */
  constructor(output: string, request: FolderRequest) {
    this.#path = output;
    this.#work = output;
    this.#request = request;
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

  /** What was appended. */
  get metrics(): readonly EpochMetrics[] {
    return this.#metrics;
  }

  /** What there is on disk so far, in words. */
  kept(): string {
    if (!this.#started) return "nothing was written";
    let names: string[];
    try {
      names = present(this.#work, RUN_FILES);
    } catch {
      return `nothing is left of it in ${this.#work}`;
    }
    const words = names.map((name) => {
      const lines = String(this.#contents.get(name) ?? "").split("\n").length - 1;
      return name.endsWith(".jsonl") ? `${name} with ${plural(lines, "epoch")}` : name;
    });
    const weights = names.some((name) => name.endsWith(".safetensors")) ? "" : ", but no weights";
    const before = this.#work === this.#path ? "" : `; the run before is still in ${this.#path}`;
    return `${this.#work} keeps ${listed(words)}${weights}${before}`;
  }

  /**
   * Makes the folder and writes config.json. Raises a {@link UsageError} where another run has not
   * ended yet.
   */
  start(options: TrainOptions | Readonly<Record<string, unknown>>): void {
    this.#path = takeFolder(this.#path, this.#request);
    const path = this.#path;
    checkPlace(path);
    refuseHeld(path);
    if (this.#request.overwrite) prepare(path);
    const replaces = present(path, OWN_FILES).length > 0;
    this.#work = this.#request.overwrite && replaces ? `${path}/${UNFINISHED}` : path;
    const config = runConfig(options, { output: path });
    const file = `${this.#work}/config.json`;
    try {
      Deno.mkdirSync(this.#work, { recursive: true });
      Deno.writeTextFileSync(file, config, { createNew: true });
      syncFile(file);
      this.#held = hold(file);
    } catch (error) {
      throw unwritable(file, error);
    }
    this.#contents.set("config.json", config);
    this.#started = true;
  }

  /**
   * Appends a line to metrics.jsonl, or to search.jsonl while widths are searched. A run can go on
   * where that fails: what is wrong is given back, and the end of the run writes the file anew.
   */
  append(metrics: EpochMetrics): string | undefined {
    const name = metrics.search ? "search.jsonl" : "metrics.jsonl";
    if (!metrics.search) this.#metrics.push(metrics);
    const line = JSON.stringify(metrics) + "\n";
    this.#contents.set(name, `${this.#contents.get(name) ?? ""}${line}`);
    const file = `${this.#work}/${name}`;
    try {
      Deno.writeTextFileSync(file, line, { append: true });
    } catch (error) {
      return unwritable(file, error).message;
    }
  }

  /** Writes a file so that it is there either whole or not at all. */
  async write(name: string, content: Content): Promise<void> {
    await this.#save(new Map([[name, content]]));
  }

  async #save(files: ReadonlyMap<string, Content>): Promise<void> {
    for (const [name, content] of files) this.#contents.set(name, content);
    try {
      for (const [name, content] of files) {
        await writeWhole(`${this.#work}/${name}`, bytesOf(content));
      }
    } catch (error) {
      const { message } = error as UsageError;
      throw new UsageError(`${message}; ${await this.#rescue()}`, { cause: error });
    }
  }

  /** Writes all of the run to a temporary folder; says what is kept. */
  async #rescue(): Promise<string> {
    let folder: string | undefined;
    try {
      folder = await Deno.makeTempDir({ prefix: "adjoin-" });
      for (const [name, content] of this.#contents) {
        await writeWhole(`${folder}/${name}`, bytesOf(content));
      }
      return `all there is of the run is in ${folder}`;
    } catch {
      if (folder) await Deno.remove(folder, { recursive: true }).catch(() => {});
      return this.kept();
    }
  }

  /**
   * Writes a file that the run does not need at once. What is wrong is given back, and the end of the
   * run writes the file anew.
   */
  async put(name: string, content: Content): Promise<string | undefined> {
    this.#contents.set(name, content);
    try {
      await writeWhole(`${this.#work}/${name}`, bytesOf(content));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Sizes of the files of the run, in bytes. */
  async sizes(): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for (const name of RUN_FILES) {
      const found = await Deno.stat(`${this.#path}/${name}`).catch(() => undefined);
      if (found) sizes.set(name, found.size);
    }
    return sizes;
  }

  /** Writes the results; summary.json comes last, so that where it is, all is. */
  async finish(files: ReadonlyMap<string, Content>, summary: Summary): Promise<void> {
    const before = [...this.#contents];
    const lines = before.filter(([name]) => name.endsWith(".jsonl"));
    const pictures = before.filter(([name]) => name.endsWith(".png"));
    const last: [string, Content] = ["summary.json", json(summary)];
    await this.#save(new Map([...lines, ...files, ...pictures, last]));
    this.publish();
  }

  /** Ends the run: puts its files in the place of those of an earlier one. */
  publish(): void {
    const path = this.#path;
    if (this.#work === path) return this[Symbol.dispose]();
    // Windows does not rename what is held.
    if (Deno.build.os === "windows") this[Symbol.dispose]();
    try {
      replaceRun(path);
    } catch (error) {
      const { message } = unwritable(path, error);
      const work = isReplacing(path) ? `${path}/${REPLACING}` : this.#work;
      throw new UsageError(`${message}; the new run is in ${work}`, { cause: error });
    } finally {
      this[Symbol.dispose]();
    }
    this.#work = path;
  }
}
