import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Op } from "../op.ts";
import {
  cooled,
  COOLED_LOGITS,
  cooledRows,
  DIVERGENCE_DIMS,
  type DivergenceAttributes,
  divergenceCase,
  divergenceDims,
  divergenceValue,
  overClasses,
  recordMeanDivergence,
} from "./divergence.ts";
import {
  eachRow,
  type LogitRows,
  logitRowsOf,
  rowIterations,
  rowWorkgroups,
} from "./logit_rows.ts";
import { meanDivergence } from "./loss_rows.ts";
import { NORM_LOOPS } from "./softmax.ts";

const NAME = "KL divergence";

/** Rows `[batch, 8]`: the norms of p and of q, two numbers each, and the divergence. */
const rowsKernel = (
  rows: LogitRows,
): Kernel<"base" | "small", "rows", keyof typeof DIVERGENCE_DIMS> =>
  defineKernel({
    name: `KL divergence rows${rows.shares > 1 ? ", shared" : ""}`,
    workgroupSize: rows.lanes,
    reads: { base: "small", small: "small" },
    writes: { rows: "bulk" },
    dims: DIVERGENCE_DIMS,
    wgsl: /* wgsl */ `
${cooledRows(rows)}
${
      eachRow(
        rows,
        `let norms = vec4f(p_norm(row), q_norm(row));
  ${
          overClasses(
            rows,
            "divergence",
            `let log_p = p_log_softmax(i, norms.xy);
    let divergence_term = exp(log_p) * (log_p - q_log_softmax(i, norms.zw));`,
          )
        }
  if (share == 0u) {
    set_rows(row * 2u, norms);
    set_rows(row * 2u + 1u, vec4f(divergence, 0.0, 0.0, 0.0));
  }`,
      )
    }`,
    iterations: ({ classes }) => rowIterations(rows, classes, 2 * NORM_LOOPS + 1),
  });

// With p and q the softmax of logits / T, and D the divergence of the row:
//   dbase  = dy T / batch · p (log p - log q - D)
//   dsmall = dy T / batch · (q - p)
const gradientKernel = (detach: boolean) =>
  defineKernel({
    name: `KL divergence gradient${detach ? ", detached" : ""}`,
    workgroupSize: 64,
    reads: { base: "small", small: "small", rows: "small", dy: "channel" },
    writes: { ...(detach ? {} : { dbase: "bulk" }), dsmall: "bulk" } as Record<string, "bulk">,
    dims: DIVERGENCE_DIMS,
    wgsl: /* wgsl */ `
${COOLED_LOGITS}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let row = i / row_quads();
  let is_in = is_class(i % row_quads());
  if (row >= dims.batch) { return; }
  let norms = rows(row * 2u);
  let scale = dy(0u).x / (dims.cool * f32(dims.batch));
  let log_p = p_log_softmax(i, norms.xy);
  let log_q = q_log_softmax(i, norms.zw);
  ${
      detach ? "" : `let surplus = log_p - log_q - rows(row * 2u + 1u).x;
  set_dbase(i, select(vec4f(), scale * exp(log_p) * surplus, is_in));`
    }
  set_dsmall(i, select(vec4f(), scale * (exp(log_q) - exp(log_p)), is_in));
}`,
  });

const example = (
  batch: number,
  classes: number,
  { temperature = 1, detach = false, scale = 1 } = {},
) => divergenceCase({ batch, classes, scale }, { temperature, detach });

/**
 * `klDivergence(base, small)`: logits `[batch, classes]` of both networks. The batch mean of
 *
 *     T² KL(softmax(base / T) ‖ softmax(small / T))
 *
 * with gradient through both logits, or with `detach` through those of the small network alone.
 * Outputs its value `[1]`, and what the gradient reuses.
 */
export const klDivergence: Op<DivergenceAttributes> = {
  name: NAME,
  forward: (trace, inputs, attributes) => {
    const [base, small] = inputs;
    const dims = divergenceDims(NAME, inputs, attributes);
    const rows = trace.tensor("divergence rows", [dims.batch, 8]);
    const divided = logitRowsOf(dims.classes);
    trace.run(rowsKernel(divided), {
      reads: { base, small },
      writes: { rows },
      dims,
      workgroups: rowWorkgroups(divided, dims.batch),
    });
    return [recordMeanDivergence(trace, rows, attributes.temperature ** 2), rows];
  },
  vjp: (trace, { inputs, outputs: [, rows], attributes, wanted }, dy) => {
    const [base, small] = inputs;
    const detach = attributes.detach || !wanted[0];
    const dsmall = trace.tensor("dsmall", small.shape);
    const dbase = detach ? undefined : trace.tensor("dbase", base.shape);
    trace.run(gradientKernel(detach), {
      reads: { base, small, rows, dy },
      writes: { ...(dbase && { dbase }), dsmall },
      dims: divergenceDims(NAME, inputs, attributes),
      workgroups: Math.ceil(dsmall.quads / 64),
    });
    return [dbase ?? null, wanted[1] ? dsmall : null];
  },
  reference: (inputs, attributes) => {
    divergenceDims(NAME, inputs, attributes);
    const { temperature } = attributes;
    const [base, small] = inputs.map((logits) => cooled(logits, temperature));
    return [divergenceValue(temperature ** 2 * meanDivergence(base, small))];
  },
  cases: [
    example(1, 1),
    // Far apart: of a divergence near 0, the rounding of a logarithm is too large a part.
    example(1, 2, { temperature: 2, scale: 6 }),
    example(6, 11, { temperature: 4 }),
    example(65, 10),
    example(131, 10, { temperature: 0.5 }),
    example(7, 63, { temperature: 3, scale: 5 }),
    example(5, 100, { temperature: 4, detach: true }),
    example(3, 4097, { temperature: 2 }),
  ],
};
