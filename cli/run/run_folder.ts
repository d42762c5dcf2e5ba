import { listed } from "../../data/words.ts";
import { UsageError } from "../../train/errors.ts";
import { hold, isHeld } from "./held_file.ts";
import { type FolderRequest, takeFolder, unusable } from "./output_folder.ts";
import { runConfig } from "./run_config.ts";
import { plural } from "../text.ts";
import type { EpochMetrics, Summary, TrainOptions } from "../../train/types.ts";
import { unwritable } from "./unwritable.ts";
import { writeWhole } from "./whole_file.ts";

/** What a run leaves in its folder. */
export const RUN_FILES = [
  "config.json",
  "search.jsonl",
  "widths.json",
  "widths.svg",
  "metrics.jsonl",
  "base.safetensors",
  "small.safetensors",
  "curves.svg",
  "summary.json",
] as const;

/** What `export` puts beside them. */
const EXPORTED = [
  "base.onnx",
  "small.onnx",
  "base.torch.safetensors",
  "small.torch.safetensors",
] as const;

/** Where a run writes while the one that it will replace is still there. */
const UNFINISHED = "unfinished";

type Content = Uint8Array | string;

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

function bytesOf(content: Content): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** Those of the names that are in a folder, in their order. */
function present(folder: string, names: readonly string[]): string[] {
  const there = new Set([...Deno.readDirSync(folder)].map(({ name }) => name));
  return names.filter((name) => there.has(name));
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
    const replaces = present(this.#path, [...RUN_FILES, ...EXPORTED]).length > 0;
    this.#work = this.#request.overwrite && replaces ? `${this.#path}/${UNFINISHED}` : this.#path;
    for (const folder of new Set([this.#path, this.#work])) {
      if (!isHeld(`${folder}/config.json`)) continue;
      throw unusable(
        this.#path,
        "another run is writing to it",
        "wait for its end, or choose another --output",
      );
    }
    const config = runConfig(options, { output: this.#path });
    const file = `${this.#work}/config.json`;
    try {
      Deno.mkdirSync(this.#work, { recursive: true });
      if (this.#work !== this.#path) {
        for (const name of present(this.#work, RUN_FILES)) Deno.removeSync(`${this.#work}/${name}`);
      }
      Deno.writeTextFileSync(file, config, { createNew: true });
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
    const lines = [...this.#contents].filter(([name]) => name.endsWith(".jsonl"));
    await this.#save(new Map([...lines, ...files, ["summary.json", json(summary)]]));
    this.publish();
  }

  /** Ends the run: puts its files in the place of those of an earlier one. */
  publish(): void {
    this[Symbol.dispose]();
    const [path, work] = [this.#path, this.#work];
    if (work === path) return;
    try {
      const fresh = present(work, RUN_FILES);
      const old = present(path, [...RUN_FILES, ...EXPORTED]);
      // Without summary.json while neither run is whole.
      const gone = old.filter((name) => name === "summary.json" || !fresh.includes(name));
      for (const name of gone) Deno.removeSync(`${path}/${name}`);
      for (const name of fresh) Deno.renameSync(`${work}/${name}`, `${path}/${name}`);
    } catch (error) {
      const { message } = unwritable(path, error);
      throw new UsageError(`${message}; the new run is in ${work}`, { cause: error });
    }
    this.#work = path;
    // Stays where there is something else in it.
    try {
      Deno.removeSync(work);
    } catch { /* empty */ }
  }
}
