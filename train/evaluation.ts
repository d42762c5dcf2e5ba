import type { Batch, Batches } from "../data/batch.ts";
import { countCorrect } from "../kernels/ops/counters.ts";
import type { Program } from "../kernels/program/program.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { type ByNetwork, entriesOf, type Which } from "../nn/which.ts";
import { StoppedError } from "./errors.ts";
import { Counters, demandClasses } from "./score_counters.ts";
import type { Gates } from "./gates.ts";
import { type Feed, Images } from "./image_feed.ts";
import type { ImageWork } from "./image_work.ts";
import { applying, type Weights } from "./learner.ts";
import { type Logits, logitsOf, type Objective } from "./objective.ts";
import type { Predictions } from "./predictions.ts";
import type { Score } from "./types.ts";

/** Where the predictions of an evaluation go. */
export interface Predicting {
  /** They are added to these. */
  readonly to: ByNetwork<Predictions>;
  /** Readings of logits, one a batch, that may be under way while further batches are computed. */
  readonly ahead: number;
}

/** Evaluation of what an objective trains, traced once. */
export class Evaluation {
  /** What is replayed for each batch. */
  readonly program: Program;
  readonly #scope: Scope;
  readonly #images: Images;
  readonly #counters: Counters;
  readonly #logits: Logits;

  private constructor(parts: {
    scope: Scope;
    program: Program;
    images: Images;
    counters: Counters;
    logits: Logits;
  }) {
    this.program = parts.program;
    this.#scope = parts.scope;
    this.#images = parts.images;
    this.#counters = parts.counters;
    this.#logits = parts.logits;
  }

  /**
   * Traces an evaluation on the running statistics; that of a search is of the chosen widths.
   * Raises a `TypeError` for a network with more or fewer outputs than there are classes.
   */
  static async trace(
    scope: Scope,
    { objective, weights, feed, gates }: {
      objective: Objective;
      weights: Weights;
      feed: Feed;
      gates?: Gates;
    },
  ): Promise<Evaluation> {
    demandClasses(objective, feed.dataset);
    const images = new Images(scope, feed);
    const counters = new Counters(scope, objective);
    const logits: Logits = {};
    const program = await scope.trace("evaluation", (trace) => {
      const image = images.record(trace, feed.normalization);
      const apply = applying(trace);
      const running = { apply, parameter: weights.tensor, training: false };
      const found = logitsOf(objective, image, running, gates?.chosen);
      for (const [which, of] of entriesOf(found)) {
        const counted = counters.tensors[which];
        if (!counted) continue;
        apply(countCorrect, [of, images.labels, counted], {});
        logits[which] = trace.keep(of);
      }
    });
    return new Evaluation({ scope, program, images, counters, logits });
  }

  /** What it has on the GPU besides program and weights: batch, counters, logits. */
  get tensors(): Tensor[] {
    return [...this.#images.tensors, ...this.#counters.list, ...Object.values(this.#logits)];
  }

  /**
   * Accuracy and loss over batches. `work` is told how far they are, and waits for some of them;
   * `predicting` says where predictions go. Where `stopped` says so after a batch, a
   * {@link StoppedError} is raised.
   * Raises errors for batches as {@link TrainingStep.run} does, which may be filled in part, and a
   * `TypeError` for none.
   */
  async scores(
    batches: Batches,
    work?: ImageWork,
    predicting?: Predicting,
    stopped: () => boolean = () => false,
  ): Promise<ByNetwork<Score>> {
    this.#counters.clear();
    const reading: Promise<void>[] = [];
    let sent = 0;
    for await (const batch of batches) {
      sent++;
      this.#images.send(batch);
      this.program.replay();
      if (predicting) {
        const { to, ahead } = predicting;
        await Promise.all(reading.splice(0, reading.length - ahead + 1));
        const found = this.#predict(batch, to);
        // An error is raised where it is waited for, if it still is.
        found.catch(() => {});
        reading.push(found);
      }
      if (!work?.sent(batch.count)) continue;
      await this.#scope.gpu.idle();
      work.waited();
      if (stopped()) throw new StoppedError("Stopped while measuring images");
    }
    if (sent === 0) throw new TypeError("Cannot score no images: wanted batches, found none");
    await Promise.all(reading);
    const scores = this.#counters.scores(await this.#scope.gpu.read(this.#counters.list));
    work?.ended();
    return scores;
  }

  /** Adds the logits of the batch that was sent last, when they have been computed. */
  async #predict({ count, labels, places }: Batch, to: Predicting["to"]): Promise<void> {
    // The next batch is written into the same arrays.
    const of = { count, labels: labels.slice(), places: places?.slice() };
    const found = await this.read();
    for (const [which, logits] of entriesOf(found)) to[which]?.add(of, logits);
  }

  /** Logits of the batch that was sent last, `[batch, classes]`, row-major, of each network. */
  async read(): Promise<ByNetwork<Float32Array>> {
    const logits = entriesOf(this.#logits);
    const found = await this.#scope.gpu.read(logits.map(([, tensor]) => tensor));
    return Object.fromEntries(logits.map(([which], i) => [which, Float32Array.from(found[i])]));
  }

  /** Logits of one batch, `[batch, classes]`, row-major, of each network. */
  async allLogits(batch: Batch): Promise<ByNetwork<Float32Array>> {
    this.#images.send(batch);
    this.program.replay();
    return await this.read();
  }

  /** Those of one of the networks. */
  async logits(batch: Batch, which: Which): Promise<Float32Array> {
    const tensor = this.#logits[which];
    if (!tensor) throw new TypeError(`Cannot read the logits of ${which}: it is not evaluated`);
    this.#images.send(batch);
    this.program.replay();
    return Float32Array.from((await this.#scope.gpu.read([tensor]))[0]);
  }
}
