import { median } from "../data/median.ts";

/** Work on a device that can be submitted again and again. */
export interface Job {
  /** Submits the work once; waits for nothing. */
  submit(): void;
  /** Waits until all that was submitted is done. */
  settle(): Promise<void>;
  /** As {@link settle}, on a device that has nothing to do. */
  emptyWait(): Promise<void>;
}

/** Milliseconds of work between two waits that make the wait's own variation small. */
const ENOUGH = 200;

/** Milliseconds that something takes. */
export async function elapsed(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Milliseconds that a wait takes without work: it sleeps, whatever there is to do. */
export async function waitTime(job: Pick<Job, "emptyWait">): Promise<number> {
  const waits: number[] = [];
  for (let i = 0; i < 3; i++) waits.push(await elapsed(() => job.emptyWait()));
  return median(waits);
}

/** Milliseconds of one run out of `count` between two waits; an empty wait's are taken off. */
export async function time(job: Job, count: number): Promise<number> {
  const wait = await waitTime(job);
  const all = await elapsed(() => {
    for (let i = 0; i < count; i++) job.submit();
    return job.settle();
  });
  return Math.max(0, all - wait) / count;
}

/**
 * How many runs between two waits make for enough work, at most `most`. Runs the work at least
 * once, so that it is warm afterwards.
 */
export async function calibrate(job: Job, most = 2048): Promise<number> {
  let count = 1;
  while (true) {
    const found = await time(job, count) * count;
    if (found >= ENOUGH / 2 || count >= most) return count;
    count = Math.min(most, Math.ceil(count * Math.min(16, ENOUGH / Math.max(found, 1))));
  }
}

/** Runs work twice, to make it warm. Gives how many runs make for enough work, at most `most`. */
export async function warm(job: Job, most: number): Promise<number> {
  job.submit();
  await job.settle();
  return Math.min(most, Math.ceil(ENOUGH / Math.max(await time(job, 1), ENOUGH / most)));
}

/**
 * Milliseconds of work before the first measurement: as long as an operating system may take to
 * spread the threads of a software adapter over the cores.
 */
const WARM_UP = 1000;

/** The median of `repeats` measurements, in milliseconds, after a second of work that does not count. */
export async function measure(job: Job, repeats: number): Promise<number> {
  job.submit();
  await job.settle();
  const count = await calibrate(job);
  const start = performance.now();
  while (performance.now() - start < WARM_UP) await time(job, count);
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) times.push(await time(job, count));
  return median(times);
}
