import { curable, cure } from "../data/cure.ts";
import { checkNumber } from "../data/number_check.ts";
import { gumbelNoise } from "../kernels/ops/gumbel.ts";
import { gumbelSoftmax } from "../kernels/ops/gumbel_softmax.ts";
import { adaptPenalty, penalty } from "../kernels/ops/penalty.ts";
import { quadraticForm } from "../kernels/ops/quadratic_form.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Trace } from "../kernels/program/trace.ts";
import type { Parameters } from "../nn/parameters.ts";
import type { Apply } from "../nn/tape.ts";
import {
  type Choice,
  chooseWidths,
  entropyOf,
  logitsAt,
  softmax,
} from "../nn/compress/width_choice.ts";
import { costOf, type WidthCost } from "../nn/compress/width_cost.ts";
import type { WidthGroups } from "../nn/compress/width_groups.ts";
import { DivergedError } from "./errors.ts";
import { applying, Learner } from "./learner.ts";
import type { Stateful } from "./resume/stateful.ts";
import type { GatesState } from "./types.ts";

/** How far from the budget, as a part of the base network's cost, a choice may be. */
const TOLERANCE = 0.01;

/**
 * Logits up to which a search is sound. Long before, gates are 0 and 1 and learn nothing; beyond, a
 * likely choice can outweigh the {@link TOLERANCE} of the budget.
 */
const LARGEST_LOGIT = 1e4;

/**
 * Gains on the excess over the budget, as a part of the base network's cost: high enough that an
 * excess of 1 % outweighs the loss, and an integral that follows within an epoch or so.
 */
const PROPORTIONAL = 20;
const INTEGRAL = 0.5;

/** How the gates learn. */
export interface GatesSchedule {
  /** Learning rate of the logits. */
  readonly lr: number;
  /** Temperature at the start and at the end of the search; geometric in between. */
  readonly temperature: readonly [number, number];
}

/** Logits of the choice of widths, their noise, and a penalty that keeps to a budget. */
export class Gates implements Stateful {
  /** One gate of each group at 1, that of {@link choose}; `[groups, candidates]`. */
  readonly chosen: Tensor;
  readonly #scope: Scope;
  readonly #groups: WidthGroups;
  readonly #cost: WidthCost;
  readonly #budget: number;
  readonly #schedule: GatesSchedule;
  readonly #learner: Learner;
  readonly #noise: Tensor;
  readonly #counter: Tensor;
  readonly #still: Tensor;
  readonly #one: Tensor;
  readonly #temperature: Tensor;
  readonly #gamma: Tensor;
  readonly #excess: Tensor;
  readonly #aim: Tensor;
  readonly #form: readonly Tensor[];
  #degrees = 1;
  #prepared = false;

