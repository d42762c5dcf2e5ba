/** Kinds of work of a run that take time. */
export type Stage = "training" | "validation" | "verification";

/** Work of one kind. */
export interface Workload {
  readonly stage: Stage;
  /** Images that go through the networks; one counts each time. */
  readonly images: number;
  /** Multiply-accumulates for each of them. */
  readonly macs: number;
}

/** Work that has begun. */
interface Begun extends Workload {
  left: number;
  /** Images whose time is known, and their seconds. */
  timed: number;
  seconds: number;
}

/**
 * Estimates how long a run still takes. What has been timed goes on at its pace; what has not goes
 * at that of the last work of its kind or, before there is any, of the last work at all, in
 * proportion to its multiply-accumulates.
 */
export class Estimate {
  /** Work that follows the current run, as far as it is known. */
  later: readonly Workload[] = [];
  #works: Begun[] = [];
  /** Seconds for a multiply-accumulate, by kind; that of the last work comes last. */
  readonly #paces = new Map<Stage, number>();

  /** Begins a run with this work. Paces are kept from the run before. */
  start(works: readonly Workload[]): void {
    this.#works = works.map((work) => ({ ...work, left: work.images, timed: 0, seconds: 0 }));
  }

  /** Takes note of images that were gone through; without `seconds` their time tells nothing. */
  did(stage: Stage, images: number, seconds?: number): void {
    const work = this.#works.find((work) => work.stage === stage);
    if (!work) return;
    work.left = Math.max(0, work.left - images);
    if (seconds === undefined) return;
    work.timed += images;
    work.seconds += seconds;
    if (work.timed === 0) return;
    this.#paces.delete(stage);
    this.#paces.set(stage, work.seconds / work.timed / work.macs);
  }

  #pace(stage: Stage): number {
    return this.#paces.get(stage) ?? [...this.#paces.values()].at(-1) ?? NaN;
  }

  /** Seconds that are left; NaN before anything has been timed. */
  get seconds(): number {
    const works = [
      ...this.#works.map(({ stage, left, timed, seconds, macs }) =>
        left * (timed ? seconds / timed : macs * this.#pace(stage))
      ),
      ...this.later.map(({ stage, images, macs }) => images * macs * this.#pace(stage)),
    ];
    return works.reduce((sum, seconds) => sum + seconds, 0);
  }
}
