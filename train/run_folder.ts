import { UsageError } from "./errors.ts";
import type { EpochMetrics, Summary, TrainOptions } from "./types.ts";
import { writeWhole } from "./whole_file.ts";

/** What a run leaves in its folder. */
const RUN_FILES = [
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

/** Whether there is something at a path that a run would get mixed up with. */
async function isTaken(path: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(path)) return true;
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotADirectory) return true;
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): UsageError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UsageError(
    `Cannot use ${path} as the run folder: ${reason}; choose another --output`,
  );
}

/**
 * The folder of a run. One that was named must be empty or not yet there, else a
 * {@link UsageError}; to one that was not, -2, -3 and so on is appended until it is free. With
 * `overwrite` it is taken as it is.
 */
export async function chooseFolder(
  output: string,
  { named, overwrite }: { readonly named: boolean; readonly overwrite: boolean },
): Promise<string> {
  if (overwrite || !await isTaken(output)) return output;
  if (named) {
    throw new UsageError(
      `Cannot use ${output} as the run folder: it is not empty; choose another --output or pass ` +
        `--overwrite`,
    );
  }
  let n = 2;
  while (await isTaken(`${output}-${n}`)) n++;
  return `${output}-${n}`;
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}

/** The files of one run. */
export class RunFolder {
  readonly path: string;
  readonly #overwrite: boolean;
  readonly #metrics: EpochMetrics[] = [];
  #started = false;

  /** Writes nothing yet. With `overwrite` the files of an earlier run will be replaced. */
  constructor(path: string, { overwrite }: { readonly overwrite: boolean }) {
    this.path = path;
    this.#overwrite = overwrite;
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
    const names = [...Deno.readDirSync(this.path)].map(({ name }) => name);
    const searched = names.includes("widths.json") ? ", widths.json" : "";
    const epochs = this.#metrics.length;
    return `${this.path} keeps config.json${searched} and metrics.jsonl with ${epochs} ` +
      `epoch${epochs === 1 ? "" : "s"}, but no weights`;
  }

  #clear(): void {
    const there = new Set([...Deno.readDirSync(this.path)].map(({ name }) => name));
    for (const name of [...RUN_FILES, ...EXPORTED]) {
      if (there.has(name)) Deno.removeSync(`${this.path}/${name}`);
    }
  }

  /** Makes the folder and writes config.json. */
  start(options: TrainOptions & { readonly search?: object }): void {
    try {
      Deno.mkdirSync(this.path, { recursive: true });
      if (this.#overwrite) this.#clear();
      Deno.writeTextFileSync(`${this.path}/config.json`, json(options), { createNew: true });
      this.#started = true;
    } catch (error) {
      throw unusable(this.path, error);
    }
  }

  /** Appends a line to metrics.jsonl, or to search.jsonl while widths are searched. */
  append(metrics: EpochMetrics): void {
    const file = metrics.search ? "search.jsonl" : "metrics.jsonl";
    if (!metrics.search) this.#metrics.push(metrics);
    const line = JSON.stringify(metrics) + "\n";
    Deno.writeTextFileSync(`${this.path}/${file}`, line, { append: true });
  }

  /** Writes a file so that it is there either whole or not at all. */
  async write(name: string, content: Uint8Array | string): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await writeWhole(`${this.path}/${name}`, bytes);
  }

  /** Sizes of the files of the run, in bytes. */
  async sizes(): Promise<Map<string, number>> {
    const sizes = new Map<string, number>();
    for (const name of RUN_FILES) {
      const found = await Deno.stat(`${this.path}/${name}`).catch(() => undefined);
      if (found) sizes.set(name, found.size);
    }
    return sizes;
  }

  /** Writes the results; summary.json comes last, so that where it is, all is. */
  async finish(
    files: ReadonlyMap<string, Uint8Array | string>,
    summary: Summary,
  ): Promise<void> {
    for (const [name, content] of files) await this.write(name, content);
    await this.write("summary.json", json(summary));
  }
}
