import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op, Values } from "../op.ts";
import { elements, quads, type Tensor } from "../gpu/tensor.ts";

/** Elements from which on a row of Q takes an invocation; fewer take one workgroup. */
const MANY = 1024;

const DIMS = { count: "u32", columns: "u32", row_words: "u32", pair_words: "u32" } as const;

// Where element i of x and element (i, j) of Q lie: rows are padded.
const AT = /* wgsl */ `
fn x_at(i: u32) -> u32 { return (i / dims.columns) * dims.row_words + i % dims.columns; }
fn pair_at(i: u32, j: u32) -> u32 { return i * dims.pair_words + j; }`;

const forward = defineKernel({
  name: "quadratic form",
  workgroupSize: 64,
  reads: { x: "f32", pairs: "f32", singles: "f32", constant: "f32" },
  writes: { y: "bulk" },
  dims: DIMS,
  wgsl: /* wgsl */ `
${AT}
var<workgroup> sums: array<f32, 64>;
fn main(workgroup: u32, lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < dims.count; i += 64u) {
    var row = singles[i];
    for (var j = 0u; j < dims.count; j++) { row = fma(pairs[pair_at(i, j)], x[x_at(j)], row); }
    sum = fma(x[x_at(i)], row, sum);
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var k = 1u; k < 64u; k++) { sum += sums[k]; }
    set_y(0u, vec4f(constant[0] + sum, 0.0, 0.0, 0.0));
  }
}`,
  iterations: ({ count }) => Math.ceil(count / 64) * (count + 2) + 1 + 64,
});

const rowTerms = defineKernel({
  name: "quadratic form rows",
  workgroupSize: 64,
  reads: { x: "f32", pairs: "f32", singles: "f32" },
  writes: { terms: "f32" },
  dims: DIMS,
  wgsl: /* wgsl */ `
${AT}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  if (i >= dims.count) { return; }
  var row = singles[i];
  for (var j = 0u; j < dims.count; j++) { row = fma(pairs[pair_at(i, j)], x[x_at(j)], row); }
  terms[i] = x[x_at(i)] * row;
}`,
  iterations: ({ count }) => count + 1,
});

const sumOfTerms = defineKernel({
  name: "quadratic form sum",
  workgroupSize: 64,
  reads: { terms: "f32", constant: "f32" },
  writes: { y: "bulk" },
  dims: { count: "u32" },
  wgsl: /* wgsl */ `
var<workgroup> sums: array<f32, 64>;
fn main(workgroup: u32, lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < dims.count; i += 64u) { sum += terms[i]; }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var k = 1u; k < 64u; k++) { sum += sums[k]; }
    set_y(0u, vec4f(constant[0] + sum, 0.0, 0.0, 0.0));
  }
}`,
  iterations: ({ count }) => Math.ceil(count / 64) + 1 + 64,
});

const backward = defineKernel({
  name: "quadratic form gradient",
  workgroupSize: 64,
  reads: { x: "f32", pairs: "f32", singles: "f32", dy: "f32" },
  writes: { dx: "f32" },
  dims: DIMS,
  wgsl: /* wgsl */ `
${AT}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  if (i >= dims.count) { return; }
  var sum = singles[i];
  for (var j = 0u; j < dims.count; j++) {
    sum = fma(pairs[pair_at(i, j)] + pairs[pair_at(j, i)], x[x_at(j)], sum);
  }
  dx[x_at(i)] = dy[0] * sum;
}`,
  iterations: ({ count }) => count + 1,
});

function check([x, pairs, singles, constant]: readonly (Tensor | Values)[]): void {
  const n = elements(x.shape);
  if (
    x.shape.length !== 2 || String(pairs.shape) !== `${n},${n}` ||
    String(singles.shape) !== `${n}` ||
    String(constant.shape) !== "1"
  ) {
    throw new TypeError(
      `Cannot apply quadratic form on x [${x.shape}]: wanted pairs [${n},${n}], singles [${n}] and ` +
        `a constant [1], found [${pairs.shape}], [${singles.shape}] and [${constant.shape}]`,
    );
  }
}

function dims({ shape: [rows, columns] }: Tensor): Record<keyof typeof DIMS, number> {
  const count = rows * columns;
  return { count, columns, row_words: quads(columns) * 4, pair_words: quads(count) * 4 };
}

const on = (rows: number, columns: number): Case<object> => {
  const n = rows * columns;
  const given = (...shape: number[]) => ({ shape, differentiable: false });
  return { inputs: [[rows, columns], given(n, n), given(n), given(1)], attributes: {} };
};

/**
 * `quadraticForm(x, pairs, singles, constant)`: constant + Σ_i singles_i x_i + Σ_ij pairs_ij x_i
 * x_j `[1]` of all n elements of x `[rows, columns]`; pairs `[n, n]`, singles `[n]`, constant
 * `[1]`. The gradient is that of x.
 */
export const quadraticForm: Op = {
  name: "quadratic form",
  forward: (trace, inputs) => {
    check(inputs);
    const [x, pairs, singles, constant] = inputs;
    const y = trace.tensor("quadratic form", [1]);
    const count = elements(x.shape);
    if (count > MANY) {
      const terms = trace.tensor("quadratic form terms", [count]);
      trace.run(rowTerms, {
        reads: { x, pairs, singles },
        writes: { terms },
        dims: dims(x),
        workgroups: Math.ceil(count / 64),
      });
      const reads = { terms, constant };
      trace.run(sumOfTerms, { reads, writes: { y }, dims: { count }, workgroups: 1 });
      return [y];
    }
    trace.run(forward, {
      reads: { x, pairs, singles, constant },
      writes: { y },
      dims: dims(x),
      workgroups: 1,
    });
    return [y];
  },
  vjp: (trace, { inputs: [x, pairs, singles] }, dy) => {
    const dx = trace.tensor("quadratic form gradient", x.shape);
    trace.clear(dx);
    trace.run(backward, {
      reads: { x, pairs, singles, dy },
      writes: { dx },
      dims: dims(x),
      workgroups: Math.ceil(elements(x.shape) / 64),
    });
    return [dx, null, null, null];
  },
  reference: (inputs) => {
    check(inputs);
    const [x, pairs, singles, constant] = inputs;
    let sum = constant.data[0];
    x.data.forEach((a, i) => {
      sum += singles.data[i] * a;
      x.data.forEach((b, j) => sum += pairs.data[i * x.data.length + j] * a * b);
    });
    return [{ shape: [1], data: Float64Array.of(sum) }];
  },
  cases: [on(1, 1), on(7, 3), on(5, 5), on(23, 4), on(345, 3)],
};
