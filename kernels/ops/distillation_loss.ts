import { recordLossGradient } from "./loss_gradient.ts";
import { meanDivergence, recordLossRows } from "./loss_rows.ts";
import { lossValues, recordMeanLoss } from "./mean_loss.ts";
import type { Case, Op } from "../op.ts";
import {
  type CrossEntropyAttributes,
  lossOperands,
  meanCrossEntropy,
  someLabels,
  someTargets,
} from "./soft_target.ts";

const SIGNATURE = { name: "distillation loss", logits: 2, own: 3 } as const;

const example = (
  batch: number,
  classes: number,
  labelSmoothing: number,
  { scale = 1, ...soft }: { scale?: number; mixed?: boolean; weighted?: boolean } = {},
): Case<CrossEntropyAttributes> => ({
  inputs: [
    { shape: [batch, classes], sample: (normal) => scale * normal() },
    { shape: [batch, classes], sample: (normal) => scale * normal(), differentiable: false },
    someLabels(batch, classes),
    ...someTargets([batch, classes], { labelSmoothing, ...soft }),
  ],
  attributes: { labelSmoothing, ...soft },
});

/**
 * `distillationLoss(small, teacher, labels)`: logits `[batch, classes]` of both networks, labels
 * `[batch]` of type u32. The batch mean of
 *
 *     cross entropy(small, labels) + KL(softmax(teacher) ‖ softmax(small))
 *
 * with a gradient for the small network alone. `mixed` and `weighted` change the cross entropy and
 * add inputs, as for {@link crossEntropy}; the divergence stays the mean over the batch. Outputs the
 * loss `[1]`, the parts `[4]` = (loss, cross entropy, divergence, 1), and what the gradient reuses.
 */
export const distillationLoss: Op<CrossEntropyAttributes> = {
  name: SIGNATURE.name,
  forward: (trace, inputs, attributes) => {
    const [small, teacher] = inputs;
    const operands = lossOperands(SIGNATURE, inputs, attributes);
    const kind = { p: teacher, q: small, labelled: "q" } as const;
    const rows = recordLossRows(trace, kind, operands, attributes);
    return recordMeanLoss(trace, rows, attributes);
  },
  // dsmall = dy / batch · ((q - target) + (q - p)), p = softmax(teacher), q = softmax(small).
  vjp: (trace, { inputs, outputs, attributes, wanted }, dy) => {
    const none = inputs.map(() => null);
    if (!wanted[0]) return none;
    const [small, teacher] = inputs;
    const dsmall = trace.tensor("dsmall", small.shape);
    recordLossGradient(trace, {
      name: "distillation loss gradient",
      logits: { small, teacher },
      gradients: { dsmall },
      operands: lossOperands(SIGNATURE, inputs, attributes),
      outputs,
      dy,
      wgsl: /* wgsl */ `
  let p = exp(teacher_log_softmax(i, norms.xy));
  let q = exp(small_log_softmax(i, norms.zw));
  let slope_dsmall = scale * (entropy_slope(quad, row, q) + (q - p));`,
    }, attributes);
    return [dsmall, ...none.slice(1)];
  },
  reference: (inputs, attributes) => {
    const { logits: [small, teacher], target, dims } = lossOperands(SIGNATURE, inputs, attributes);
    const entropy = meanCrossEntropy(small, target, dims.smoothing);
    return lossValues(entropy, meanDivergence(teacher, small));
  },
  cases: [
    example(1, 1, 0),
    example(1, 2, 0),
    example(6, 11, 0.1),
    example(67, 10, 0),
    example(7, 65, 0.1, { scale: 5 }),
    example(5, 100, 0),
    example(3, 1000, 0.1),
    example(65, 10, 0, { mixed: true }),
    example(66, 11, 0.1, { weighted: true }),
    example(3, 4099, 0.1),
    example(3, 4099, 0.1, { mixed: true, weighted: true }),
  ],
};
