import { abridged } from "../data/words.ts";
import { checkNumber } from "../data/number_check.ts";
import { printable, printableJson } from "../data/printable.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import type { Op } from "../kernels/op.ts";
import { movingAverage } from "../kernels/ops/moving_average.ts";
import { adamw, sgd } from "../kernels/ops/optimizers.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Trace } from "../kernels/program/trace.ts";
import { Parameters, type State } from "../nn/parameters.ts";
import type { StateSpecs } from "../nn/state.ts";
import type { Apply } from "../nn/tape.ts";
import type { Stateful } from "./resume/stateful.ts";

/** An optimiser and the numbers of it that stay the same over a run. */
export type OptimizerOptions =
  | { readonly name: "sgd"; readonly weightDecay: number; readonly nesterov: boolean }
  | {
    readonly name: "adamw";
    readonly weightDecay: number;
    readonly beta2: number;
    readonly eps: number;
  };

/** Raises a `TypeError` for an unknown optimiser, and a `RangeError` for numbers it cannot take. */
function checkOptimizer(optimizer: OptimizerOptions): void {
  const action = "make a learner";
  switch (optimizer.name) {
    case "sgd":
      if (typeof optimizer.nesterov !== "boolean") {
        throw new TypeError(
          `Cannot ${action}: wanted nesterov to be true or false, found ` +
            printableJson(optimizer.nesterov),
        );
      }
      break;
    case "adamw":
      checkNumber(action, "beta2", optimizer.beta2, { from: 0, below: 1 });
      checkNumber(action, "eps", optimizer.eps, { above: 0 });
      break;
    default: {
      const { name }: { name: unknown } = optimizer;
      throw new TypeError(
        `Cannot ${action}: wanted the optimizer sgd or adamw, found ${printableJson(name)}`,
      );
    }
  }
  checkNumber(action, "the weight decay", optimizer.weightDecay, { from: 0 });
}

/** How many missing tensors an error names at most. */
const NAMED = 4;

/** Parameters and running statistics on the GPU. */
export class Weights {
  /** What is learned. */
  readonly parameters: Parameters;
  /** Means and variances of batch norms. */
  readonly statistics: Parameters;
  readonly #scope: Scope;

  /** Takes memory from the scope and writes `state` there, as {@link load} does. */
  constructor(scope: Scope, specs: StateSpecs, state: State) {
    this.#scope = scope;
    this.parameters = new Parameters(scope, "parameters", specs.parameters);
    this.statistics = new Parameters(scope, "statistics", specs.statistics);
    this.load(state);
  }

  /**
   * Overwrites all values. Raises a `TypeError` that names those which `state` lacks, or the first of
   * another size.
   */
  load(state: State): void {
    const specs = [...this.parameters.specs, ...this.statistics.specs];
    const missing = specs.filter(({ name }) => !state.has(name)).map(({ name }) => name);
    if (missing.length) {
      throw new TypeError(
        `Cannot load weights: wanted all ${specs.length} tensors, found no ` +
          abridged(missing, NAMED),
      );
    }
    for (const { name, shape } of specs) {
      const found = state.get(name)?.length;
      if (found === elements(shape)) continue;
      throw new TypeError(
        `Cannot load weights: wanted ${elements(shape)} values of ${printable(name)} [${shape}], ` +
          `found ${found}`,
      );
    }
    this.parameters.load(state);
    this.statistics.load(state);
  }

  /** The tensor of a parameter or running statistic. */
  readonly tensor = (name: string): Tensor =>
    this.parameters.has(name) ? this.parameters.get(name) : this.statistics.get(name);

  /** Reads all values back. */
  async read(): Promise<State> {
    const tensors = [this.parameters.flat, this.statistics.flat];
    const [parameters, statistics] = await this.#scope.gpu.read(tensors);
    return new Map([
      ...this.parameters.split(Float32Array.from(parameters)),
      ...this.statistics.split(Float32Array.from(statistics)),
    ]);
  }
}

/** The factor of the weight decay of all parameters: `normDecay` for those of one dimension. */
function factorsOf({ parameters }: StateSpecs, normDecay: number): State {
  return new Map(
    parameters.map(({ name, shape }) => {
      const factor = shape.length === 1 ? normDecay : 1;
      return [name, new Float32Array(elements(shape)).fill(factor)];
    }),
  );
}

/** How a learner is made. */
export interface LearnerOptions {
  /** What it learns, and the running statistics beside. */
  readonly specs: StateSpecs;
  /** What it begins with. */
  readonly state: State;
  /** The optimiser, and the numbers of it that stay the same. */
  readonly optimizer: OptimizerOptions;
  /**
   * The factor of the weight decay for parameters of one dimension: scales and shifts of norms, and
   * biases. Default: 1.
   */
  readonly normDecay?: number;
  /** The decay of a moving average of the weights, in [0, 1). Default: there is none. */
  readonly averageDecay?: number;
}

