import type { Which } from "../types.ts";
import type { TrainingState } from "./training_state.ts";

/** The names that a state is kept under besides `last`. */
export interface KeptAs {
  /** The networks that have never been better on the validation images. */
  readonly best: readonly Which[];
}

/** Keeps the checkpoints of a run. */
export interface Keeper {
  /**
   * Keeps a state as the last one, and under more names. Returns as soon as training may go on; does
   * not reject where a state cannot be kept: then the last one stays what it was.
   */
  save(state: TrainingState, as?: KeptAs): Promise<void>;
  /** Waits until all that was to be kept is, or has failed. */
  settled(): Promise<void>;
  /** The last state that was kept. */
  last(): Promise<TrainingState | undefined>;
  /** The state in which a network was best. */
  best(which: Which): Promise<TrainingState | undefined>;
  /** Where the last state is, in words for a message; nothing before there is one. */
  where(): string | undefined;
}

/** Keeps checkpoints in memory, as long as the program runs. */
export class MemoryKeeper implements Keeper {
  readonly #kept = new Map<Which | "last", TrainingState>();

  save(state: TrainingState, { best }: KeptAs = { best: [] }): Promise<void> {
    for (const name of ["last", ...best] as const) this.#kept.set(name, state);
    return Promise.resolve();
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  last(): Promise<TrainingState | undefined> {
    return Promise.resolve(this.#kept.get("last"));
  }

  best(which: Which): Promise<TrainingState | undefined> {
    return Promise.resolve(this.#kept.get(which));
  }

  where(): string | undefined {
    return this.#kept.has("last") ? "memory" : undefined;
  }
}
