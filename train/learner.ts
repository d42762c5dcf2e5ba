import { abridged } from "../data/words.ts";
import { checkNumber } from "../data/number_check.ts";
import { printable, printableJson } from "../data/printable.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import type { Op } from "../kernels/op.ts";
import { adamw, sgd } from "../kernels/ops/optimizers.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Trace } from "../kernels/program/trace.ts";
import { Parameters, type State } from "../nn/parameters.ts";
import type { StateSpecs } from "../nn/state.ts";
import type { Apply } from "../nn/tape.ts";

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

/** Weights that learn: with gradients, the optimiser's state, and the numbers of the step. */
export class Learner extends Weights {
  /** Of all parameters, in the same order. */
  readonly gradients: Parameters;
  /** (learning rate, momentum or beta1, 1 - beta1^t, 1 - beta2^t). */
  readonly hyper: Tensor;
  /** Velocity, or first and second moments, of all parameters in the same order. */
  readonly moments: readonly Tensor[];
  readonly #optimizer: OptimizerOptions;
  readonly #gradientOf = new Map<Tensor, Tensor>();
  readonly #upload: (values: Float32Array) => void;
  #steps = 0;

  /**
   * Takes memory for weights, gradients and moments; the moments start at zero. Raises a `TypeError`
   * for an unknown optimiser, and a `RangeError` for numbers it cannot take.
   */
  constructor(
    scope: Scope,
    { specs, state, optimizer }: {
      specs: StateSpecs;
      state: State;
      optimizer: OptimizerOptions;
    },
  ) {
    checkOptimizer(optimizer);
    super(scope, specs, state);
    this.gradients = new Parameters(scope, "gradients", specs.parameters);
    this.#optimizer = optimizer;
    const { shape } = this.parameters.flat;
    const names = optimizer.name === "sgd" ? ["velocity"] : ["first moment", "second moment"];
    this.moments = names.map((name) => scope.tensor(name, shape));
    this.hyper = scope.tensor("hyper", [4]);
    this.#upload = (values) => scope.write(this.hyper, values);
    for (const { name } of specs.parameters) {
      this.#gradientOf.set(this.parameters.get(name), this.gradients.get(name));
    }
  }

  /** Where the gradient of a parameter is added up; nothing for other tensors. */
  readonly gradient = (parameter: Tensor): Tensor | undefined => this.#gradientOf.get(parameter);

  /** Records the update of all parameters. */
  update(trace: Trace): void {
    const run: Apply = (op, inputs, attributes) => op.forward(trace, inputs, attributes);
    const { parameters: { flat }, gradients, moments, hyper } = this;
    const o = this.#optimizer;
    if (o.name === "sgd") run(sgd, [flat, gradients.flat, ...moments, hyper], o);
    else run(adamw, [flat, gradients.flat, ...moments, hyper], o);
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
    this.#upload(Float32Array.of(lr, momentum, ...corrections));
  }
}

/** Applies ops without a tape. */
export function applying(trace: Trace): Apply {
  return <A>(op: Op<A>, inputs: readonly Tensor[], attributes: A) =>
    op.forward(trace, inputs, attributes);
}
