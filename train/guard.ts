import { guardStep } from "../kernels/ops/guard_step.ts";
import { scaleLoss } from "../kernels/ops/scale_loss.ts";
import { restore } from "../kernels/ops/restore.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Scope } from "../kernels/program/scope.ts";
import type { Trace } from "../kernels/program/trace.ts";

/** The scale that a loss begins with, as in PyTorch. */
const FIRST_SCALE = 2 ** 16;

/** What a guard has seen. */
export interface Lost {
  /** Steps in a row, up to the last one, that did not count. */
  readonly inRow: number;
  /** Steps that did not count since the guard was made or set anew. */
  readonly all: number;
}

/**
 * Keeps a step whose losses or gradients are no numbers from having an effect: on the GPU, so that
 * nothing waits for it.
 */
export class Guard {
  /** `[4]`, as {@link guardStep} has it. */
  readonly tensor: Tensor;
  /** `[4]`, the scale of the loss as {@link guardStep} has it, where there is one. */
  readonly scaling?: Tensor;
  readonly #scope: Scope;
  readonly #values: readonly Tensor[];
  readonly #before: readonly Tensor[];

  /**
   * `values` are changed by a step before it is known whether the step counts. A loss is `scaled`
   * where its gradients are kept in half floats.
   */
  constructor(
    scope: Scope,
    values: readonly Tensor[],
    { scaled = false }: { readonly scaled?: boolean } = {},
  ) {
    this.#scope = scope;
    if (scaled) {
      this.scaling = scope.tensor("loss scale", [4], [FIRST_SCALE, 1 / FIRST_SCALE, 0, 0]);
    }
    this.tensor = scope.tensor("guard", [4], [1, 1, 0, 0]);
    this.#values = values;
    this.#before = values.map(({ name, shape }) => scope.tensor(`${name} before`, shape));
  }

  /** All that it has on the GPU. */
  get tensors(): Tensor[] {
    return [this.tensor, ...this.scaling ? [this.scaling] : [], ...this.#before];
  }

  /** Records what goes before a step. */
  begin(trace: Trace): void {
    this.#values.forEach((values, i) => trace.copy(values, this.#before[i]));
  }

  /** The gradient that walking back begins with, `weight` `[1]` or what it is scaled to. */
  seed(trace: Trace, weight: Tensor): Tensor {
    if (!this.scaling) return weight;
    return scaleLoss.forward(trace, [weight, this.scaling], {})[0];
  }

  /** Records the decision whether the step counts. The first of the gradients is clipped. */
  decide(
    trace: Trace,
    { losses, gradients, clip }: {
      /** `[4]`. */
      readonly losses: Tensor;
      readonly gradients: readonly Tensor[];
      /** The norm of the first gradient that is not exceeded. Default: none. */
      readonly clip?: number;
    },
  ): void {
    const { tensor, scaling } = this;
    const scaled = scaling !== undefined;
    const inputs = [tensor, losses, ...gradients, ...scaled ? [scaling] : []];
    guardStep.forward(trace, inputs, { clip, scaled });
  }

  /** Records what goes after a step: values are as before it, if it does not count. */
  end(trace: Trace): void {
    this.#values.forEach((values, i) =>
      restore.forward(trace, [values, this.#before[i], this.tensor], {})
    );
  }

  /** Forgets all steps that did not count. */
  reset(): void {
    this.#scope.write(this.tensor, [1, 1, 0, 0]);
  }

  /** What was read of {@link tensor}. */
  static lost([, , inRow, all]: ArrayLike<number> & Iterable<number>): Lost {
    return { inRow, all };
  }
}
