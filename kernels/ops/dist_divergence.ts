import { defineKernel } from "../gpu/kernel.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
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
} from "./divergence.ts";
import {
  eachQuad,
  eachRow,
  type LogitRows,
  logitRowsOf,
  overLanes,
  rowIterations,
  rowWorkgroups,
} from "./logit_rows.ts";
import { logSoftmax, NORM_LOOPS, type Typed } from "./softmax.ts";

/** Attributes of the divergence of relations. */
export interface DistAttributes extends DivergenceAttributes {
  /** The weight of the relations between the classes of an image. */
  readonly beta: number;
  /** The weight of the relations between the images of a class. */
  readonly gamma: number;
}

const NAME = "divergence of relations";

/** Added to the product of two norms, as the authors do. */
const EPS = 1e-8;

const DIMS = { ...DIVERGENCE_DIMS, beta: "f32", gamma: "f32" } as const;

type Dims = DivergenceDims & { readonly beta: number; readonly gamma: number };

/** `beta` and `gamma` come times T². */
function dimsOf(inputs: readonly Typed[], attributes: DistAttributes): Dims {
  const { temperature, beta, gamma } = attributes;
  const dims = divergenceDims(NAME, inputs, attributes);
  checkPartWeights(NAME, { beta, gamma });
  return { ...dims, beta: beta * temperature ** 2, gamma: gamma * temperature ** 2 };
}

/** Rows `[batch, 8]`: the norms of p and q; then Σ a b, Σ a², Σ b² over the classes, a = p - mean. */
const rowsKernel = (rows: LogitRows) =>
  defineKernel({
    name: `${NAME}, rows${rows.shares > 1 ? ", shared" : ""}`,
    workgroupSize: rows.lanes,
    reads: { base: "small", small: "small" },
    writes: { rows: "bulk" },
    dims: DIMS,
    wgsl: /* wgsl */ `
${cooledRows(rows)}
${
      eachRow(
        rows,
        `let norms = vec4f(p_norm(row), q_norm(row));
  let mean = 1.0 / f32(dims.classes);
  ${
          [["ab", "a * b"], ["aa", "a * a"], ["bb", "b * b"]].map(([name, product]) =>
            overClasses(
              rows,
              name,
              `let a = exp(p_log_softmax(i, norms.xy)) - mean;
    let b = exp(q_log_softmax(i, norms.zw)) - mean;
    let ${name}_term = ${product};`,
            )
          ).join("\n  ")
        }
  if (share == 0u) {
    set_rows(row * 2u, norms);
    set_rows(row * 2u + 1u, vec4f(ab, aa, bb, 0.0));
  }`,
      )
    }`,
    iterations: ({ classes }) => rowIterations(rows, classes, 2 * NORM_LOOPS + 3),
  });

/** The lanes of a workgroup share a column. */
const COLUMN: LogitRows = { lanes: 64, shares: 64 };

const EACH_ROW_OF_COLUMN = `for (var row = share; row < dims.batch; row += ${COLUMN.shares}u)`;

/**
 * Columns `[5, classes]`: the means of p and q over the batch, then Σ a b, Σ a², Σ b² over the
 * batch.
 */
