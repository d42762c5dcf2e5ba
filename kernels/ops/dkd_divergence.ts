import { defineKernel } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Case, Op, Values } from "../op.ts";
import {
  checkPartWeights,
  cooled,
  COOLED_LOGITS,
  cooledRows,
  DIVERGENCE_DIMS,
  type DivergenceAttributes,
  divergenceCase,
  type DivergenceDims,
  divergenceDims,
  divergenceValue,
  overClasses,
  recordMeanDivergence,
} from "./divergence.ts";
import {
  eachQuad,
  eachRow,
  type LogitRows,
  logitRowsOf,
  rowIterations,
  rowWorkgroups,
} from "./logit_rows.ts";
import { type LossOperands, lossOperands, someLabels, someTargets } from "./soft_target.ts";
import { logSoftmax, NORM_LOOPS, type Typed } from "./softmax.ts";

/** Attributes of the decoupled divergence. */
export interface DkdAttributes extends DivergenceAttributes {
  /** The weight of the divergence between target class and all others. */
  readonly alpha: number;
  /** The weight of the divergence among the others. */
  readonly beta: number;
  /** Whether images are mixed of two, as for the cross entropy. */
  readonly mixed?: boolean;
}

const NAME = "decoupled divergence";

const DIMS = { ...DIVERGENCE_DIMS, alpha: "f32", beta: "f32" } as const;

interface Operands<T> {
  readonly target: LossOperands<T>["target"];
  readonly dims: DivergenceDims & { readonly alpha: number; readonly beta: number };
}

function operandsOf<T extends Typed>(inputs: readonly T[], attributes: DkdAttributes): Operands<T> {
  const { alpha, beta, mixed } = attributes;
  const signature = { name: NAME, logits: 2, own: 3 };
  const { target } = lossOperands(signature, inputs, { labelSmoothing: 0, mixed });
  const dims = divergenceDims(NAME, inputs, attributes);
  checkPartWeights(NAME, { alpha, beta });
  if (dims.classes < 2) {
    throw new TypeError(`Cannot apply ${NAME}: wanted logits of two classes or more, found one`);
  }
  return { target, dims: { ...dims, alpha, beta } };
}

/** The targets of an image: an expression for its class, and one for its share. */
function targetsOf(mixed: boolean): readonly { label: string; share: string }[] {
  if (!mixed) return [{ label: "labels[row]", share: "1.0" }];
  return [
    { label: "labels[row]", share: "shares[row]" },
    { label: "others[row]", share: "(1.0 - shares[row])" },
  ];
}

const targetReads = (mixed: boolean) =>
  mixed ? { labels: "u32", others: "u32", shares: "f32" } as const : { labels: "u32" } as const;

function targetOperands<T>({ labels, mix }: Operands<T>["target"]): Record<string, T> {
  return { labels, ...mix };
}

/** WGSL of `x_others_norm(row, target)`: the norm of the softmax over all classes but the target. */
function othersNormOf(x: string, rows: LogitRows): string {
  return /* wgsl */ `
fn ${x}_others_norm(row: u32, target_class: u32) -> vec2f {
  let start = row * row_quads();
  var high = vec4f(-3.0e38);
  ${eachQuad(rows)} {
    high = max(high, select(vec4f(-3.0e38), ${x}(start + quad), is_other(quad, target_class)));
  }
  high = max_over_lanes(high);
  let m = max(max(high.x, high.y), max(high.z, high.w));
  var sum = vec4f();
  ${eachQuad(rows)} {
    sum += select(vec4f(), exp(${x}(start + quad) - m), is_other(quad, target_class));
  }
  return vec2f(m, log(sum_of(sum_over_lanes(sum))));
}`;
}

const OTHERS = /* wgsl */ `
fn is_other(quad: u32, target_class: u32) -> vec4<bool> {
  return is_class(quad) & (class_of(quad) != vec4u(target_class));
}
// log of the probabilities of target class and of all others, of p and of q.
fn binary(row: u32, target_class: u32, norms: vec4f, others: vec4f) -> vec4f {
  let i = row * row_quads() + target_class / 4u;
  let own = vec2f(p_log_softmax(i, norms.xy)[target_class & 3u], q_log_softmax(i, norms.zw)[target_class & 3u]);
  return vec4f(own, (others.x + others.y) - (norms.x + norms.y), (others.z + others.w) - (norms.z + norms.w));
}`;

/**
 * Rows `[batch, 4 n]`: the norms of p and of q; for each target those over the other classes, and
 * (divergence among these, 0, 0, 0); then (divergence, 0, 0, 0).
 */
