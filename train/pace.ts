/** Says after which steps to wait for the GPU: about once a second, rarely enough to cost nothing. */
export class Pace {
  readonly #most: number;
  readonly #now: () => number;
  #every = 1;
  #steps = 0;
  #since: number;

  /** At most `most` steps go between two waits; `now` is a clock in milliseconds. */
  constructor({ most = Infinity, now = () => performance.now() }: {
    readonly most?: number;
    readonly now?: () => number;
  } = {}) {
    this.#most = most;
    this.#now = now;
    this.#since = now();
  }

  /** Starts the clock for the steps that follow, and keeps their number. */
  start(): void {
    this.#steps = 0;
    this.#since = this.#now();
  }

  /** Whether to wait after this step. */
  due(): boolean {
    return ++this.#steps >= this.#every;
  }

  /** Takes note of a wait that has ended. */
  waited(): void {
    const seconds = (this.#now() - this.#since) / 1000;
    const perSecond = Math.round(this.#steps / Math.max(seconds, 1e-3));
    this.#every = Math.min(this.#most, Math.max(1, perSecond));
    this.start();
  }
}