  /** Starts at the budget, with widths alike in all groups. */
  constructor(scope: Scope, { groups, cost, budget, seed, schedule }: {
    groups: WidthGroups;
    cost: WidthCost;
    budget: number;
    seed: number;
    schedule: GatesSchedule;
  }) {
    const action = "make gates";
    checkNumber(action, "the budget", budget, { above: 0, to: 1 });
    checkNumber(action, "the seed", seed, { from: 0, to: Number.MAX_SAFE_INTEGER, whole: true });
    checkNumber(action, "lr", schedule.lr, { from: 0 });
    for (const degrees of schedule.temperature) {
      checkNumber(action, "a temperature", degrees, { above: 0 });
    }
    this.#scope = scope;
    this.#groups = groups;
    this.#cost = cost;
    this.#budget = budget;
    this.#schedule = schedule;
    const shape = [groups.groups.length, groups.divisors.length];
    const n = shape[0] * shape[1];
    this.#learner = new Learner(scope, {
      specs: { parameters: [{ name: "theta", shape }], statistics: [] },
      state: new Map([["theta", logitsAt(groups, cost, budget)]]),
      optimizer: { name: "adamw", weightDecay: 0, beta2: 0.99, eps: 1e-8 },
    });
    this.chosen = scope.tensor("chosen gates", shape);
    this.#noise = scope.tensor("gumbel noise", shape);
    this.#still = scope.tensor("no noise", shape);
    this.#counter = scope.tensor("draws", [2], [seed >>> 0, 0], "u32");
    this.#one = scope.tensor("one", [1], [1]);
    this.#temperature = scope.tensor("temperature", [1], [1]);
    this.#gamma = scope.tensor("gamma", [1]);
    this.#excess = scope.tensor("excess", [1]);
    this.#aim = scope.tensor("aim", [3], [budget, PROPORTIONAL, INTEGRAL]);
    this.#form = [
      scope.tensor("pairs", [n, n], cost.pairs),
      scope.tensor("singles", [n], cost.singles),
      scope.tensor("constant", [1], [cost.constant]),
    ];
  }

  get #theta(): Tensor {
    return this.#learner.tensor("theta");
  }

  /** The gradients of the logits. */
  get gradients(): Parameters {
    return this.#learner.gradients;
  }

  get groups(): Readonly<Record<string, Parameters>> {
    const { groups } = this.#learner;
    return Object.fromEntries(
      Object.entries(groups).filter(([name]) => name !== "statistics")
        .map(([name, of]) => [`gates ${name}`, of]),
    );
  }

  get singles(): Readonly<Record<string, Tensor>> {
    return {
      "gates gamma": this.#gamma,
      "gates excess": this.#excess,
      "gates draws": this.#counter,
    };
  }

  numbers(): Readonly<Record<string, number>> {
    return {
      "gates steps": this.#learner.numbers()["optimizer steps"],
      "gates temperature": this.#degrees,
    };
  }

  setNumbers(numbers: Readonly<Record<string, number>>): void {
    this.#learner.setNumbers({ "optimizer steps": numbers["gates steps"] });
    this.#degrees = numbers["gates temperature"];
  }

  /** Where the gradient of the logits is added up; nothing for other tensors. */
  readonly gradient = (parameter: Tensor): Tensor | undefined => this.#learner.gradient(parameter);

  /** Records gates `[groups, candidates]` with fresh noise. */
  draw(apply: Apply): Tensor {
    apply(gumbelNoise, [this.#noise, this.#counter], {});
    return apply(gumbelSoftmax, [this.#theta, this.#noise, this.#temperature], {})[0];
  }

  /** Records loss + lambda · gamma · cost of the gates. */
  penalize(apply: Apply, loss: Tensor, gates: Tensor, lambda: Tensor): Tensor {
    const [cost] = apply(quadraticForm, [gates, ...this.#form], {});
    return apply(penalty, [loss, cost, lambda, this.#gamma], {})[0];
  }

  /**
   * Records the update of the logits, and that of gamma by what choices now cost in the mean. The
   * guard scales the gradients of the logits, too, and decides whether the step counts for them.
   */
  update(trace: Trace, guard?: Tensor): void {
    this.#learner.update(trace, guard);
    const apply = applying(trace);
    const [mean] = apply(gumbelSoftmax, [this.#theta, this.#still, this.#one], {});
    const [expected] = apply(quadraticForm, [mean, ...this.#form], {});
    apply(adaptPenalty, [this.#gamma, this.#excess, expected, this.#aim], {});
  }

  /** Sets the numbers of the next step, after a part `t` of the search, in [0, 1]: before each. */
  prepare(t: number): void {
    checkNumber("run a step of a search", "the part of it", t, { from: 0, to: 1 });
    this.#prepared = true;
    const { lr, temperature: [from, to] } = this.#schedule;
    this.#degrees = from * (to / from) ** t;
    this.#scope.write(this.#temperature, [this.#degrees]);
    this.#learner.prepare({ lr, momentum: 0.9 });
  }

  /** Takes what {@link prepare} has set for one step. Raises a `TypeError` where it was not called. */
  take(): void {
    if (!this.#prepared) {
      throw new TypeError(
        "Cannot run a step of a search: wanted gates with a temperature, found none for this step; " +
          "call gates.prepare(t) before each run",
      );
    }
    this.#prepared = false;
  }

  async #logits(): Promise<{ logits: Float32Array; gamma: number }> {
    const [logits, gamma] = await this.#scope.gpu.read([this.#theta, this.#gamma]);
    const wild = logits.find((logit) => Math.abs(logit) > LARGEST_LOGIT);
    if (wild !== undefined) throw this.#diverged(wild);
    return { logits: Float32Array.from(logits), gamma: gamma[0] };
  }

  #diverged(found: number): DivergedError {
    const lr = { option: "searchLr", words: "the gates' lr" };
    return curable(
      DivergedError,
      `Cannot go on with the search: wanted logits of widths of at most ${LARGEST_LOGIT}, found ` +
        found.toPrecision(3),
      cure`lower ${lr} (found ${this.#schedule.lr})`,
    );
  }

  /**
   * Reads where the search stands; waits for all submitted steps. Raises a {@link DivergedError}
   * for logits that have grown beyond all measure.
   */
  async read(): Promise<GatesState> {
    const { logits, gamma } = await this.#logits();
    const candidates = this.#groups.divisors.length;
    return {
      expected: costOf(this.#cost, softmax(logits, candidates)),
      budget: this.#budget,
      entropy: entropyOf(logits, candidates),
      gamma,
      temperature: this.#degrees,
    };
  }

  /**
   * The most likely choice that costs the budget by a cost, default that of the search;
   * {@link chosen} is set to it. Raises a
   * {@link DivergedError} as {@link read} does, and for logits that are no numbers.
   */
  async choose(cost: WidthCost = this.#cost): Promise<Choice> {
    const { logits } = await this.#logits();
    if (logits.some(Number.isNaN)) throw this.#diverged(NaN);
    const candidates = this.#groups.divisors.length;
    const wanted = { budget: this.#budget, tolerance: TOLERANCE, candidates };
    const choice = chooseWidths(cost, logits, wanted);
    const gates = choice.flatMap((k) => Array.from({ length: candidates }, (_, i) => +(i === k)));
    this.#scope.write(this.chosen, gates);
    return choice;
  }
}