const rowsKernel = (rows: LogitRows, mixed: boolean) => {
  const targets = targetsOf(mixed);
  const quads = 2 + 2 * targets.length;
  return defineKernel({
    name: `${NAME} rows${mixed ? ", mixed" : ""}${rows.shares > 1 ? ", shared" : ""}`,
    workgroupSize: rows.lanes,
    reads: { base: "small", small: "small", ...targetReads(mixed) } as Record<
      string,
      "small" | "u32" | "f32"
    >,
    writes: { rows: "bulk" },
    dims: DIMS,
    wgsl: /* wgsl */ `
${cooledRows(rows)}
${OTHERS}
${othersNormOf("p", rows)}
${othersNormOf("q", rows)}
${
      eachRow(
        rows,
        `let norms = vec4f(p_norm(row), q_norm(row));
  var total = 0.0;
  ${
          targets.map(({ label, share }, k) =>
            `let target_${k} = min(${label}, dims.classes - 1u);
  let others_${k} = vec4f(p_others_norm(row, target_${k}), q_others_norm(row, target_${k}));
  let logs_${k} = binary(row, target_${k}, norms, others_${k});
  ${
              overClasses(
                rows,
                `among_${k}`,
                `let log_p = p_log_softmax(i, others_${k}.xy);
    let terms = exp(log_p) * (log_p - q_log_softmax(i, others_${k}.zw));
    let among_${k}_term = select(vec4f(), terms, is_other(quad, target_${k}));`,
              )
            }
  total += ${share} * (dims.alpha * (exp(logs_${k}.x) * (logs_${k}.x - logs_${k}.y)
    + exp(logs_${k}.z) * (logs_${k}.z - logs_${k}.w)) + dims.beta * among_${k});`
          ).join("\n  ")
        }
  if (share == 0u) {
    set_rows(row * ${quads}u, norms);
    ${
          targets.map((_, k) =>
            `set_rows(row * ${quads}u + ${2 * k + 1}u, others_${k});
    set_rows(row * ${quads}u + ${2 * k + 2}u, vec4f(among_${k}, 0.0, 0.0, 0.0));`
          ).join("\n    ")
        }
    set_rows(row * ${quads}u + ${quads - 1}u, vec4f(total, 0.0, 0.0, 0.0));
  }`,
      )
    }`,
    iterations: ({ classes }) =>
      rowIterations(rows, classes, 2 * NORM_LOOPS + targets.length * (2 * NORM_LOOPS + 1)),
  });
};

// With p_t, q_t the probabilities of the target, p', q' the softmax over the other classes c,
// L = log(p_t / q_t) - log((1 - p_t) / (1 - q_t)), and D' the divergence of p' and q':
//   dsmall_t = α (q_t - p_t)           dsmall_c = -α (q_t - p_t) q'_c + β (q'_c - p'_c)
//   dbase_t  = α L p_t (1 - p_t)       dbase_c  = -α L p_t (1 - p_t) p'_c
//                                                 + β p'_c (log p'_c - log q'_c - D')
// times dy T / batch.
const gradientKernel = (mixed: boolean, detach: boolean) => {
  const targets = targetsOf(mixed);
  const quads = 2 + 2 * targets.length;
  return defineKernel({
    name: `${NAME} gradient${mixed ? ", mixed" : ""}${detach ? ", detached" : ""}`,
    workgroupSize: 64,
    reads: {
      ...{ base: "small", small: "small", rows: "small" },
      ...targetReads(mixed),
      dy: "channel",
    } as Record<string, "small" | "u32" | "f32" | "channel">,
    writes: { ...(detach ? {} : { dbase: "bulk" }), dsmall: "bulk" } as Record<string, "bulk">,
    dims: DIMS,
    wgsl: /* wgsl */ `
${COOLED_LOGITS}
${OTHERS}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let row = i / row_quads();
  let quad = i % row_quads();
  if (row >= dims.batch) { return; }
  let norms = rows(row * ${quads}u);
  let scale = dy(0u).x / (dims.cool * f32(dims.batch));
  var of_base = vec4f();
  var of_small = vec4f();
  ${
      targets.map(({ label, share }, k) =>
        `{
    let target_class = min(${label}, dims.classes - 1u);
    let others = rows(row * ${quads}u + ${2 * k + 1}u);
    let logs = binary(row, target_class, norms, others);
    let log_p = p_log_softmax(i, others.xy);
    let log_q = q_log_softmax(i, others.zw);
    let other = is_other(quad, target_class);
    let more = exp(logs.y) - exp(logs.x);
    let small_others = dims.beta * (exp(log_q) - exp(log_p)) - dims.alpha * more * exp(log_q);
    of_small += ${share} * select(vec4f(dims.alpha * more), small_others, other);
    ${
          detach ? "" : `let among = rows(row * ${quads}u + ${2 * k + 2}u).x;
    let turn = dims.alpha * (logs.x - logs.y - logs.z + logs.w) * exp(logs.x) * exp(logs.z);
    let base_others = exp(log_p) * (dims.beta * (log_p - log_q - among) - turn);
    of_base += ${share} * select(vec4f(turn), base_others, other);`
        }
  }`
      ).join("\n  ")
    }
  set_dsmall(i, select(vec4f(), scale * of_small, is_class(quad)));
  ${detach ? "" : "set_dbase(i, select(vec4f(), scale * of_base, is_class(quad)));"}
}`,
  });
};

