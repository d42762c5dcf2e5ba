import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import {
  eachRow,
  type LogitRows,
  logitRowsOf,
  overLanes,
  rowIterations,
  rowWorkgroups,
} from "./logit_rows.ts";
import {
  checkLogits,
  checkSmoothing,
  CLASSES,
  CROSS_ENTROPY_LOOPS,
  crossEntropyOf,
  LOGIT_DIMS,
  logSoftmaxOf,
  lossValues,
  meanCrossEntropy,
  NORM_LOOPS,
  normOf,
  recordMeanLoss,
  someLabels,
  TARGET,
  type Typed,
} from "./softmax.ts";

/** Attributes of a loss on labels. */
export interface CrossEntropyAttributes {
  /** The share of the target that is spread evenly over all classes. */
  readonly labelSmoothing: number;
}

const rowsKernel = (rows: LogitRows) =>
  defineKernel({
    name: `cross entropy rows${rows.shares > 1 ? ", shared" : ""}`,
    workgroupSize: rows.lanes,
    reads: { logits: "small", labels: "u32" },
    writes: { rows: "bulk" },
    dims: LOGIT_DIMS,
    wgsl: /* wgsl */ `
${CLASSES}
${overLanes(rows)}
${normOf("logits", rows)}
${logSoftmaxOf("logits")}
${crossEntropyOf("logits", rows)}
${
      eachRow(
        rows,
        `let norm = logits_norm(row);
  let entropy = logits_cross_entropy(row, labels[row], norm);
  if (share == 0u) {
    set_rows(row * 2u, vec4f(norm, 0.0, 0.0));
    set_rows(row * 2u + 1u, vec4f(entropy, 0.0, 0.0, 0.0));
  }`,
      )
    }`,
    iterations: ({ classes }) => rowIterations(rows, classes, NORM_LOOPS + CROSS_ENTROPY_LOOPS),
  });

/** dlogits = dy / batch · (softmax(logits) - target). */
const gradientKernel = defineKernel({
  name: "cross entropy gradient",
  workgroupSize: 64,
  reads: { logits: "small", rows: "small", labels: "u32", dy: "channel" },
  writes: { dlogits: "bulk" },
  dims: LOGIT_DIMS,
  wgsl: /* wgsl */ `
${CLASSES}
${TARGET}
${logSoftmaxOf("logits")}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let row = i / row_quads();
  let quad = i % row_quads();
  if (row >= dims.batch) { return; }
  let p = exp(logits_log_softmax(i, rows(row * 2u).xy));
  let slope = dy(0u).x / f32(dims.batch) * (p - target_of(quad, labels[row]));
  set_dlogits(i, select(vec4f(), slope, is_class(quad)));
}`,
});

function dimsOf(
  logits: Typed,
  labels: Typed,
  { labelSmoothing }: CrossEntropyAttributes,
): { batch: number; classes: number; smoothing: number } {
  checkLogits("cross entropy", [logits], labels);
  checkSmoothing("cross entropy", labelSmoothing);
  return { batch: logits.shape[0], classes: logits.shape[1], smoothing: labelSmoothing };
}

const example = (
  batch: number,
  classes: number,
  labelSmoothing: number,
  scale = 1,
): Case<CrossEntropyAttributes> => ({
  inputs: [
    { shape: [batch, classes], sample: (normal) => scale * normal() },
    someLabels(batch, classes),
  ],
  attributes: { labelSmoothing },
});

/**
 * `crossEntropy(logits, labels)`: logits `[batch, classes]`, labels `[batch]` of type u32. The
 * batch mean of -Σ_c target_c log softmax(logits)_c, where the target is
 * (1 - labelSmoothing) [c = label] + labelSmoothing / classes, as in PyTorch.
 * Outputs the loss `[1]`, the parts `[4]` = (loss, cross entropy, 0, 1), and what the gradient
 * reuses. A label that is no class makes the loss NaN.
 */
export const crossEntropy: Op<CrossEntropyAttributes> = {
  name: "cross entropy",
  forward: (trace, [logits, labels], attributes) => {
    const dims = dimsOf(logits, labels, attributes);
    const rows = trace.tensor("cross entropy rows", [dims.batch, 8]);
    const divided = logitRowsOf(dims.classes);
    trace.run(rowsKernel(divided), {
      reads: { logits, labels },
      writes: { rows },
      dims,
      workgroups: rowWorkgroups(divided, dims.batch),
    });
    return [...recordMeanLoss(trace, rows), rows];
  },
  vjp: (trace, { inputs: [logits, labels], outputs: [, , rows], attributes, wanted }, dy) => {
    if (!wanted[0]) return [null, null];
    const dlogits = trace.tensor("dlogits", logits.shape);
    trace.run(gradientKernel, {
      reads: { logits, rows, labels, dy },
      writes: { dlogits },
      dims: dimsOf(logits, labels, attributes),
      workgroups: Math.ceil(dlogits.quads / 64),
    });
    return [dlogits, null];
  },
  reference: ([logits, labels], attributes) => {
    const { smoothing } = dimsOf(logits, labels, attributes);
    return lossValues(meanCrossEntropy(logits, labels, smoothing));
  },
  cases: [
    example(1, 1, 0),
    example(3, 1, 0.1),
    example(1, 2, 0),
    example(6, 11, 0.1),
    example(65, 10, 0),
    example(131, 10, 0.3),
    example(7, 63, 0.1, 5),
    example(5, 100, 1),
    example(9, 1000, 0),
    example(2, 1000, 0.1, 30),
    example(3, 4097, 0.1),
  ],
};
