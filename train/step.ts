import type { Batch } from "../data/batch.ts";
import { checkNumber } from "../data/number_check.ts";
import type { Normalization } from "../data/dataset.ts";
import { accumulate, countCorrect } from "../kernels/ops/counters.ts";
import type { Program } from "../kernels/program/program.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Precision, Trace } from "../kernels/program/trace.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { smallSpecs } from "../nn/compress/adjoined_state.ts";
import { runNetwork } from "../nn/forward.ts";
import { Parameters } from "../nn/parameters.ts";
import { Tape } from "../nn/tape.ts";
import { type ByNetwork, entriesOf, type Which } from "../nn/which.ts";
import { counted, Counters, demandClasses } from "./score_counters.ts";
import type { Gates } from "./gates.ts";
import { Guard, type Lost } from "./guard.ts";
import { type Feed, Images } from "./image_feed.ts";
import type { Stateful } from "./resume/stateful.ts";
import { applying, type Learner, type Weights } from "./learner.ts";
import { drops, logitsOf, lossOf, type Objective, pairsOf } from "./objective.ts";
import { sandwiches } from "./sandwich.ts";
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
  readonly scores: ByNetwork<Score>;
  /** Steps that did not count, as their losses or gradients were no numbers. */
  readonly lost: Lost;
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

/** What a training step is traced from. */
export interface StepOptions {
  /** Networks, and what they are trained on. */
  readonly objective: Objective;
  /** The weights that learn. */
  readonly learner: Learner;
  /** The data side; its batch is what one run takes. */
  readonly feed: Feed;
  /** The share of the target that is spread evenly over all classes, in [0, 1). */
  readonly labelSmoothing: number;
  /** The weight of each class in the cross entropy. Default: all alike. */
  readonly classWeights?: readonly number[];
  /** Needed for a distillation. */
  readonly teacher?: Teacher;
  /** Needed for a search. */
  readonly gates?: Gates;
  /** Batches of a step, whose gradients are averaged. Default: 1. */
  readonly accumulation?: number;
  /** The norm of all gradients that is not exceeded. Default: none. */
  readonly clip?: number;
  /**
   * Of several small networks, how many a step trains: the smallest, and others. Default: all of
   * them. What a step does not train is not run: its norms keep their statistics.
   */
  readonly sandwich?: number;
  /** How values inside the step are kept. Default: in float32. */
  readonly precision?: Precision;
}

/** Numbers of a step. */
export interface StepNumbers {
  /** The learning rate. */
  readonly lr: number;
  /** Of SGD; AdamW has it as its first beta. */
  readonly momentum: number;
  /** The weight of the divergence of the networks. */
  readonly lambda: number;
  /**
   * Where networks have dropout or stochastic depth: two whole numbers below 2^32, a seed and the
   * number of the batch. The same ones drop the same.
   */
  readonly noise?: readonly [seed: number, batch: number];
  /**
   * Which of the {@link TrainingStep.sandwiches} the step trains. All batches of a step have to have
   * the same. Default: the first.
   */
  readonly sandwich?: number;
}

interface Parts {
  /** What begins and ends a step of several batches. */
  readonly around?: { readonly begin: Program; readonly update: Program };
  /** What is replayed for a batch, for each sandwich. */
  readonly batches: readonly Program[];
  readonly sandwiches: readonly (readonly Which[])[];
  readonly scope: Scope;
  readonly images: Images;
  readonly options: StepOptions;
  readonly classWeights?: Tensor;
  readonly lambda: Tensor;
  readonly one: Tensor;
  /** Where networks draw random numbers. */
  readonly noise?: Tensor;
  readonly tally: Parameters;
  readonly counters: Counters;
  readonly guard: Guard;
}

/** An objective of which a step trains some small networks alone. */
function training(objective: Objective, trained: readonly Which[]): Objective {
  return objective.mode === "adjoined" ? { ...objective, trained } : objective;
}

/** Gradients of what small networks have to themselves that a step does not train. */
function idleGradients({ objective, learner }: StepOptions, trained: readonly Which[]): Tensor[] {
  if (objective.mode !== "adjoined") return [];
  const idle = pairsOf(objective).filter(({ which }) => !trained.includes(which));
  return idle.flatMap((pair) =>
    smallSpecs(pair).parameters.map(({ name }) => learner.gradients.get(name))
  );
}

/**
 * One training step, traced once: augment, forward, loss, backward, update, count. A step whose loss
 * or gradients are no numbers changes nothing but the count of such steps.
 */
