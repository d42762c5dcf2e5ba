import { recordLossGradient } from "./loss_gradient.ts";
import { meanDivergence, recordLossRows } from "./loss_rows.ts";
import { lossValues, recordMeanLoss } from "./mean_loss.ts";
import type { Case, Op } from "../op.ts";
import {
  type CrossEntropyAttributes,
  type LossOperands,
  lossOperands,
  meanCrossEntropy,
  someLabels,
  someTargets,
} from "./soft_target.ts";
import { checkVector, type Typed } from "./softmax.ts";

/** Attributes of the adjoined loss. */
export interface AdjoinedLossAttributes extends CrossEntropyAttributes {
  /** Whether the divergence gives no gradient to the base logits, as for a fixed teacher. */
  readonly detach: boolean;
}

function operandsOf<T extends Typed>(
  inputs: readonly T[],
  attributes: AdjoinedLossAttributes,
): LossOperands<T> {
  const operands = lossOperands({ name: "adjoined loss", logits: 2, own: 4 }, inputs, attributes);
  checkVector("adjoined loss", "lambda", 1, inputs[3]);
  return operands;
}

const example = (
  { batch, classes, lambda, labelSmoothing = 0, detach = false, scale = 1, ...soft }: {
    batch: number;
    classes: number;
    lambda: number;
    labelSmoothing?: number;
    detach?: boolean;
    scale?: number;
    mixed?: boolean;
    weighted?: boolean;
  },
): Case<AdjoinedLossAttributes> => ({
  inputs: [
    // The finite differences of a check know of no detaching.
    { shape: [batch, classes], sample: (normal) => scale * normal(), differentiable: !detach },
    { shape: [batch, classes], sample: (normal) => scale * normal() },
    someLabels(batch, classes),
    { shape: [1], sample: () => lambda, differentiable: false },
    ...someTargets([batch, classes], { labelSmoothing, ...soft }),
  ],
  attributes: { labelSmoothing, detach, ...soft },
});

/**
 * `adjoinedLoss(base, small, labels, lambda)`: logits `[batch, classes]` of both networks, labels
 * `[batch]` of type u32, lambda `[1]`. The batch mean of
 *
 *     cross entropy(base, labels) + lambda · KL(softmax(base) ‖ softmax(small))
 *
 * with gradient through both logits (arXiv 2006.05624); with `detach` the divergence
 * moves the small network alone. `mixed` and `weighted` change the cross entropy and add inputs
 * after lambda, as for {@link crossEntropy}; the divergence stays the mean over the batch. Outputs
 * the loss `[1]`, the parts `[4]` = (loss, cross entropy, divergence, 1), and what the gradient
 * reuses. lambda has no gradient.
 */
export const adjoinedLoss: Op<AdjoinedLossAttributes> = {
  name: "adjoined loss",
  forward: (trace, inputs, attributes) => {
    const [base, small, , lambda] = inputs;
    const operands = operandsOf(inputs, attributes);
    const kind = { p: base, q: small, labelled: "p" } as const;
    const rows = recordLossRows(trace, kind, operands, attributes);
    return recordMeanLoss(trace, rows, { ...attributes, lambda });
  },
  // With p = softmax(base), q = softmax(small), and D the divergence of the row:
  //   dbase  = dy / batch · (p - target + lambda p (log p - log q - D))
  //   dsmall = dy / batch · lambda (q - p)
  vjp: (trace, { inputs, outputs, attributes, wanted }, dy) => {
    const none = inputs.map(() => null);
    if (!wanted[0] && !wanted[1]) return none;
    const [base, small, , lambda] = inputs;
    const dbase = trace.tensor("dbase", base.shape);
    const dsmall = trace.tensor("dsmall", small.shape);
    const { detach } = attributes;
    recordLossGradient(trace, {
      name: `adjoined loss gradient${detach ? ", detached" : ""}`,
      logits: { base, small },
      scalars: { lambda },
      gradients: { dbase, dsmall },
      operands: operandsOf(inputs, attributes),
      outputs,
      dy,
      wgsl: /* wgsl */ `
  let log_p = base_log_softmax(i, norms.xy);
  let log_q = small_log_softmax(i, norms.zw);
  let p = exp(log_p);
  let q = exp(log_q);
  let weight = lambda(0u).x;
  var slope = entropy_slope(quad, row, p);
  ${detach ? "" : "slope += weight * p * (log_p - log_q - rows(row * 2u + 1u).y);"}
  let slope_dbase = scale * slope;
  let slope_dsmall = scale * weight * (q - p);`,
    }, attributes);
    return [wanted[0] ? dbase : null, wanted[1] ? dsmall : null, ...none.slice(2)];
  },
  reference: (inputs, attributes) => {
    const { logits: [base, small], target, dims } = operandsOf(inputs, attributes);
    const entropy = meanCrossEntropy(base, target, dims.smoothing);
    return lossValues(entropy, meanDivergence(base, small), inputs[3].data[0]);
  },
  cases: [
    example({ batch: 1, classes: 1, lambda: 1 }),
    example({ batch: 1, classes: 2, lambda: 0.36 }),
    example({ batch: 6, classes: 11, lambda: 1, labelSmoothing: 0.1 }),
    example({ batch: 65, classes: 10, lambda: 0 }),
    example({ batch: 131, classes: 10, lambda: 0.64 }),
    example({ batch: 7, classes: 63, lambda: 0.25, scale: 5 }),
    example({ batch: 5, classes: 100, lambda: 0.5, detach: true }),
    example({ batch: 9, classes: 1000, lambda: 1 }),
    example({ batch: 2, classes: 1000, lambda: 0.1, labelSmoothing: 0.1, scale: 20 }),
    example({ batch: 65, classes: 10, lambda: 0.5, mixed: true }),
    example({ batch: 66, classes: 11, lambda: 1, labelSmoothing: 0.1, weighted: true }),
    example({ batch: 7, classes: 63, lambda: 0.25, detach: true, mixed: true, weighted: true }),
    example({ batch: 3, classes: 4097, lambda: 0.5, labelSmoothing: 0.1 }),
    example({
      ...{ batch: 3, classes: 4097, lambda: 0.5, labelSmoothing: 0.1 },
      ...{ mixed: true, weighted: true },
    }),
  ],
};
