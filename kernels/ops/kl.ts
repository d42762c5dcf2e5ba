import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import {
  eachQuad,
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
  NORM_LOOPS,
  normOf,
  type Typed,
} from "./softmax.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

type RowDims = { readonly batch: number; readonly classes: number; readonly smoothing: number };

/** KL(softmax(p) ‖ softmax(q)) = Σ_c p_c (log p_c - log q_c) of each row, and a cross entropy. */
function rowsKernel(
  labelled: "p" | "q",
  rows: LogitRows,
): Kernel<"p" | "q" | "labels", "rows", keyof typeof LOGIT_DIMS> {
  return defineKernel({
    name: `cross entropy of ${labelled} and divergence rows${rows.shares > 1 ? ", shared" : ""}`,
    workgroupSize: rows.lanes,
    reads: { p: "small", q: "small", labels: "u32" },
    writes: { rows: "bulk" },
    dims: LOGIT_DIMS,
    wgsl: /* wgsl */ `
${CLASSES}
${overLanes(rows)}
${normOf("p", rows)}
${normOf("q", rows)}
${logSoftmaxOf("p")}
${logSoftmaxOf("q")}
${crossEntropyOf(labelled, rows)}
${
      eachRow(
        rows,
        `let p_norm_of_row = p_norm(row);
  let q_norm_of_row = q_norm(row);
  let entropy = ${labelled}_cross_entropy(row, labels[row], ${labelled}_norm_of_row);
  var sum = vec4f();
  ${eachQuad(rows)} {
    let log_p = p_log_softmax(row * row_quads() + quad, p_norm_of_row);
    let log_q = q_log_softmax(row * row_quads() + quad, q_norm_of_row);
    sum += select(vec4f(), exp(log_p) * (log_p - log_q), is_class(quad));
  }
  sum = sum_over_lanes(sum);
  if (share == 0u) {
    set_rows(row * 2u, vec4f(p_norm_of_row, q_norm_of_row));
    set_rows(row * 2u + 1u, vec4f(entropy, (sum.x + sum.y) + (sum.z + sum.w), 0.0, 0.0));
  }`,
      )
    }`,
    iterations: ({ classes }) =>
      rowIterations(rows, classes, 2 * NORM_LOOPS + CROSS_ENTROPY_LOOPS + 1),
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
  const divided = logitRowsOf(dims.classes);
  trace.run(rowsKernel(labelled, divided), {
    reads: { p, q, labels },
    writes: { rows },
    dims,
    workgroups: rowWorkgroups(divided, dims.batch),
  });
  return rows;
}