export class TrainingStep implements Stateful {
  readonly #parts: Parts;
  readonly #accumulation: number;
  /** Batches of the step that has begun. */
  #taken = 0;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#accumulation = parts.options.accumulation ?? 1;
  }

  /**
   * Traces a step. Raises a `TypeError` for a network with more or fewer outputs than there are
   * classes, and a `RangeError` for numbers outside their range.
   */
  static async trace(scope: Scope, options: StepOptions): Promise<TrainingStep> {
    const { objective, learner, feed, labelSmoothing, teacher, gates, clip } = options;
    const { classWeights, accumulation = 1, precision } = options;
    const action = "trace a training step";
    checkNumber(action, "the accumulation", accumulation, { from: 1, whole: true });
    if (clip !== undefined) checkNumber(action, "the norm to clip to", clip, { above: 0 });
    demandClasses(objective, feed.dataset);
    checkClassWeights(classWeights, feed.dataset.classes);
    const images = new Images(scope, feed);
    const lambda = scope.tensor("lambda", [1]);
    const names = ["sums", ...counted(objective).map((which) => `${which} counters`)];
    const tally = new Parameters(scope, "tally", names.map((name) => ({ name, shape: [4] })));
    const sums = tally.get("sums");
    const one = scope.tensor("one", [1], [1 / accumulation]);
    const noise = drops(objective) ? scope.tensor("noise", [2], [0, 0], "u32") : undefined;
    const counters = new Counters(scope, objective, (name) => tally.get(name));
    const weights = classWeights &&
      scope.tensor("class weights", [classWeights.length], [...classWeights]);
    const changed = [learner.statistics.flat, tally.flat];
    const guard = new Guard(scope, changed, { scaled: precision === "mixed" });
    const gradients = [learner.gradients.flat, ...gates ? [gates.gradients.flat] : []];
    const { labels } = images;
    const forwardOf = (sandwich: readonly Which[]) => (trace: Trace): void => {
      const objective = training(options.objective, sandwich);
      for (const gradient of idleGradients(options, sandwich)) trace.clear(gradient);
      const image = images.record(trace, feed.normalization);
      const gradientOf = (p: Tensor) => learner.gradient(p) ?? gates?.gradient(p);
      const tape = new Tape(trace, gradientOf, { accumulate: accumulation > 1 });
      const { apply } = tape;
      const running = { apply, parameter: learner.tensor, training: true, noise };
      const drawn = gates?.draw(apply);
      const logits = logitsOf(objective, image, running, drawn);
      const mix = images.mixed;
      const inputs = { apply, logits, labels, mix, classWeights: weights, lambda, labelSmoothing };
      const [loss, parts] = lossOf(objective, {
        ...inputs,
        teacher: "teacher" in objective && teacher
          ? runNetwork(
            objective.teacher,
            images.record(trace, teacher.normalization),
            { apply: applying(trace), parameter: teacher.weights.tensor, training: false },
          )
          : undefined,
      });
      const all = gates && drawn ? gates.penalize(apply, loss, drawn, lambda) : loss;
      tape.backward(all, guard.seed(trace, one));
      const run = applying(trace);
      run(accumulate, [sums, parts], {});
      for (const [which, of] of entriesOf(logits)) {
        const counted = counters.tensors[which];
        if (counted) run(countCorrect, [of, labels, counted], {});
      }
    };
    const update = (trace: Trace): void => {
      guard.decide(trace, { losses: sums, gradients, clip });
      learner.update(trace, guard.tensor);
      gates?.update(trace, guard.tensor);
      guard.end(trace);
      learner.updateAverage(trace, guard.tensor);
    };
    const begin = (trace: Trace): void => guard.begin(trace);
    const pairs = objective.mode === "adjoined" ? pairsOf(objective) : [];
    const all = pairs.length ? sandwiches(pairs, options.sandwich) : [[]];
    const around = accumulation === 1 ? undefined : {
      begin: await scope.trace("beginning of a training step", (trace) => {
        begin(trace);
        for (const gradient of gradients) trace.clear(gradient);
      }),
      update: await scope.trace("update of a training step", update),
    };
    const batches: Program[] = [];
    for (const sandwich of all) {
      const forward = forwardOf(sandwich);
      const over = batches.at(0);
      batches.push(
        around
          ? await scope.trace("part of a training step", forward, { over, precision })
          : await scope.trace("training step", (trace) => {
            begin(trace);
            forward(trace);
            update(trace);
          }, { over, precision }),
      );
    }
    const numbers = { lambda, one, noise };
    const traced = {
      around,
      batches,
      sandwiches: all,
      scope,
      images,
      options,
      ...numbers,
      tally,
      counters,
      guard,
    };
    return new TrainingStep({ ...traced, classWeights: weights });
  }

  /** The programs of a step, in their order; the one with the networks is replayed for each batch. */
  get programs(): readonly Program[] {
    const { around, batches } = this.#parts;
    return around ? [around.begin, ...batches, around.update] : batches;
  }

  /** The small networks that a step may train: one list of all of them, but by the sandwich rule. */
  get sandwiches(): readonly (readonly Which[])[] {
    return this.#parts.sandwiches;
  }

  /** Whether networks drop values at random, so that each batch needs noise. */
  get drops(): boolean {
    return this.#parts.noise !== undefined;
  }

  /** The program with the networks, replayed for each batch; the first of several sandwiches. */
  get program(): Program {
    return this.#parts.batches[0];
  }

  /** What it has on the GPU besides programs and weights: batch, numbers of the step, counters. */
  get tensors(): Tensor[] {
    const { images, classWeights, lambda, one, noise, tally, guard } = this.#parts;
    return [
      ...images.tensors,
      ...classWeights ? [classWeights] : [],
      ...noise ? [noise] : [],
      ...[lambda, one, tally.flat, ...guard.tensors],
    ];
  }

  get groups(): Readonly<Record<string, Parameters>> {
    return { tally: this.#parts.tally };
  }

  get singles(): Readonly<Record<string, Tensor>> {
    const { tensor, scaling } = this.#parts.guard;
    return { guard: tensor, ...scaling ? { scaling } : {} };
  }

  /** A run whose precision the adapter chooses has no scale yet where it went without. */
  get optional(): readonly string[] {
    return ["scaling"];
  }

  /**
   * Sends a batch and submits one step, or its part of one; waits for nothing. Gives whether the
   * step is done: of several batches of a step, the last one does it. `noise`, a seed and the number
   * of the batch, says what dropout and stochastic depth drop. Raises a `TypeError` for a search
   * whose gates were not prepared, for networks that drop without noise, and for a batch of other
   * arrays, and a `RangeError` for numbers
   * outside their range, labels that are no classes, crops beside the image, or a batch that is not
   * full.
   */
  run(
    batch: Batch,
    { lr, momentum, lambda, noise, sandwich = 0 }: StepNumbers,
  ): boolean {
    const { scope, images, lambda: weight, batches, around } = this.#parts;
    const { learner, gates } = this.#parts.options;
    checkNumber("run a step", "lambda", lambda, { from: 0 });
    checkNumber("run a step", "lr", lr, { from: 0 });
    checkNumber("run a step", "momentum", momentum, { from: 0, below: 1 });
    const to = batches.length - 1;
    checkNumber("run a step", "the sandwich", sandwich, { from: 0, to, whole: true });
    if (this.drops && !noise) {
      throw new TypeError(
        "Cannot run a step: wanted noise, as the networks drop values at random, found none; pass " +
          "noise: [seed, number of the batch]",
      );
    }
    images.demandFull(batch);
    if (this.#taken === 0) gates?.take();
    images.send(batch);
    scope.write(weight, [lambda]);
    if (this.#parts.noise && noise) scope.write(this.#parts.noise, [...noise]);
    const done = ++this.#taken === this.#accumulation;
    if (done) learner.prepare({ lr, momentum });
    if (around && this.#taken === 1) around.begin.replay();
    batches[sandwich].replay();
    if (around && done) around.update.replay();
    if (done) this.#taken = 0;
    return done;
  }

  /**
   * Reads the means since the last reset, NaN where no step counted, and how many steps did not;
   * waits for all submitted.
   */
  async read(): Promise<TrainingMeans> {
    const { scope, tally, counters, guard } = this.#parts;
    const read = [guard.tensor, tally.get("sums"), ...counters.list];
    const [lost, sums, ...counts] = await scope.gpu.read(read);
    const [loss, crossEntropy, kl, steps] = Array.from(sums);
    return {
      loss: loss / steps,
      crossEntropy: crossEntropy / steps,
      kl: kl / steps,
      scores: counters.scores(counts),
      lost: Guard.lost(lost),
    };
  }

  /** Starts the means afresh. */
  reset(): void {
    this.#parts.tally.load(new Map());
  }

  /** Forgets a step that has begun, and all steps that did not count. */
  forget(): void {
    this.#taken = 0;
    this.#parts.guard.reset();
  }
}
