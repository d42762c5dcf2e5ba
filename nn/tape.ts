import { add } from "../kernels/ops/add.ts";
import { recordReluGradient } from "../kernels/wgsl/elementwise.ts";
import { written } from "../kernels/gradient.ts";
import type { FusibleGradient, Gradient, PendingGradient } from "../kernels/op.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import type { Trace } from "../kernels/program/trace.ts";
import type { Apply } from "./layers/layer.ts";

export type { Apply };

interface Step {
  readonly outputs: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly wanted: readonly boolean[];
  readonly rectified: boolean;
  pullBack(trace: Trace, dy: Tensor): readonly Gradient[];
}

/** The gradients of one tensor: a sum so far, and one whose kernel adds the sum in the end. */
interface Upstream {
  readonly sum?: Tensor;
  readonly last?: FusibleGradient;
}

/**
 * Records the ops that it applies, in order, and walks back over them. It knows no op by name.
 * Gradients of parameters are added up where `parameterGradient` says; all others are tensors of
 * the trace.
 */
export class Tape {
  readonly #trace: Trace;
  readonly #parameterGradient: (parameter: Tensor) => Tensor | undefined;
  readonly #accumulate: boolean;
  readonly #steps: Step[] = [];
  readonly #differentiable = new Set<Tensor>();
  /** Gradients that nothing else refers to, so that they may grow in place. */
  readonly #owned = new Set<Tensor>();

  /**
   * Records into `trace`. `parameterGradient` gives the tensor for a parameter's gradient, and
   * nothing for other tensors. With `accumulate`, gradients are added to what is in these tensors.
   */
  constructor(
    trace: Trace,
    parameterGradient: (parameter: Tensor) => Tensor | undefined,
    { accumulate = false }: { readonly accumulate?: boolean } = {},
  ) {
    this.#trace = trace;
    this.#accumulate = accumulate;
    this.#parameterGradient = parameterGradient;
  }

  /** Records the forward kernels of an op, and how to walk back over it. */
  readonly apply: Apply = (op, inputs, attributes) => {
    const outputs = op.forward(this.#trace, inputs, attributes);
    // What comes of parameters alone, as a slice of weights, is no value of the network.
    if (inputs.some((x) => !this.#parameterGradient(x) && !x.storage)) {
      this.#trace.value(outputs[0]);
    }
    const { vjp } = op;
    const wanted = inputs.map((x) =>
      this.#differentiable.has(x) || this.#parameterGradient(x) !== undefined
    );
    if (vjp === "none" || !wanted.includes(true)) return outputs;
    this.#differentiable.add(outputs[0]);
    const context = { inputs, outputs, attributes, wanted };
    this.#steps.push({
      outputs,
      inputs,
      wanted,
      rectified: op.rectified?.(attributes, inputs) ?? false,
      pullBack: (trace, dy) => vjp(trace, context, dy),
    });
    return outputs;
  };

  /** Records the gradient of everything that `of` depends on, given `dy`, that of `of` itself. */
  backward(of: Tensor, dy: Tensor): void {
    const gradients = new Map<Tensor, Upstream>([[of, { sum: dy }]]);
    const begun = new Set<Tensor>();
    for (const { outputs: [y], inputs, wanted, rectified, pullBack } of this.#steps.toReversed()) {
      const upstream = gradients.get(y);
      if (!upstream) continue;
      const total = this.#total(upstream, y, rectified ? y : undefined);
      // Ops may pass it on as it is, to several inputs.
      this.#owned.delete(total);
      pullBack(this.#trace, total).forEach((gradient, i) => {
        const x = inputs[i];
        if (!gradient || !wanted[i]) return;
        const sum = this.#parameterGradient(x);
        if (sum) this.#addInto(sum, gradient, begun);
        else gradients.set(x, this.#plus(gradients.get(x), gradient, x));
      });
    }
  }

  #addInto(
    sum: Tensor,
    gradient: Tensor | PendingGradient | FusibleGradient,
    begun: Set<Tensor>,
  ): void {
    const first = !this.#accumulate && !begun.has(sum);
    begun.add(sum);
    if ("write" in gradient) {
      if (first && !gradient.complete) this.#trace.clear(sum);
      gradient.write(sum, !first);
      return;
    }
    const tensor = written(this.#trace, gradient, { name: `d${sum.name}`, shape: sum.shape });
    this.#trace.copy(first ? tensor : this.#sum(sum, tensor), sum);
  }

  #plus(
    before: Upstream = {},
    gradient: Tensor | PendingGradient | FusibleGradient,
    x: Tensor,
  ): Upstream {
    if ("fuse" in gradient) {
      const sum = before.last ? this.#total(before, x) : before.sum;
      return { sum, last: gradient };
    }
    const { sum, last } = before;
    if (sum && "write" in gradient && this.#owned.has(sum)) {
      gradient.write(sum, true);
      return before;
    }
    const dx = written(this.#trace, gradient, { name: `d${x.name}`, shape: x.shape });
    const tensor = this.#like(x, dx);
    if ("write" in gradient) this.#owned.add(tensor);
    return { sum: sum ? this.#like(x, this.#sum(sum, tensor)) : tensor, last };
  }

  /** All that flows into `x`, zero where `gate` is not above 0. */
  #total({ sum, last }: Upstream, x: Tensor, gate?: Tensor): Tensor {
    if (last) {
      const into = this.#like(x, this.#trace.tensor(`d${x.name}`, x.shape));
      last.fuse(into, { ...(sum && { plus: sum }), ...(gate && { gate }) });
      return into;
    }
    if (!sum) throw new TypeError(`Cannot pull back over ${x.name}: nothing flows into it`);
    return gate ? this.#like(x, recordReluGradient(this.#trace, gate, sum)) : sum;
  }

  /** The gradient `dx` of `x`, which is kept as x is. */
  #like(x: Tensor, dx: Tensor): Tensor {
    return this.#trace.halves.has(x) ? this.#trace.value(dx) : dx;
  }

  #sum(a: Tensor, b: Tensor): Tensor {
    return add.forward(this.#trace, [a, b], { relu: false })[0];
  }
}