/** Weights that learn: with gradients, the optimiser's state, and the numbers of the step. */
export class Learner extends Weights implements Stateful {
  /** Of all parameters, in the same order. */
  readonly gradients: Parameters;
  /** (learning rate, momentum or beta1, 1 - beta1^t, 1 - beta2^t). */
  readonly hyper: Tensor;
  /**
   * The moving average of parameters and running statistics, where there is one: after step t it
   * has moved by 1 - min(decay, (1 + t) / (10 + t)) of the difference.
   */
  readonly average?: Weights;
  readonly #moments: Readonly<Record<string, Parameters>>;
  readonly #optimizer: OptimizerOptions;
  readonly #decay?: number;
  /** The factor of each parameter's weight decay, where they are not all 1. */
  readonly #decays?: Parameters;
  /** `[1]`: the share of the difference that the average moves by. */
  readonly #share?: Tensor;
  readonly #gradientOf = new Map<Tensor, Tensor>();
  readonly #upload: (tensor: Tensor, values: ArrayLike<number>) => void;
  #steps = 0;

  /**
   * Takes memory for weights, gradients and moments; the moments start at zero, an average at the
   * weights. Raises a `TypeError` for an unknown optimiser, and a `RangeError` for numbers it cannot
   * take.
   */
  constructor(
    scope: Scope,
    { specs, state, optimizer, normDecay = 1, averageDecay }: LearnerOptions,
  ) {
    checkOptimizer(optimizer);
    checkNumber("make a learner", "the factor of the decay of norms", normDecay, { from: 0 });
    if (averageDecay !== undefined) {
      checkNumber("make a learner", "the decay of the average", averageDecay, {
        from: 0,
        below: 1,
      });
    }
    super(scope, specs, state);
    this.gradients = new Parameters(scope, "gradients", specs.parameters);
    this.#optimizer = optimizer;
    const names = optimizer.name === "sgd" ? ["velocity"] : ["first moment", "second moment"];
    this.#moments = Object.fromEntries(
      names.map((name) => [name, new Parameters(scope, name, specs.parameters)]),
    );
    this.hyper = scope.tensor("hyper", [4]);
    this.#upload = (tensor, values) => scope.write(tensor, values);
    for (const { name } of specs.parameters) {
      this.#gradientOf.set(this.parameters.get(name), this.gradients.get(name));
    }
    if (normDecay !== 1) {
      this.#decays = new Parameters(scope, "factors of the weight decay", specs.parameters);
      this.#decays.load(factorsOf(specs, normDecay));
    }
    if (averageDecay === undefined) return;
    this.#decay = averageDecay;
    this.#share = scope.tensor("share of the average", [1]);
    this.average = new Weights(scope, specs, state);
  }

  /** Velocity, or first and second moments, of all parameters in the same order. */
  get moments(): readonly Tensor[] {
    return Object.values(this.#moments).map(({ flat }) => flat);
  }

  /** The weights that are measured and saved: the average, where there is one. */
  get measured(): Weights {
    return this.average ?? this;
  }

  get groups(): Readonly<Record<string, Parameters>> {
    const { parameters, statistics, average } = this;
    return {
      parameters,
      statistics,
      ...this.#moments,
      ...average && { average: average.parameters, "average statistics": average.statistics },
    };
  }

  numbers(): Readonly<Record<string, number>> {
    return { "optimizer steps": this.#steps };
  }

  setNumbers(numbers: Readonly<Record<string, number>>): void {
    this.#steps = numbers["optimizer steps"];
  }

  /** Where the gradient of a parameter is added up; nothing for other tensors. */
  readonly gradient = (parameter: Tensor): Tensor | undefined => this.#gradientOf.get(parameter);

  /**
   * Records the update of all parameters. The guard of {@link Guard} scales gradients, and decides
   * whether the step counts.
   */
  update(trace: Trace, guard?: Tensor): void {
    const run = applying(trace);
    const { parameters: { flat }, gradients, moments, hyper } = this;
    const factors = this.#decays;
    const extras = [...guard ? [guard] : [], ...factors ? [factors.flat] : []];
    const inputs = [flat, gradients.flat, ...moments, hyper, ...extras];
    const o = this.#optimizer;
    const decays = factors !== undefined;
    if (o.name === "sgd") run(sgd, inputs, { ...o, decays });
    else run(adamw, inputs, { ...o, decays });
  }

  /** Records the update of the average, where there is one. */
  updateAverage(trace: Trace, guard: Tensor): void {
    const { average, parameters, statistics } = this;
    const share = this.#share;
    if (!average || !share) return;
    const run = applying(trace);
    run(movingAverage, [average.parameters.flat, parameters.flat, guard, share], {});
    run(movingAverage, [average.statistics.flat, statistics.flat, guard, share], {});
  }

  /**
   * Sets the numbers of the next step. `momentum` is beta1 of AdamW. Raises a `RangeError` for an lr
   * below 0 or a momentum outside [0, 1).
   */
  prepare({ lr, momentum }: { lr: number; momentum: number }): void {
    checkNumber("run a step", "lr", lr, { from: 0 });
    checkNumber("run a step", "momentum", momentum, { from: 0, below: 1 });
    this.#steps++;
    const o = this.#optimizer;
    const corrections = o.name === "sgd"
      ? [0, 0]
      : [1 - momentum ** this.#steps, 1 - o.beta2 ** this.#steps];
    this.#upload(this.hyper, [lr, momentum, ...corrections]);
    if (this.#decay === undefined || !this.#share) return;
    const decay = Math.min(this.#decay, (1 + this.#steps) / (10 + this.#steps));
    this.#upload(this.#share, [1 - decay]);
  }
}

/** Applies ops without a tape. */
export function applying(trace: Trace): Apply {
  return <A>(op: Op<A>, inputs: readonly Tensor[], attributes: A) =>
    op.forward(trace, inputs, attributes);
}
