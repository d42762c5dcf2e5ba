import { joined } from "../data/safetensors.ts";
import type { ByNetwork } from "../nn/which.ts";
import type { EpochMetrics, Progress, Reporter, Work } from "../train/types.ts";
import { StoppedError } from "../train/errors.ts";
import type { Course } from "../train/resume/course.ts";
import { MemoryKeeper } from "../train/resume/keeper.ts";
import { encodeTrainingState, type TrainingState } from "../train/resume/training_state.ts";
import { EventQueue } from "./event_queue.ts";

/** What a run tells while it goes on, in the order in which it happens. */
export type RunEvent =
  /** Before the first step; of a search and of the training after it, one each. */
  | {
    readonly kind: "start";
    /** The GPU's own words for itself. */
    readonly adapter: string;
    /** What is trained, in words. */
    readonly what: string;
    /** Parameters and multiply-accumulates of the networks; of a search of the base network alone. */
    readonly costs: Readonly<ByNetwork<{ readonly params: number; readonly macs: number }>>;
  }
  /** Every few steps. */
  | ({ readonly kind: "progress" } & Progress)
  /** Work besides training: validation, verification and the like. */
  | ({ readonly kind: "work" } & Work)
  /** An epoch has ended. */
  | ({ readonly kind: "epoch" } & EpochMetrics)
  /** A remark, one sentence. */
  | { readonly kind: "note"; readonly text: string };

/** What a run is told to do with. */
export interface Driven {
  readonly reporter: Reporter;
  readonly course: Course;
}

/**
 * A training in progress. It begins at once, and waits for nobody.
 *
 * - Awaited, it gives its result, or rejects with what went wrong.
 * - Iterated over, it gives what each epoch came to, from the first on; {@link TrainingRun.events}
 *   gives all that happens in between as well. Leaving the loop stops the run.
 * - {@link TrainingRun.stop}, an aborted `signal`, and the end of a scope with `await using` stop it
 *   after the step that is being done. The GPU is then free, unless it was given.
 *
 * ```ts
 * import { generatedSplit, train } from "@adjoin/adjoin";
 *
 * const data = generatedSplit({ train: 32, validation: 16, size: 16, seed: 0 });
 * const run = train({ data, epochs: 2, batchSize: 16 });
 * for await (const event of run.events()) {
 *   if (event.kind === "progress") console.log(event.epoch, event.step, event.steps, event.loss);
 * }
 * const { networks } = await run;
 * console.log(networks.base.top1, networks.small.top1);
 * ```
 */
export class TrainingRun<Result>
  implements PromiseLike<Result>, AsyncIterable<EpochMetrics>, AsyncDisposable {
  readonly #done: Promise<Result>;
  readonly #epochs: EpochMetrics[] = [];
  readonly #hears = new Set<(event: RunEvent) => void>();
  readonly #keeper = new MemoryKeeper();
  readonly #from?: TrainingState;
  /** Why it is to stop. */
  #why?: { readonly reason: unknown };

  /** Begins `work` as soon as whoever called has said what is to be heard of it. */
  constructor(
    work: (driven: Driven) => Promise<Result>,
    { signal, from }: { readonly signal?: AbortSignal; readonly from?: TrainingState } = {},
  ) {
    this.#from = from;
    this.#done = this.#run(work, signal);
  }

  async #run(work: (driven: Driven) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const abort = (): void => {
      this.#why ??= { reason: signal?.reason };
    };
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    try {
      await undefined;
      this.#demandGoing();
      return await work({
        reporter: this.#reporter(),
        course: {
          keeper: this.#keeper,
          from: this.#from,
          stopped: () => this.#why !== undefined,
        },
      });
    } catch (error) {
      throw error instanceof StoppedError && this.#why ? this.#why.reason : error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Raises a {@link StoppedError} where the run is to stop, and no step is being done. */
  #demandGoing(): void {
    if (this.#why) throw new StoppedError("Cannot go on: the run was told to stop");
  }

  #reporter(): Reporter {
    const tell = (event: RunEvent): void => {
      for (const hear of this.#hears) hear(event);
    };
    return {
      start: ({ adapter, what, costs }) => {
        this.#demandGoing();
        tell({ kind: "start", adapter, what, costs });
      },
      progress: (progress) => tell({ kind: "progress", ...progress }),
      work: (work) => {
        // Within an epoch, training asks itself, and keeps where it is.
        if (work.epoch === undefined) this.#demandGoing();
        tell({ kind: "work", ...work });
      },
      epoch: (metrics) => {
        this.#epochs.push(metrics);
        tell({ kind: "epoch", ...metrics });
      },
      note: (text) => tell({ kind: "note", text }),
    };
  }

  /** Resolves with the result, as a promise does. */
  then<A = Result, B = never>(
    fulfilled?: ((result: Result) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#done.then(fulfilled, rejected);
  }

  /** Fills a queue with what is `picked` out of what happens, until the run ends. */
  #fill<T>(queue: EventQueue<T>, picked: (event: RunEvent) => T | undefined): EventQueue<T> {
    const hear = (event: RunEvent): void => {
      const found = picked(event);
      if (found !== undefined) queue.push(found);
    };
    this.#hears.add(hear);
    this.#done.then(() => queue.end(), (raised) => queue.end({ raised }))
      .finally(() => this.#hears.delete(hear));
    return queue;
  }

  /**
   * All that happens from now on. What is not read in time is kept; of steps, only where they are by
   * then. Raises what the run rejects with; leaving the loop stops the run.
   */
  events(): AsyncIterableIterator<RunEvent, void, void> {
    const queue = new EventQueue<RunEvent>({
      isOutdated: (kept, by) => kept.kind === "progress" && by.kind === "progress",
      left: () => this.stop(),
    });
    return this.#fill(queue, (event) => event);
  }

  /**
   * What each epoch came to, from the first on; one that is trained again, after values that are no
   * numbers, comes again. Raises what the run rejects with; leaving the loop stops the run.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<EpochMetrics, void, void> {
    const queue = new EventQueue({ first: this.#epochs, left: () => this.stop() });
    return this.#fill(queue, (event) => {
      if (event.kind !== "epoch") return;
      const { kind: _, ...metrics } = event;
      return metrics;
    });
  }

  /**
   * Stops after the step that is being done, and waits until the run has ended. It then rejects with a
   * {@link StoppedError}, unless it was at its end.
   */
  async stop(): Promise<void> {
    this.#why ??= { reason: new StoppedError("Stopped, as the run was told to") };
    await this.#done.catch(() => {});
  }

  /** {@link TrainingRun.stop}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * The bytes of a safetensors file from which a run goes on where this one was last saved: at its
   * beginning, at the end of each epoch, where it was stopped, and as `checkpointSteps` and
   * `checkpointMinutes` say. Nothing before its beginning. To be given as `from`.
   */
  async checkpoint(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const state = await this.#keeper.last() ?? this.#from;
    if (!state) return undefined;
    return joined(encodeTrainingState(state));
  }
}
