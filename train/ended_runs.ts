import { type Checkpoint, parseCheckpoint } from "../export/checkpoint.ts";
import type { EarlierRuns, EndedRun, Method, Outcome } from "./compared_runs.ts";
import type { Which } from "./types.ts";

/** A trained network out of the files of a run. */
export function networkOf({ files }: Pick<EndedRun, "files">, which: Which): Checkpoint {
  const bytes = files.get(`${which}.safetensors`);
  if (!bytes) throw new TypeError(`Cannot compare: the run saved no ${which} network`);
  return parseCheckpoint(bytes, `${which}.safetensors`);
}

/** What a comparison knows of its runs that have ended. */
export class EndedRuns {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #read: EarlierRuns["read"];
  /** The base network trained alone that was last needed, by the folder of its run. */
  #base?: readonly [string, Checkpoint];

  constructor({ outcomes, read }: Pick<EarlierRuns, "outcomes" | "read">) {
    this.#read = read;
    for (const outcome of outcomes) this.add(outcome);
  }

  static #key({ method, seed }: Pick<Outcome, "method" | "seed">): string {
    return `${seed} ${method}`;
  }

  /** The outcome of a method with a seed; nothing where it is not known in full. */
  outcome(method: Method, seed: number): Outcome | undefined {
    const found = this.#outcomes.get(EndedRuns.#key({ method, seed }));
    return found && found.latency > 0 ? found : undefined;
  }

  /** Takes note of an outcome. */
  add(outcome: Outcome): void {
    this.#outcomes.set(EndedRuns.#key(outcome), outcome);
  }

  /** What is left of a run; nothing where it has to be trained again. */
  read(folder: string): Promise<EndedRun | undefined> {
    return this.#read(folder);
  }

  /** The base network of a run; nothing where it has to be trained again. */
  async base(folder: string): Promise<Checkpoint | undefined> {
    if (this.#base?.[0] === folder) return this.#base[1];
    const run = await this.#read(folder);
    if (run) this.keepBase(folder, networkOf(run, "base"));
    return this.#base?.[0] === folder ? this.#base[1] : undefined;
  }

  /** Keeps the base network of a run for those after it. */
  keepBase(folder: string, base: Checkpoint): void {
    this.#base = [folder, base];
  }
}
