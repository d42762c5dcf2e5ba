import type { CrossEntropyAttributes } from "./cross_entropy.ts";
import { pairDims, recordPairRows } from "./kl.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import {
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

/** dsmall = dy / batch · ((q - target) + (q - p)), p = softmax(teacher), q = softmax(small). */
const gradientKernel = defineKernel({
  name: "distillation loss gradient",
  workgroupSize: 64,
  reads: { small: "small", teacher: "small", rows: "small", labels: "u32", dy: "channel" },
  writes: { dsmall: "bulk" },
  dims: LOGIT_DIMS,
  wgsl: /* wgsl */ `
${CLASSES}
${TARGET}
${logSoftmaxOf("small")}
${logSoftmaxOf("teacher")}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let row = i / row_quads();
  let quad = i % row_quads();
  if (row >= dims.batch) { return; }
  let norms = rows(row * 2u);
  let p = exp(teacher_log_softmax(i, norms.xy));
  let q = exp(small_log_softmax(i, norms.zw));
  let slope = (q - target_of(quad, labels[row])) + (q - p);
  set_dsmall(i, select(vec4f(), dy(0u).x / f32(dims.batch) * slope, is_class(quad)));
}`,
});

function dimsOf(
  [small, teacher, labels]: readonly Typed[],
  { labelSmoothing }: CrossEntropyAttributes,
): ReturnType<typeof pairDims> {
  return pairDims("distillation loss", [small, teacher], labels, labelSmoothing);
}

const example = (
  batch: number,
  classes: number,
  labelSmoothing: number,
  scale = 1,
): Case<CrossEntropyAttributes> => ({
  inputs: [
    { shape: [batch, classes], sample: (normal) => scale * normal() },
    { shape: [batch, classes], sample: (normal) => scale * normal(), differentiable: false },
    someLabels(batch, classes),
  ],
  attributes: { labelSmoothing },
});

/**
 * `distillationLoss(small, teacher, labels)`: logits `[batch, classes]` of both networks, labels
 * `[batch]` of type u32. The batch mean of
 *
 *     cross entropy(small, labels) + KL(softmax(teacher) ‖ softmax(small))
 *
 * with a gradient for the small network alone. Outputs the loss `[1]`, the parts `[4]` = (loss,
 * cross entropy, divergence, 1), and what the gradient reuses.
 */
export const distillationLoss: Op<CrossEntropyAttributes> = {
  name: "distillation loss",
  forward: (trace, inputs, attributes) => {
    const [small, teacher, labels] = inputs;
    const dims = dimsOf(inputs, attributes);
    const rows = recordPairRows(trace, { p: teacher, q: small, labels, labelled: "q", dims });
    return [...recordMeanLoss(trace, rows), rows];
  },
  vjp: (trace, { inputs, outputs: [, , rows], attributes, wanted }, dy) => {
    if (!wanted[0]) return [null, null, null];
    const [small, teacher, labels] = inputs;
    const dsmall = trace.tensor("dsmall", small.shape);
    trace.run(gradientKernel, {
      reads: { small, teacher, rows, labels, dy },
      writes: { dsmall },
      dims: dimsOf(inputs, attributes),
      workgroups: Math.ceil(dsmall.quads / 64),
    });
    return [dsmall, null, null];
  },
  reference: (inputs, attributes) => {
    const [small, teacher, labels] = inputs;
    const { smoothing } = dimsOf(inputs, attributes);
    const entropy = meanCrossEntropy(small, labels, smoothing);
    return lossValues(entropy, meanDivergence(teacher, small));
  },
  cases: [
    example(1, 1, 0),
    example(1, 2, 0),
    example(6, 11, 0.1),
    example(67, 10, 0),
    example(7, 65, 0.1, 5),
    example(5, 100, 0),
    example(3, 1000, 0.1),
    example(3, 4099, 0.1),
  ],
};