const columnsKernel = defineKernel({
  name: `${NAME}, columns`,
  workgroupSize: COLUMN.lanes,
  reads: { base: "small", small: "small", rows: "small" },
  writes: { columns: "bulk" },
  dims: DIMS,
  wgsl: /* wgsl */ `
${COOLED_LOGITS}
${overLanes(COLUMN)}
fn main(workgroup: u32, lane: u32) {
  let quad = workgroup;
  if (quad >= row_quads()) { return; }
  share = lane;
  var p_sum = vec4f();
  var q_sum = vec4f();
  ${EACH_ROW_OF_COLUMN} {
    let norms = rows(row * 2u);
    p_sum += exp(p_log_softmax(row * row_quads() + quad, norms.xy));
    q_sum += exp(q_log_softmax(row * row_quads() + quad, norms.zw));
  }
  let p_mean = sum_over_lanes(p_sum) / f32(dims.batch);
  let q_mean = sum_over_lanes(q_sum) / f32(dims.batch);
  var ab = vec4f();
  var aa = vec4f();
  var bb = vec4f();
  ${EACH_ROW_OF_COLUMN} {
    let norms = rows(row * 2u);
    let a = exp(p_log_softmax(row * row_quads() + quad, norms.xy)) - p_mean;
    let b = exp(q_log_softmax(row * row_quads() + quad, norms.zw)) - q_mean;
    ab += a * b;
    aa += a * a;
    bb += b * b;
  }
  ab = sum_over_lanes(ab);
  aa = sum_over_lanes(aa);
  bb = sum_over_lanes(bb);
  if (lane == 0u) {
    let is_in = is_class(quad);
    set_columns(quad, select(vec4f(), p_mean, is_in));
    set_columns(row_quads() + quad, select(vec4f(), q_mean, is_in));
    set_columns(2u * row_quads() + quad, select(vec4f(), ab, is_in));
    set_columns(3u * row_quads() + quad, select(vec4f(), aa, is_in));
    set_columns(4u * row_quads() + quad, select(vec4f(), bb, is_in));
  }
}`,
  iterations: ({ batch }) =>
    2 * (Math.ceil(batch / COLUMN.shares) + 1) + 5 * (Math.log2(COLUMN.shares) + 1),
});

// β (1 - mean of the rows' correlations) + γ (1 - mean of the columns').
const valueKernel = defineKernel({
  name: `${NAME}, value`,
  workgroupSize: 64,
  reads: { rows: "small", columns: "small" },
  writes: { value: "bulk" },
  dims: DIMS,
  wgsl: /* wgsl */ `
var<workgroup> sums: array<vec2f, 64>;
fn main(workgroup: u32, lane: u32) {
  let row_quads = (dims.classes + 3u) / 4u;
  var sum = vec2f();
  for (var row = lane; row < dims.batch; row += 64u) {
    let of_row = rows(row * 2u + 1u);
    sum.x += of_row.x / (sqrt(of_row.y) * sqrt(of_row.z) + ${EPS});
  }
  for (var quad = lane; quad < row_quads; quad += 64u) {
    let aa = columns(3u * row_quads + quad);
    let bb = columns(4u * row_quads + quad);
    let found = columns(2u * row_quads + quad) / (sqrt(aa) * sqrt(bb) + ${EPS});
    sum.y += (found.x + found.y) + (found.z + found.w);
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) { sum += sums[i]; }
    let mean = sum / vec2f(f32(dims.batch), f32(dims.classes));
    let value = dims.beta * (1.0 - mean.x) + dims.gamma * (1.0 - mean.y);
    set_value(0u, vec4f(value, 0.0, 0.0, 0.0));
  }
}`,
  iterations: ({ batch, classes }) =>
    Math.ceil(batch / 64) + Math.ceil(quads(classes) / 64) + 2 + 64,
});

// Of a correlation r = Σ a b / N with N = |a| |b| + eps, for a and b of mean 0:
//   dr/db = a / N - Σ a b |a| / (|b| N²) b, and the same with a and b exchanged.
// With g that of all correlations for the probabilities y of a row: dlogits = y (g - Σ_c y_c g_c) / T.
const CORRELATION_SLOPES = /* wgsl */ `
fn away(ab: vec4f, own: vec4f, other: vec4f) -> vec4f {
  let n = own * other + ${EPS};
  return select(vec4f(), ab * other / (own * n * n), own > vec4f());
}`;

