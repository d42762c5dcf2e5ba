import type { CrossEntropyAttributes } from "./cross_entropy.ts";
import { pairDims, recordPairRows } from "./kl.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import {
  checkVector,
  CLASSES,
  LOGIT_DIMS,
  logSoftmaxOf,
  lossValues,
  meanCrossEntropy,
  meanDivergence,
  recordMeanLoss,
  someLabels,
  TARGET,
  type Typed,
} from "./softmax.ts";

/** Attributes of the adjoined loss. */
export interface AdjoinedLossAttributes extends CrossEntropyAttributes {
  /** Whether the divergence gives no gradient to the base logits, as for a fixed teacher. */
  readonly detach: boolean;
}

/**
 * With p = softmax(base), q = softmax(small), and D the divergence of the row:
 *
 *     dbase  = dy / batch · (p - target + lambda p (log p - log q - D))
 *     dsmall = dy / batch · lambda (q - p)
 */
function gradientKernel(
  detach: boolean,
): Kernel<
  "base" | "small" | "rows" | "labels" | "lambda" | "dy",
  "dbase" | "dsmall",
  keyof typeof LOGIT_DIMS
> {
  return defineKernel({
    name: `adjoined loss gradient${detach ? ", detached" : ""}`,
    workgroupSize: 64,
    reads: {
      base: "small",
      small: "small",
      rows: "small",
      labels: "u32",
      lambda: "channel",
      dy: "channel",
    },
    writes: { dbase: "bulk", dsmall: "bulk" },
    dims: LOGIT_DIMS,
    wgsl: /* wgsl */ `
${CLASSES}
${TARGET}
${logSoftmaxOf("base")}
${logSoftmaxOf("small")}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let row = i / row_quads();
  let quad = i % row_quads();
  if (row >= dims.batch) { return; }
  let norms = rows(row * 2u);
  let log_p = base_log_softmax(i, norms.xy);
  let log_q = small_log_softmax(i, norms.zw);
  let p = exp(log_p);
  let q = exp(log_q);
  let weight = lambda(0u).x;
  let scale = dy(0u).x / f32(dims.batch);
  var slope = p - target_of(quad, labels[row]);
  ${detach ? "" : "slope += weight * p * (log_p - log_q - rows(row * 2u + 1u).y);"}
  set_dbase(i, select(vec4f(), scale * slope, is_class(quad)));
  set_dsmall(i, select(vec4f(), scale * weight * (q - p), is_class(quad)));
}`,
  });
}

function dimsOf(
  [base, small, labels, lambda]: readonly Typed[],
  { labelSmoothing }: AdjoinedLossAttributes,
): ReturnType<typeof pairDims> {
  checkVector("adjoined loss", "lambda", 1, lambda);
  return pairDims("adjoined loss", [base, small], labels, labelSmoothing);
}

const example = (
  { batch, classes, lambda, labelSmoothing = 0, detach = false, scale = 1 }: {
    batch: number;
    classes: number;
    lambda: number;
    labelSmoothing?: number;
    detach?: boolean;
    scale?: number;
  },
): Case<AdjoinedLossAttributes> => ({
  inputs: [
    // The finite differences of a check know of no detaching.
    { shape: [batch, classes], sample: (normal) => scale * normal(), differentiable: !detach },
    { shape: [batch, classes], sample: (normal) => scale * normal() },
    someLabels(batch, classes),
    { shape: [1], sample: () => lambda, differentiable: false },
  ],
  attributes: { labelSmoothing, detach },
});

/**
 * `adjoinedLoss(base, small, labels, lambda)`: logits `[batch, classes]` of both networks, labels
 * `[batch]` of type u32, lambda `[1]`. The batch mean of
 *
 *     cross entropy(base, labels) + lambda · KL(softmax(base) ‖ softmax(small))
 *
 * with gradient through both logits (arXiv 2006.05624); with `detach` the divergence
 * moves the small network alone. Outputs the loss `[1]`, the parts `[4]` = (loss, cross entropy,
 * divergence, 1), and what the gradient reuses. lambda has no gradient.
 */
export const adjoinedLoss: Op<AdjoinedLossAttributes> = {
  name: "adjoined loss",
  forward: (trace, inputs, attributes) => {
    const [base, small, labels, lambda] = inputs;
    const dims = dimsOf(inputs, attributes);
    const rows = recordPairRows(trace, { p: base, q: small, labels, labelled: "p", dims });
    return [...recordMeanLoss(trace, rows, lambda), rows];
  },
  vjp: (trace, { inputs, outputs: [, , rows], attributes, wanted }, dy) => {
    if (!wanted[0] && !wanted[1]) return [null, null, null, null];
    const [base, small, labels, lambda] = inputs;
    const dbase = trace.tensor("dbase", base.shape);
    const dsmall = trace.tensor("dsmall", small.shape);
    trace.run(gradientKernel(attributes.detach), {
      reads: { base, small, rows, labels, lambda, dy },
      writes: { dbase, dsmall },
      dims: dimsOf(inputs, attributes),
      workgroups: Math.ceil(dbase.quads / 64),
    });
    return [wanted[0] ? dbase : null, wanted[1] ? dsmall : null, null, null];
  },
  reference: (inputs, attributes) => {
    const [base, small, labels, lambda] = inputs;
    const { smoothing } = dimsOf(inputs, attributes);
    const entropy = meanCrossEntropy(base, labels, smoothing);
    return lossValues(entropy, meanDivergence(base, small), lambda.data[0]);
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
    example({ batch: 3, classes: 4097, lambda: 0.5, labelSmoothing: 0.1 }),
  ],
};
