import { StoppedError } from "../../train/errors.ts";
import type { Work } from "../../train/types.ts";
import { EndedError, EXIT } from "../exit.ts";
import type { ProgressLine } from "../report/progress.ts";
import { onSignal } from "./interrupt.ts";

/** Why a run is to end. */
export interface Reason {
  readonly words: string;
  /** The exit code. */
  readonly code: number;
}

/**
 * Ends a run when a signal says so, or when its time is up. Between steps, training asks
 * {@link stopped}, saves and ends; there, a second signal ends the process at once. Elsewhere the
 * first does.
 */
export class Stopping implements Disposable {
  readonly #progress: ProgressLine;
  readonly #kept: () => string;
  readonly #settled: () => Promise<void>;
  readonly #printError: (text: string) => void;
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly #end: number;
  readonly #stopListening: () => void;
  /** Whether training asks after each step. */
  #stepping = false;
  #why?: Reason;
  /** The end of the process that a signal has begun. */
  #leaving?: Promise<void>;

  constructor(
    progress: ProgressLine,
    { kept, settled, printError, minutes = Infinity }: {
      /** What is there, in words. */
      readonly kept: () => string;
      /** Waits for what is being written, and writes what is to be seen of a run that has ended. */
      readonly settled: () => Promise<void>;
      readonly printError: (text: string) => void;
      /** How long the run may take. */
      readonly minutes?: number;
    },
  ) {
    this.#progress = progress;
    this.#kept = kept;
    this.#settled = settled;
    this.#printError = printError;
    this.#end = performance.now() + 60_000 * minutes;
    this.#stopListening = onSignal((signal) => this.#signalled(signal));
  }

  [Symbol.dispose](): void {
    this.#stopListening();
  }

  /** Why the run is to end; nothing where it is not. */
  get why(): Reason | undefined {
    return this.#why;
  }

  /** Whether to save and end, after a step. */
  stopped(): boolean {
    this.#stepping = true;
    if (!this.#why && performance.now() >= this.#end) {
      this.#why = { words: "time is up", code: EXIT.timeUp };
    }
    return this.#why !== undefined;
  }

  /**
   * Work without steps is done now. Raises a {@link StoppedError} where a signal came after the last
   * step; what is trained by the end of its time is worth being finished.
   */
  between(): void {
    this.#stepping = false;
    if (this.#why && this.#why.code !== EXIT.timeUp) {
      throw new StoppedError("Cannot go on: the run was told to end");
    }
  }

  /** Takes note of work: of a validation nothing, as training asks within it; else {@link between}. */
  during({ epoch }: Pick<Work, "epoch">): void {
    if (epoch === undefined) this.between();
  }

  /**
   * The error to raise for that of a run, once `settle` has kept what there is: an {@link EndedError}
   * where it was told to end. Where it was kept in another folder, `note` is told.
   */
  async endedBy(error: unknown, { settle, note }: {
    readonly settle: () => Promise<boolean>;
    readonly note: (text: string) => void;
  }): Promise<unknown> {
    await this.#leaving;
    const rescued = await settle();
    if (error instanceof StoppedError && this.#why) {
      const { words, code } = this.#why;
      return new EndedError(`${words}; ${this.#kept()}`, code);
    }
    if (rescued) note(this.#kept());
    return error;
  }

  #signalled(signal: Reason): void {
    const again = this.#why !== undefined && this.#why.code !== EXIT.timeUp;
    this.#why = signal;
    if (again) return this.#leave(signal);
    // A line on its own, also where one is being written over.
    this.#progress.end();
    if (!this.#stepping) {
      // What is being written takes less than a second signal.
      this.#leaving = this.#settled().then(() => this.#leave(signal));
      return;
    }
    this.#printError(
      `adjoin: ${signal.words}; saving after this step, once more leaves at once\n`,
    );
  }

  #leave({ words, code }: Reason): void {
    const found = this.#kept();
    this.#progress.end();
    this.#printError(`adjoin: ${words}; ${found}\n`);
    Deno.exit(code);
  }
}