const gradientKernel = (rows: LogitRows, detach: boolean) => {
  const sides = [
    { y: "q", norm: "zw", of: "dsmall", own: "b", other: "a" },
    ...detach ? [] : [{ y: "p", norm: "xy", of: "dbase", own: "a", other: "b" }],
  ];
  return defineKernel({
    name: `${NAME} gradient${detach ? ", detached" : ""}${rows.shares > 1 ? ", shared" : ""}`,
    workgroupSize: rows.lanes,
    reads: { base: "small", small: "small", rows: "small", columns: "small", dy: "channel" },
    writes: { ...(detach ? {} : { dbase: "bulk" }), dsmall: "bulk" } as Record<string, "bulk">,
    dims: DIMS,
    wgsl: /* wgsl */ `
${COOLED_LOGITS}
${overLanes(rows)}
${CORRELATION_SLOPES}
fn towards(own: vec4f, other: vec4f, ab: vec4f, own_norm: vec4f, other_norm: vec4f) -> vec4f {
  return other / (own_norm * other_norm + ${EPS}) - away(ab, own_norm, other_norm) * own;
}
${
      sides.map(({ y, own, other }) => /* wgsl */ `
fn ${y}_slope(row: u32, quad: u32, norms: vec4f, of_row: vec4f) -> vec4f {
  let i = row * row_quads() + quad;
  let p_i = exp(p_log_softmax(i, norms.xy));
  let q_i = exp(q_log_softmax(i, norms.zw));
  let a = p_i - 1.0 / f32(dims.classes);
  let b = q_i - 1.0 / f32(dims.classes);
  let a_norm = vec4f(sqrt(of_row.y));
  let b_norm = vec4f(sqrt(of_row.z));
  let along_row = towards(${own}, ${other}, vec4f(of_row.x), ${own}_norm, ${other}_norm);
  let a_down = p_i - columns(quad);
  let b_down = q_i - columns(row_quads() + quad);
  let a_down_norm = sqrt(columns(3u * row_quads() + quad));
  let b_down_norm = sqrt(columns(4u * row_quads() + quad));
  let ab = columns(2u * row_quads() + quad);
  let down = towards(${own}_down, ${other}_down, ab, ${own}_down_norm, ${other}_down_norm);
  let slope = dims.beta / f32(dims.batch) * along_row + dims.gamma / f32(dims.classes) * down;
  return select(vec4f(), -slope, is_class(quad));
}`).join("")
    }
${
      eachRow(
        rows,
        `let norms = rows(row * 2u);
  let of_row = rows(row * 2u + 1u);
  let scale = dy(0u).x * dims.cool;
  ${
          sides.map(({ y, norm, of }) =>
            `${
              overClasses(
                rows,
                `${y}_mean`,
                `let ${y}_mean_term = exp(${y}_log_softmax(i, norms.${norm})) * ${y}_slope(row, quad, norms, of_row);`,
              )
            }
  ${eachQuad(rows)} {
    let i = row * row_quads() + quad;
    let surplus = ${y}_slope(row, quad, norms, of_row) - ${y}_mean;
    let d = scale * exp(${y}_log_softmax(i, norms.${norm})) * surplus;
    set_${of}(i, select(vec4f(), d, is_class(quad)));
  }`
          ).join("\n  ")
        }`,
      )
    }`,
    iterations: ({ classes }) => rowIterations(rows, classes, 2 * sides.length),
  });
};

/** The correlation of `count` numbers of x and of y, from `start` on, `step` apart. */
function correlation(
  [x, y]: readonly Float64Array[],
  { start, step, count }: { start: number; step: number; count: number },
): number {
  const meanOf = (term: (i: number) => number): number => {
    let sum = 0;
    for (let k = 0; k < count; k++) sum += term(start + k * step);
    return sum / count;
  };
  const [xMean, yMean] = [meanOf((i) => x[i]), meanOf((i) => y[i])];
  const xy = count * meanOf((i) => (x[i] - xMean) * (y[i] - yMean));
  const xx = count * meanOf((i) => (x[i] - xMean) ** 2);
  const yy = count * meanOf((i) => (y[i] - yMean) ** 2);
  return xy / (Math.sqrt(xx) * Math.sqrt(yy) + EPS);
}

