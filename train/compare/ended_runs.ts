import { type Checkpoint, parseCheckpoint } from "../../export/checkpoint.ts";
import type { Which } from "../types.ts";
import type { EarlierRuns, EndedRun, Outcome } from "./comparison.ts";

/** A trained network out of the files of a run. */
export function networkOf({ files }: Pick<EndedRun, "files">, which: Which): Checkpoint {
  const bytes = files.get(`${which}.safetensors`);
  if (!bytes) throw new TypeError(`Cannot compare: the run saved no ${which} network`);
  return parseCheckpoint(bytes, `${which}.safetensors`);
}

/** A row of a table with one seed. */
type Of = Pick<Outcome, "method" | "which" | "seed">;

/** What a comparison knows of its runs that have ended. */
export class EndedRuns {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #read: EarlierRuns["read"];
  /** The network that was last needed, by run and name. */
  #network?: readonly [string, Checkpoint];

  constructor({ outcomes, read }: Pick<EarlierRuns, "outcomes" | "read">) {
    this.#read = read;
    for (const outcome of outcomes) this.add(outcome);
  }

  static #key({ method, which, seed }: Of): string {
    return `${seed} ${method} ${which}`;
  }

  /** An outcome; nothing where it is not known in full. */
  outcome(of: Of): Outcome | undefined {
    const found = this.#outcomes.get(EndedRuns.#key(of));
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

  /** A network of a run; nothing where it has to be trained again. */
  async network(folder: string, which: Which): Promise<Checkpoint | undefined> {
    const key = `${folder}/${which}`;
    if (this.#network?.[0] === key) return this.#network[1];
    const run = await this.#read(folder);
    if (run) this.keep(folder, which, networkOf(run, which));
    return this.#network?.[0] === key ? this.#network[1] : undefined;
  }

  /** Keeps a network of a run for those after it. */
  keep(folder: string, which: Which, network: Checkpoint): void {
    this.#network = [`${folder}/${which}`, network];
  }
}
