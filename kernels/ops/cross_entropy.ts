import { recordLossGradient } from "./loss_gradient.ts";
import { recordLossRows } from "./loss_rows.ts";
import { lossValues, recordMeanLoss } from "./mean_loss.ts";
import type { Case, Op } from "../op.ts";
import {
  type CrossEntropyAttributes,
  lossOperands,
  meanCrossEntropy,
  someLabels,
  someTargets,
} from "./soft_target.ts";

const SIGNATURE = { name: "cross entropy", logits: 1, own: 2 } as const;

const example = (
  batch: number,
  classes: number,
  labelSmoothing: number,
  { scale = 1, ...soft }: { scale?: number; mixed?: boolean; weighted?: boolean } = {},
): Case<CrossEntropyAttributes> => ({
  inputs: [
    { shape: [batch, classes], sample: (normal) => scale * normal() },
    someLabels(batch, classes),
    ...someTargets([batch, classes], { labelSmoothing, ...soft }),
  ],
  attributes: { labelSmoothing, ...soft },
});

/**
 * `crossEntropy(logits, labels)`: logits `[batch, classes]`, labels `[batch]` of type u32. The
 * batch mean of -Σ_c target_c log softmax(logits)_c, where the target is
 * (1 - labelSmoothing) [c = label] + labelSmoothing / classes, as in PyTorch.
 *
 * With `mixed`, `crossEntropy(logits, labels, others, shares)`: share [c = label] + (1 - share)
 * [c = other] stands for [c = label], as in timm's mixup.
 *
 * With `weighted`, one more input, classWeights `[classes]`: -Σ_n Σ_c w_c target_c log p_c over
 * Σ_n w_label, as in PyTorch with labels as targets. Of mixed images the divisor is
 * Σ_n (share w_label + (1 - share) w_other), which is the same where the share is 1; PyTorch, given
 * probabilities as targets, divides by the batch. A batch of no weight has the loss NaN.
 *
 * Outputs the loss `[1]`, the parts `[4]` = (loss, cross entropy, 0, 1), and what the gradient
 * reuses. A label that is no class makes the loss NaN. Shares and weights have no gradient.
 */
export const crossEntropy: Op<CrossEntropyAttributes> = {
  name: SIGNATURE.name,
  forward: (trace, inputs, attributes) => {
    const operands = lossOperands(SIGNATURE, inputs, attributes);
    const rows = recordLossRows(trace, { p: inputs[0], labelled: "p" }, operands, attributes);
    return recordMeanLoss(trace, rows, attributes);
  },
  vjp: (trace, { inputs, outputs, attributes, wanted }, dy) => {
    const none = inputs.map(() => null);
    if (!wanted[0]) return none;
    const [logits] = inputs;
    const dlogits = trace.tensor("dlogits", logits.shape);
    recordLossGradient(trace, {
      name: "cross entropy gradient",
      logits: { logits },
      gradients: { dlogits },
      operands: lossOperands(SIGNATURE, inputs, attributes),
      outputs,
      dy,
      wgsl: /* wgsl */ `
  let p = exp(logits_log_softmax(i, norms.xy));
  let slope_dlogits = scale * entropy_slope(quad, row, p);`,
    }, attributes);
    return [dlogits, ...none.slice(1)];
  },
  reference: (inputs, attributes) => {
    const { logits: [logits], target, dims } = lossOperands(SIGNATURE, inputs, attributes);
    return lossValues(meanCrossEntropy(logits, target, dims.smoothing));
  },
  cases: [
    example(1, 1, 0),
    example(3, 1, 0.1),
    example(1, 2, 0),
    example(6, 11, 0.1),
    example(65, 10, 0),
    example(131, 10, 0.3),
    example(7, 63, 0.1, { scale: 5 }),
    example(5, 100, 1),
    example(9, 1000, 0),
    example(2, 1000, 0.1, { scale: 30 }),
    example(3, 1, 0.1, { mixed: true, weighted: true }),
    example(65, 10, 0, { mixed: true }),
    example(7, 63, 0.1, { mixed: true }),
    example(1, 2, 0, { weighted: true }),
    example(66, 11, 0.1, { weighted: true, scale: 3 }),
    example(131, 10, 0.3, { mixed: true, weighted: true }),
    example(3, 4097, 0.1),
    example(3, 4097, 0.1, { mixed: true, weighted: true }),
  ],
};