/** The divergence of one row with one target class, in float64. */
function ofTarget(
  p: Float64Array,
  q: Float64Array,
  target: number,
  { alpha, beta }: Pick<DkdAttributes, "alpha" | "beta">,
): number {
  const othersOf = (log: Float64Array): { all: number; among: Float64Array } => {
    const rest = log.filter((_, c) => c !== target);
    const high = rest.reduce((a, b) => Math.max(a, b), -Infinity);
    const all = high + Math.log(rest.reduce((sum, x) => sum + Math.exp(x - high), 0));
    return { all, among: rest.map((x) => x - all) };
  };
  const [ofP, ofQ] = [othersOf(p), othersOf(q)];
  const binary = Math.exp(p[target]) * (p[target] - q[target]) +
    Math.exp(ofP.all) * (ofP.all - ofQ.all);
  const among = ofP.among.reduce((sum, x, c) => sum + Math.exp(x) * (x - ofQ.among[c]), 0);
  return alpha * binary + beta * among;
}

function reference(inputs: readonly Values[], attributes: DkdAttributes): Values[] {
  const { target: { labels, mix }, dims: { batch, classes } } = operandsOf(inputs, attributes);
  const { temperature } = attributes;
  const [p, q] = inputs.slice(0, 2).map((logits) => logSoftmax(cooled(logits, temperature)));
  let sum = 0;
  for (let n = 0; n < batch; n++) {
    const rows = [p, q].map((log) => log.subarray(n * classes, (n + 1) * classes));
    const of = (label: number): number => ofTarget(rows[0], rows[1], label, attributes);
    const share = mix ? mix.shares.data[n] : 1;
    sum += share * of(labels.data[n]) + (mix ? (1 - share) * of(mix.others.data[n]) : 0);
  }
  return [divergenceValue(temperature ** 2 * sum / batch)];
}

const example = (
  batch: number,
  classes: number,
  { temperature = 1, detach = false, alpha = 1, beta = 8, mixed = false, scale = 1 } = {},
): Case<DkdAttributes> => {
  const more = [
    someLabels(batch, classes),
    ...someTargets([batch, classes], { labelSmoothing: 0, mixed }),
  ];
  return divergenceCase({ batch, classes, scale, more }, {
    ...{ temperature, detach, alpha, beta, mixed },
  });
};

/**
 * `dkdDivergence(base, small, labels)`: logits `[batch, classes]` of both networks, labels `[batch]`
 * of type u32. Decoupled knowledge distillation (Zhao et al. 2022, arXiv 2203.08679): of the softmax
 * p of base / T and q of small / T, with p_t and q_t their parts of the label's class and p', q' their
 * softmax over all other classes, the batch mean of
 *
 *     T² (alpha KL((p_t, 1 - p_t) ‖ (q_t, 1 - q_t)) + beta KL(p' ‖ q'))
 *
 * With beta = 1 - p_t it would be the KL divergence. With gradient through both logits, or with
 * `detach` through those of the small network alone. With `mixed`, `dkdDivergence(base, small,
 * labels, others, shares)`: the mean for both classes of an image, by their shares. Outputs its value
 * `[1]`, and what the gradient reuses. Wants two classes or more.
 */
export const dkdDivergence: Op<DkdAttributes> = {
  name: NAME,
  forward: (trace, inputs, attributes) => {
    const [base, small] = inputs;
    const { target, dims } = operandsOf(inputs, attributes);
    const { mixed = false, temperature } = attributes;
    const rows = trace.tensor("divergence rows", [dims.batch, 8 + 8 * targetsOf(mixed).length]);
    const divided = logitRowsOf(dims.classes);
    trace.run(rowsKernel(divided, mixed), {
      reads: { base, small, ...targetOperands(target) },
      writes: { rows },
      dims,
      workgroups: rowWorkgroups(divided, dims.batch),
    });
    return [recordMeanDivergence(trace, rows, temperature ** 2), rows];
  },
  vjp: (trace, { inputs, outputs: [, rows], attributes, wanted }, dy) => {
    const [base, small] = inputs;
    const { target, dims } = operandsOf(inputs, attributes);
    const { mixed = false } = attributes;
    const detach = attributes.detach || !wanted[0];
    const dsmall = trace.tensor("dsmall", small.shape);
    const dbase: Tensor | null = detach ? null : trace.tensor("dbase", base.shape);
    trace.run(gradientKernel(mixed, detach), {
      reads: { base, small, rows, ...targetOperands(target), dy },
      writes: { ...(dbase && { dbase }), dsmall },
      dims,
      workgroups: Math.ceil(dsmall.quads / 64),
    });
    return [dbase, wanted[1] ? dsmall : null, ...inputs.slice(2).map(() => null)];
  },
  reference,
  cases: [
    example(1, 2, { beta: 3 }),
    example(6, 11, { temperature: 4 }),
    example(65, 10, { alpha: 2, beta: 0.5 }),
    example(131, 10, { temperature: 0.5, beta: 0 }),
    example(7, 63, { temperature: 3, scale: 5, alpha: 0 }),
    example(5, 100, { temperature: 4, detach: true }),
    example(9, 10, { temperature: 2, mixed: true }),
    example(7, 13, { temperature: 2, mixed: true, detach: true }),
    example(3, 4097, { temperature: 2 }),
    example(3, 4099, { temperature: 2, mixed: true }),
  ],
};
