/** Kinds of work of a run that take time. */
export type Stage = "training" | "validation" | "verification";

/** Work of one kind. */
export interface Workload {
  readonly stage: Stage;
  /** Images that go through the networks; one counts each time. */
  readonly images: number;
  /** Multiply-accumulates for each of them. */
  readonly macs: number;
  /** The name of the run that it is of, where there are several. */
  readonly of?: string;
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
 * at that of a run of the same name, else of the last work of its kind or, before there is any, of
 * the last work at all, in proportion to its multiply-accumulates.
 */
export class Estimate {
  /** Work that follows the current run, as far as it is known. */
  later: readonly Workload[] = [];
  /** The name of the current run, where there are several. */
  of?: string;
  #works: Begun[] = [];
  /** Seconds for a multiply-accumulate, by kind; that of the last work comes last. */
  readonly #paces = new Map<Stage, number>();
  /** Likewise, by kind and name of the run. */
  readonly #named = new Map<string, number>();

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
    const pace = work.seconds / work.timed / work.macs;
    this.#paces.set(stage, pace);
    if (this.of !== undefined) this.#named.set(`${this.of} ${stage}`, pace);
  }

  #pace(stage: Stage, of = this.of): number {
    return this.#named.get(`${of} ${stage}`) ?? this.#paces.get(stage) ??
      [...this.#paces.values()].at(-1) ?? NaN;
  }

  /** Seconds that are left; NaN before anything has been timed. */
  get seconds(): number {
    const works = [
      ...this.#works.map(({ stage, left, timed, seconds, macs }) =>
        left * (timed ? seconds / timed : macs * this.#pace(stage))
      ),
      ...this.later.map(({ stage, images, macs, of }) => images * macs * this.#pace(stage, of)),
    ];
    return works.reduce((sum, seconds) => sum + seconds, 0);
  }
}