function reference(inputs: readonly Values[], attributes: DistAttributes): Values[] {
  const { batch, classes, beta, gamma } = dimsOf(inputs, attributes);
  const pair = inputs.map((logits) =>
    logSoftmax(cooled(logits, attributes.temperature)).map(Math.exp)
  );
  let inter = 0;
  for (let n = 0; n < batch; n++) {
    inter += correlation(pair, { start: n * classes, step: 1, count: classes }) / batch;
  }
  let intra = 0;
  for (let c = 0; c < classes; c++) {
    intra += correlation(pair, { start: c, step: classes, count: batch }) / classes;
  }
  return [divergenceValue(beta * (1 - inter) + gamma * (1 - intra))];
}

const example = (
  batch: number,
  classes: number,
  { temperature = 1, detach = false, beta = 1, gamma = 1, scale = 1 } = {},
): Case<DistAttributes> =>
  divergenceCase({ batch, classes, scale }, { temperature, detach, beta, gamma });

/**
 * `distDivergence(base, small)`: logits `[batch, classes]` of both networks. How far relations are
 * from those of the base (DIST: Huang et al. 2022, arXiv 2205.10536): of the softmax p of base / T
 * and q of small / T, with ρ Pearson's correlation,
 *
 *     T² (beta (1 - mean over images n of ρ(p_n, q_n)) + gamma (1 - mean over classes c of ρ(p_c, q_c)))
 *
 * where p_n are the probabilities of an image and p_c those of a class over the batch. With gradient
 * through both logits, or with `detach` through those of the small network alone. 1e-8 is added to
 * the products of deviations, as the authors do, so that what does not vary correlates with nothing.
 * Outputs its value `[1]`, and what the gradient reuses.
 */
export const distDivergence: Op<DistAttributes> = {
  name: NAME,
  forward: (trace, inputs, attributes) => {
    const [base, small] = inputs;
    const dims = dimsOf(inputs, attributes);
    const rows = trace.tensor("relations of images", [dims.batch, 8]);
    const columns = trace.tensor("relations of classes", [5, dims.classes]);
    const value = trace.tensor("divergence", [1]);
    const divided = logitRowsOf(dims.classes);
    trace.run(rowsKernel(divided), {
      reads: { base, small },
      writes: { rows },
      dims,
      workgroups: rowWorkgroups(divided, dims.batch),
    });
    trace.run(columnsKernel, {
      reads: { base, small, rows },
      writes: { columns },
      dims,
      workgroups: quads(dims.classes),
    });
    trace.run(valueKernel, {
      reads: { rows, columns },
      writes: { value },
      dims,
      workgroups: 1,
    });
    return [value, rows, columns];
  },
  vjp: (trace, { inputs, outputs: [, rows, columns], attributes, wanted }, dy) => {
    const [base, small] = inputs;
    const dims = dimsOf(inputs, attributes);
    const detach = attributes.detach || !wanted[0];
    const dsmall = trace.tensor("dsmall", small.shape);
    const dbase: Tensor | null = detach ? null : trace.tensor("dbase", base.shape);
    const divided = logitRowsOf(dims.classes);
    trace.run(gradientKernel(divided, detach), {
      reads: { base, small, rows, columns, dy },
      writes: { ...(dbase && { dbase }), dsmall },
      dims,
      workgroups: rowWorkgroups(divided, dims.batch),
    });
    return [dbase, wanted[1] ? dsmall : null];
  },
  reference,
  cases: [
    example(2, 3),
    example(6, 11, { temperature: 4, beta: 2, gamma: 2 }),
    example(65, 10),
    example(131, 10, { temperature: 0.5, beta: 0 }),
    example(7, 63, { temperature: 3, scale: 5, gamma: 0.5 }),
    example(1, 5, { gamma: 0 }),
    example(5, 100, { temperature: 4, detach: true }),
    example(3, 4097, { temperature: 2, scale: 3 }),
  ],
};
