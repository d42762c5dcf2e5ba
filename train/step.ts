import type { Batch } from "../data/batch.ts";
import { checkNumber } from "../data/number_check.ts";
import type { Normalization } from "../data/dataset.ts";
import { accumulate, countCorrect } from "../kernels/ops/counters.ts";
import type { Program } from "../kernels/program/program.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { runNetwork } from "../nn/forward.ts";
import { Tape } from "../nn/tape.ts";
import type { Which } from "../nn/which.ts";
import { Counters, demandClasses } from "./score_counters.ts";
import type { Gates } from "./gates.ts";
import { type Feed, Images } from "./image_feed.ts";
import { applying, type Learner, type Weights } from "./learner.ts";
import { logitsOf, lossOf, type Objective } from "./objective.ts";
import type { Score } from "./types.ts";

/** What training has come to since the last {@link TrainingStep.reset}. */
export interface TrainingMeans {
  /** Mean over the steps of what the weights minimise; a search adds its cost for the widths. */
  readonly loss: number;
  /** Mean cross entropy of the base network, or of the only one. */
  readonly crossEntropy: number;
  /** Mean divergence of the networks, before lambda; 0 in mode `plain`. */
  readonly kl: number;
  /** Over the training images of those steps, as they were augmented. */
  readonly scores: Partial<Record<Which, Score>>;
}

/** A distillation's teacher: its weights, and how the images it was trained on were normalised. */
export interface Teacher {
  /** Parameters and running statistics, which stay as they are. */
  readonly weights: Weights;
  /** The normalisation saved with them. */
  readonly normalization: Normalization;
}

/** Raises errors for weights of classes that are none. */
function checkClassWeights(
  weights: readonly number[] | undefined,
  { length }: readonly string[],
): void {
  if (!weights) return;
  const action = "trace a training step";
  if (weights.length !== length) {
    throw new TypeError(
      `Cannot ${action}: wanted a weight for each of ${length} classes, found ${weights.length}`,
    );
  }
  for (const weight of weights) checkNumber(action, "the weight of a class", weight, { from: 0 });
}

/** One training step, traced once: augment, forward, loss, backward, update, count. */
export class TrainingStep {
  /** What is replayed for each batch. */
  readonly program: Program;
  readonly #scope: Scope;
  readonly #images: Images;
  readonly #learner: Learner;
  readonly #gates?: Gates;
  readonly #classWeights?: Tensor;
  readonly #lambda: Tensor;
  readonly #one: Tensor;
  readonly #sums: Tensor;
  readonly #counters: Counters;

  private constructor(parts: {
    program: Program;
    scope: Scope;
    images: Images;
    learner: Learner;
    gates?: Gates;
    classWeights?: Tensor;
    lambda: Tensor;
    one: Tensor;
    sums: Tensor;
    counters: Counters;
  }) {
    this.program = parts.program;
    this.#scope = parts.scope;
    this.#images = parts.images;
    this.#learner = parts.learner;
    this.#gates = parts.gates;
    this.#classWeights = parts.classWeights;
    this.#lambda = parts.lambda;
    this.#one = parts.one;
    this.#sums = parts.sums;
    this.#counters = parts.counters;
  }

  /**
   * Traces a step. `teacher` is needed for a distillation, `gates` for a search. Raises a
   * `TypeError` for a network with more or fewer outputs than there are classes.
   */
  static async trace(
    scope: Scope,
    { objective, learner, feed, labelSmoothing, classWeights, teacher, gates }: {
      objective: Objective;
      learner: Learner;
      feed: Feed;
      labelSmoothing: number;
      /** The weight of each class in the cross entropy. Default: all alike. */
      classWeights?: readonly number[];
      teacher?: Teacher;
      gates?: Gates;
    },
  ): Promise<TrainingStep> {
    demandClasses(objective, feed.dataset);
    checkClassWeights(classWeights, feed.dataset.classes);
    const images = new Images(scope, feed);
    const lambda = scope.tensor("lambda", [1]);
    const sums = scope.tensor("sums", [4]);
    const one = scope.tensor("one", [1], [1]);
    const counters = new Counters(scope, objective);
    const weights = classWeights &&
      scope.tensor("class weights", [classWeights.length], [...classWeights]);
    const { labels } = images;
    const program = await scope.trace("training step", (trace) => {
      const image = images.record(trace, feed.normalization);
      const tape = new Tape(trace, (p) => learner.gradient(p) ?? gates?.gradient(p));
      const { apply } = tape;
      const running = { apply, parameter: learner.tensor, training: true };
      const drawn = gates?.draw(apply);
      const logits = logitsOf(objective, image, running, drawn);
      const mix = images.mixed;
      const inputs = { apply, logits, labels, mix, classWeights: weights, lambda, labelSmoothing };
      const [loss, parts] = lossOf(objective, {
        ...inputs,
        teacher: objective.mode === "distill" && teacher
          ? runNetwork(
            objective.teacher,
            images.record(trace, teacher.normalization),
            { apply: applying(trace), parameter: teacher.weights.tensor, training: false },
          )
          : undefined,
      });
      tape.backward(gates && drawn ? gates.penalize(apply, loss, drawn, lambda) : loss, one);
      learner.update(trace);
      gates?.update(trace);
      const run = applying(trace);
      run(accumulate, [sums, parts], {});
      for (const which of ["base", "small"] as const) {
        const counted = counters.tensors[which];
        const of = logits[which];
        if (counted && of) run(countCorrect, [of, labels, counted], {});
      }
    });
    return new TrainingStep({
      ...{ program, scope, images, learner, gates, lambda, one, sums, counters },
      classWeights: weights,
    });
  }

  /** What it has on the GPU besides program and weights: batch, numbers of the step, counters. */
  get tensors(): Tensor[] {
    const images = this.#images.tensors;
    const weights = this.#classWeights ? [this.#classWeights] : [];
    return [...images, ...weights, this.#lambda, this.#one, this.#sums, ...this.#counters.list];
  }

  /**
   * Sends a batch and submits one step; waits for nothing. Raises a `TypeError` for a search whose
   * gates were not prepared or a batch of other arrays, and a `RangeError` for numbers outside their
   * range, labels that are no classes, crops beside the image, or a batch that is not full.
   */
  run(
    batch: Batch,
    { lr, momentum, lambda }: { lr: number; momentum: number; lambda: number },
  ): void {
    checkNumber("run a step", "lambda", lambda, { from: 0 });
    checkNumber("run a step", "lr", lr, { from: 0 });
    checkNumber("run a step", "momentum", momentum, { from: 0, below: 1 });
    this.#images.demandFull(batch);
    this.#gates?.take();
    this.#images.send(batch);
    this.#scope.write(this.#lambda, [lambda]);
    this.#learner.prepare({ lr, momentum });
    this.program.replay();
  }

  /** Reads the means since the last reset, NaN where there were no steps; waits for all submitted. */
  async read(): Promise<TrainingMeans> {
    const [sums, ...counters] = await this.#scope.gpu.read([this.#sums, ...this.#counters.list]);
    const [loss, crossEntropy, kl, steps] = Array.from(sums);
    return {
      loss: loss / steps,
      crossEntropy: crossEntropy / steps,
      kl: kl / steps,
      scores: this.#counters.scores(counters),
    };
  }

  /** Starts the means afresh. */
  reset(): void {
    this.#scope.write(this.#sums, [0, 0, 0, 0]);
    this.#counters.clear();
  }
}
