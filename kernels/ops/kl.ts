import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import {
  checkLogits,
  checkSmoothing,
  CLASSES,
  crossEntropyOf,
  LOGIT_DIMS,
  logSoftmaxOf,
  ROW_LANES,
  type Typed,
} from "./softmax.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

type RowDims = { readonly batch: number; readonly classes: number; readonly smoothing: number };

/** One row per invocation: KL(softmax(p) ‖ softmax(q)) = Σ_c p_c (log p_c - log q_c). */
function rowsKernel(
  labelled: "p" | "q",
): Kernel<"p" | "q" | "labels", "rows", keyof typeof LOGIT_DIMS> {
  return defineKernel({
    name: `cross entropy of ${labelled} and divergence rows`,
    workgroupSize: ROW_LANES,
    reads: { p: "small", q: "small", labels: "u32" },
    writes: { rows: "bulk" },
    dims: LOGIT_DIMS,
    wgsl: /* wgsl */ `
${CLASSES}
${logSoftmaxOf("p")}
${logSoftmaxOf("q")}
${crossEntropyOf(labelled)}
fn main(workgroup: u32, lane: u32) {
  let row = workgroup * ${ROW_LANES}u + lane;
  if (row >= dims.batch) { return; }
  let p_norm_of_row = p_norm(row);
  let q_norm_of_row = q_norm(row);
  let entropy = ${labelled}_cross_entropy(row, labels[row], ${labelled}_norm_of_row);
  var sum = vec4f();
  for (var quad = 0u; quad < row_quads(); quad++) {
    let log_p = p_log_softmax(row * row_quads() + quad, p_norm_of_row);
    let log_q = q_log_softmax(row * row_quads() + quad, q_norm_of_row);
    sum += select(vec4f(), exp(log_p) * (log_p - log_q), is_class(quad));
  }
  set_rows(row * 2u, vec4f(p_norm_of_row, q_norm_of_row));
  set_rows(row * 2u + 1u, vec4f(entropy, (sum.x + sum.y) + (sum.z + sum.w), 0.0, 0.0));
}`,
  });
}

/** The numbers of a loss on two logits `[batch, classes]`. Raises errors in its name. */
export function pairDims(
  name: string,
  logits: readonly [Typed, Typed],
  labels: Typed,
  smoothing: number,
): RowDims {
  checkLogits(name, logits, labels);
  checkSmoothing(name, smoothing);
  const [batch, classes] = logits[0].shape;
  return { batch, classes, smoothing };
}

/**
 * Records, row by row, the cross entropy of the `labelled` logits and KL(softmax(p) ‖ softmax(q)).
 * Gives rows `[batch, 8]`: the norms of p and of q (two numbers each), cross entropy, divergence.
 */
export function recordPairRows(
  trace: Trace,
  { p, q, labels, labelled, dims }: {
    p: Tensor;
    q: Tensor;
    labels: Tensor;
    labelled: "p" | "q";
    dims: RowDims;
  },
): Tensor {
  const rows = trace.tensor("loss rows", [dims.batch, 8]);
  trace.run(rowsKernel(labelled), {
    reads: { p, q, labels },
    writes: { rows },
    dims,
    workgroups: Math.ceil(dims.batch / ROW_LANES),
  });
  return rows;
}
