import { add } from "../kernels/add.ts";
import type { Gradient, Op, PendingGradient } from "../kernels/op.ts";
import type { Tensor } from "../kernels/tensor.ts";
import type { Trace } from "../kernels/trace.ts";

interface Step {
  readonly outputs: readonly Tensor[];
  readonly inputs: readonly Tensor[];
  readonly wanted: readonly boolean[];
  pullBack(trace: Trace, dy: Tensor): readonly Gradient[];
}

/** Applies an op: outputs as the op documents them, the result first. */
export type Apply = <A>(op: Op<A>, inputs: readonly Tensor[], attributes: A) => readonly Tensor[];

/**
 * Records the ops that it applies, in order, and walks back over them. It knows no op by name.
 * Gradients of parameters are added up where `parameterGradient` says; all others are tensors of
 * the trace.
 */
export class Tape {
  readonly #trace: Trace;
  readonly #parameterGradient: (parameter: Tensor) => Tensor | undefined;
  readonly #steps: Step[] = [];
  readonly #differentiable = new Set<Tensor>();
  /** Gradients that nothing else refers to, so that they may grow in place. */
  readonly #owned = new Set<Tensor>();

  /**
   * Records into `trace`. `parameterGradient` gives the tensor for a parameter's gradient, and
   * nothing for other tensors.
   */
  constructor(trace: Trace, parameterGradient: (parameter: Tensor) => Tensor | undefined) {
    this.#trace = trace;
    this.#parameterGradient = parameterGradient;
  }

  /** Records the forward kernels of an op, and how to walk back over it. */
  readonly apply: Apply = (op, inputs, attributes) => {
    const outputs = op.forward(this.#trace, inputs, attributes);
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
      pullBack: (trace, dy) => vjp(trace, context, dy),
    });
    return outputs;
  };

  /** Records the gradient of everything that `of` depends on, given `dy`, that of `of` itself. */
  backward(of: Tensor, dy: Tensor): void {
    const gradients = new Map<Tensor, Tensor>([[of, dy]]);
    const begun = new Set<Tensor>();
    for (const step of this.#steps.toReversed()) {
      const upstream = gradients.get(step.outputs[0]);
      if (!upstream) continue;
      step.pullBack(this.#trace, upstream).forEach((gradient, i) => {
        const x = step.inputs[i];
        if (!gradient || !step.wanted[i]) return;
        const sum = this.#parameterGradient(x);
        if (sum) this.#addInto(sum, gradient, begun);
        else gradients.set(x, this.#plus(gradients.get(x), gradient, x));
      });
    }
  }

  #addInto(sum: Tensor, gradient: Tensor | PendingGradient, begun: Set<Tensor>): void {
    const first = !begun.has(sum);
    begun.add(sum);
    if ("write" in gradient) {
      if (first && !gradient.complete) this.#trace.clear(sum);
      gradient.write(sum, !first);
    } else {
      this.#trace.copy(first ? gradient : this.#sum(sum, gradient), sum);
    }
  }

  #plus(before: Tensor | undefined, gradient: Tensor | PendingGradient, x: Tensor): Tensor {
    if (before && "write" in gradient && this.#owned.has(before)) {
      gradient.write(before, true);
      return before;
    }
    const tensor = "write" in gradient ? this.#materialize(gradient, x) : gradient;
    return before ? this.#sum(before, tensor) : tensor;
  }

  #materialize(gradient: PendingGradient, x: Tensor): Tensor {
    const tensor = this.#trace.tensor(`d${x.name}`, x.shape);
    if (!gradient.complete) this.#trace.clear(tensor);
    gradient.write(tensor, false);
    this.#owned.add(tensor);
    return tensor;
  }

  #sum(a: Tensor, b: Tensor): Tensor {
    return add.forward(this.#trace, [a, b], { relu: false })[0];
  }
}
