import type { Estimate, Stage } from "./estimate.ts";
import { Pace } from "./pace.ts";
import type { Reporter, Work } from "./types.ts";

/** Tells how far work on the images of a data set has come, batch by batch. */
export class ImageWork {
  readonly #work: Omit<Work, "done" | "etaSeconds">;
  readonly #reporter: Pick<Reporter, "work">;
  readonly #estimate?: { readonly of: Estimate; readonly stage: Stage };
  readonly #pace: Pace;
  readonly #now: () => number;
  #sent = 0;
  #done = 0;
  #since: number;

  /**
   * Reports the start of the work. With an estimate of a run, the time that is left is that of the
   * whole run.
   */
  constructor({ work, reporter, estimate, now = () => performance.now(), pace }: {
    readonly work: Omit<Work, "done" | "unit" | "etaSeconds">;
    readonly reporter: Pick<Reporter, "work">;
    readonly estimate?: { readonly of: Estimate; readonly stage: Stage };
    /** A clock, in milliseconds. */
    readonly now?: () => number;
    /** When to wait; one that has seen such batches before knows it from the start. */
    readonly pace?: Pace;
  }) {
    this.#work = { ...work, unit: "images" };
    this.#reporter = reporter;
    this.#estimate = estimate;
    this.#now = now;
    this.#pace = pace ?? new Pace({ now });
    this.#pace.start();
    this.#since = now();
    this.#report();
  }

  #report(): void {
    const etaSeconds = this.#estimate?.of.seconds;
    this.#reporter.work({
      ...this.#work,
      done: this.#done,
      ...etaSeconds === undefined ? {} : { etaSeconds },
    });
  }

  /** Counts the images of a batch that has been sent. Says whether to wait for it. */
  sent(images: number): boolean {
    this.#sent += images;
    return this.#pace.due();
  }

  /** Reports that all images sent so far are done, after a wait. */
  waited(): void {
    this.#pace.waited();
    this.ended();
  }

  /** Reports that all images sent so far are done, at the end of the work. */
  ended(): void {
    if (this.#sent === this.#done) return;
    const now = this.#now();
    this.#estimate?.of.did(
      this.#estimate.stage,
      this.#sent - this.#done,
      (now - this.#since) / 1000,
    );
    this.#since = now;
    this.#done = this.#sent;
    this.#report();
  }
}
