import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Values } from "../op.ts";
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
  type CrossEntropyAttributes,
  crossEntropyLoops,
  crossEntropyOf,
  LOSS_DIMS,
  type LossOperands,
  targetOperands,
  targetReads,
} from "./soft_target.ts";
import { CLASSES, logSoftmax, logSoftmaxOf, NORM_LOOPS, normOf } from "./softmax.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** The logits whose divergence is taken, and those that have the labels. */
interface RowsKind {
  readonly logits: readonly ("p" | "q")[];
  readonly labelled: "p" | "q";
}

/** KL(softmax(p) ‖ softmax(q)) = Σ_c p_c (log p_c - log q_c) of each row, and a cross entropy. */
function rowsKernel(
  { logits, labelled }: RowsKind,
  rows: LogitRows,
  attributes: CrossEntropyAttributes,
): Kernel<string, "rows", keyof typeof LOSS_DIMS> {
  const pair = logits.length === 2;
  const of = pair ? `cross entropy of ${labelled} and divergence rows` : "cross entropy rows";
  const shared = rows.shares > 1 ? ", shared" : "";
  const divergence = /* wgsl */ `
  ${eachQuad(rows)} {
    let log_p = p_log_softmax(row * row_quads() + quad, norms.xy);
    let log_q = q_log_softmax(row * row_quads() + quad, norms.zw);
    sum += select(vec4f(), exp(log_p) * (log_p - log_q), is_class(quad));
  }
  sum = sum_over_lanes(sum);`;
  return defineKernel({
    name: `${of}${attributes.mixed ? ", mixed" : ""}${attributes.weighted ? ", weighted" : ""}` +
      shared,
    workgroupSize: rows.lanes,
    reads: {
      ...Object.fromEntries(logits.map((x) => [x, "small" as const])),
      ...targetReads(attributes),
    },
    writes: { rows: "bulk" },
    dims: LOSS_DIMS,
    wgsl: /* wgsl */ `
${CLASSES}
${overLanes(rows)}
${logits.map((x) => normOf(x, rows) + logSoftmaxOf(x)).join("\n")}
${crossEntropyOf(labelled, rows, attributes)}
${
      eachRow(
        rows,
        `let norms = vec4f(p_norm(row), ${pair ? "q_norm(row)" : "0.0, 0.0"});
  let entropy = ${labelled}_cross_entropy(row, norms.${labelled === "p" ? "xy" : "zw"});
  var sum = vec4f();
  ${pair ? divergence : ""}
  if (share == 0u) {
    set_rows(row * 2u, norms);
    set_rows(row * 2u + 1u, vec4f(entropy.x, (sum.x + sum.y) + (sum.z + sum.w), entropy.yz));
  }`,
      )
    }`,
    iterations: ({ classes }) => {
      const loops = logits.length * NORM_LOOPS + crossEntropyLoops(attributes) + (pair ? 1 : 0);
      return rowIterations(rows, classes, loops);
    },
  });
}

/**
 * Records, row by row, the cross entropy of the `labelled` logits and, where there are two, the
 * divergence KL(softmax(p) ‖ softmax(q)). Gives rows `[batch, 8]`: the norms of p and of q (two
 * numbers each), cross entropy, divergence, the weight of the target without smoothing, Σ_c w_c
 * target_c; 0 for what there is not.
 */
export function recordLossRows(
  trace: Trace,
  { p, q, labelled }: { p: Tensor; q?: Tensor; labelled: "p" | "q" },
  { target, dims }: LossOperands<Tensor>,
  attributes: CrossEntropyAttributes,
): Tensor {
  const rows = trace.tensor("loss rows", [dims.batch, 8]);
  const divided = logitRowsOf(dims.classes);
  const kind: RowsKind = { logits: q ? ["p", "q"] : ["p"], labelled };
  trace.run(rowsKernel(kind, divided, attributes), {
    reads: { p, ...(q && { q }), ...targetOperands(target) },
    writes: { rows },
    dims,
    workgroups: rowWorkgroups(divided, dims.batch),
  });
  return rows;
}

/** The mean of KL(softmax(p) ‖ softmax(q)) over the rows, in float64. */
export function meanDivergence(p: Values, q: Values): number {
  const logq = logSoftmax(q);
  const sum = logSoftmax(p).reduce(
    (total, logp, i) => total + Math.exp(logp) * (logp - logq[i]),
    0,
  );
  return sum / p.shape[0];
}
