import { LANES } from "../wgsl/elementwise.ts";
import type { Shaped } from "../wgsl/geometry.ts";
import { defineKernel } from "../gpu/kernel.ts";
import type { Case, Op, Values } from "../op.ts";
import { elements, quads, type Tensor } from "../gpu/tensor.ts";
import { walk, WALK_DIMS, walkIterations, walkOver } from "../wgsl/walk.ts";
import { range } from "../wgsl/blocked.ts";
import type { Trace } from "../program/trace.ts";

/** Attributes of a selection. */
export interface SelectAttributes {
  /** Indices along the last axis but one, none of them twice. Default: all, in order. */
  readonly rows?: readonly number[];
  /** Indices along the last axis, none of them twice. Default: all, in order. */
  readonly columns?: readonly number[];
}

/** The place in a table of what is not selected. */
const NONE = 2 ** 32 - 1;

const DIMS = { ...WALK_DIMS, columns: "u32", other_quads: "u32", other_rows: "u32" } as const;

// Rows of y are walked; x has `other_rows` rows of `other_quads` vec4 for each `width` of y.
const forward = defineKernel({
  name: "select",
  workgroupSize: LANES,
  reads: { x: "bulk", rows: "u32", columns: "u32" },
  writes: { y: "bulk" },
  dims: DIMS,
  wgsl: walk({
    once: `let first = row * dims.other_rows;
  let column = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u);
  let kept = column < vec4u(dims.columns);
  let last = dims.columns - 1u;
  let source = vec4u(
    columns[min(column.x, last)],
    columns[min(column.y, last)],
    columns[min(column.z, last)],
    columns[min(column.w, last)],
  );
  let quad = source >> vec4u(2u);
  let part = source & vec4u(3u);`,
    body: `
    let start = (first + rows[w]) * dims.other_quads;
    set_y(at, select(vec4f(), vec4f(
      x(start + quad.x)[part.x],
      x(start + quad.y)[part.y],
      x(start + quad.z)[part.z],
      x(start + quad.w)[part.w],
    ), kept));`,
  }),
  iterations: (dims) => walkIterations(dims),
});

// The selected rows of dx are walked; `places` says for each column of x where it is in dy, which
// has `other_quads` vec4 in a row.
const backward = (accumulate: boolean) =>
  defineKernel({
    name: `select gradient${accumulate ? ", added" : ""}`,
    workgroupSize: LANES,
    reads: { dy: "bulk", rows: "u32", places: "u32" },
    writes: { dx: accumulate ? "update" : "bulk" },
    dims: DIMS,
    wgsl: /* wgsl */ `
fn gradient_at(start: u32, place: u32) -> f32 {
  if (place == ${NONE}u) { return 0.0; }
  return dy(start + (place >> 2u))[place & 3u];
}` + walk({
      once: `let first = row * dims.other_rows;
  let column = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u);
  let last = dims.columns - 1u;
  let place = select(vec4u(${NONE}u), vec4u(
    places[min(column.x, last)],
    places[min(column.y, last)],
    places[min(column.z, last)],
    places[min(column.w, last)],
  ), column < vec4u(dims.columns));`,
      body: `
    let start = (row * dims.width + w) * dims.other_quads;
    let into = (first + rows[w]) * dims.channel_quads + c;
    set_dx(into, ${accumulate ? "dx(into) + " : ""}vec4f(
      gradient_at(start, place.x),
      gradient_at(start, place.y),
      gradient_at(start, place.z),
      gradient_at(start, place.w),
    ));`,
    }),
    iterations: (dims) => walkIterations(dims),
  });

const GRADIENTS = [backward(false), backward(true)];

/** The axes of a shape: what lies before the rows, rows and columns. */
function axesOf({ shape }: Shaped): { outer: number; rows: number; columns: number } {
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return { outer: elements(shape.slice(0, -2)), rows, columns };
}

/** Raises a `RangeError` for indices that are none of the axis, or twice the same. */
function checkIndices(axis: string, indices: readonly number[] | undefined, size: number): void {
  if (!indices) return;
  const found = indices.find((i, at) =>
    !(Number.isInteger(i) && i >= 0 && i < size) || indices.indexOf(i) < at
  );
  if (indices.length && found === undefined) return;
  throw new RangeError(
    `Cannot apply select: wanted different indices of ${axis}, from 0 to ${size - 1}, found ` +
      (found === undefined ? "none" : `${found} in a list of ${indices.length}`),
  );
}

function outputShape(x: Shaped, { rows, columns }: SelectAttributes): number[] {
  if (x.shape.length < (rows ? 2 : 1)) {
    throw new TypeError(
      `Cannot apply select: wanted an input with ${
        rows ? "rows and columns" : "channels"
      }, found ` +
        `shape [${x.shape}]`,
    );
  }
  const axes = axesOf(x);
  checkIndices("rows", rows, axes.rows);
  checkIndices("columns", columns, axes.columns);
  const shape = [...x.shape];
  if (rows) shape[shape.length - 2] = rows.length;
  if (columns) shape[shape.length - 1] = columns.length;
  return shape;
}

/** The walk over some rows of each of the outer ones; all pixels are one row where all are taken. */
function rowsOf(
  trace: Trace,
  { outer, rows }: { outer: number; rows: number },
  selected: readonly number[] | undefined,
): { rows: number; width: number; other_rows: number; table: Tensor } {
  const taken = selected ?? range(rows);
  const table = trace.constant("rows", taken);
  return { rows: outer, width: taken.length, other_rows: rows, table };
}

function record(trace: Trace, x: Tensor, y: Tensor, attributes: SelectAttributes): void {
  const axes = axesOf(x);
  const { table, ...rows } = rowsOf(trace, axes, attributes.rows);
  const columns = attributes.columns ?? range(axes.columns);
  const { dims, workgroups } = walkOver({ ...rows, channels: columns.length });
  trace.run(forward, {
    reads: { x, rows: table, columns: trace.constant("columns", columns) },
    writes: { y },
    dims: {
      ...dims,
      columns: columns.length,
      other_quads: quads(axes.columns),
      other_rows: rows.other_rows,
    },
    workgroups,
    touched: { x: 4 * y.quads },
  });
}

function recordGradient(
  trace: Trace,
  { x, dy, into, accumulate }: { x: Shaped; dy: Tensor; into: Tensor; accumulate: boolean },
  attributes: SelectAttributes,
): void {
  const axes = axesOf(x);
  const { table, ...rows } = rowsOf(trace, axes, attributes.rows);
  const columns = attributes.columns ?? range(axes.columns);
  const places = Array<number>(axes.columns).fill(NONE);
  columns.forEach((column, place) => places[column] = place);
  const { dims, workgroups } = walkOver({ ...rows, channels: axes.columns });
  trace.run(GRADIENTS[Number(accumulate)], {
    reads: { dy, rows: table, places: trace.constant("places", places) },
    writes: { dx: into },
    dims: {
      ...dims,
      columns: axes.columns,
      other_quads: quads(columns.length),
      other_rows: rows.other_rows,
    },
    workgroups,
  });
}

function on(shape: readonly number[], attributes: SelectAttributes): Case<SelectAttributes> {
  return { inputs: [shape], attributes };
}

/**
 * `select(x)`: `y[..., i, j] = x[..., rows[i], columns[j]]`, of any shape: channels of an image in any
 * order, or the part of a weight `[..., inputs, outputs]` that belongs to some channels. Raises a
 * `RangeError` for indices that are none, or twice the same.
 */
export const select: Op<SelectAttributes> = {
  name: "select",
  forward: (trace, [x], attributes) => {
    const y = trace.tensor("select", outputShape(x, attributes));
    record(trace, x, y, attributes);
    return [y];
  },
  vjp: (trace, { inputs: [x], attributes }, dy) => [{
    complete: !attributes.rows,
    write: (into, accumulate) => recordGradient(trace, { x, dy, into, accumulate }, attributes),
  }],
  reference: ([x], attributes): Values[] => {
    const shape = outputShape(x, attributes);
    const { outer, ...axes } = axesOf(x);
    const { rows = range(axes.rows), columns = range(axes.columns) } = attributes;
    const data = new Float64Array(elements(shape));
    let at = 0;
    for (let n = 0; n < outer; n++) {
      for (const row of rows) {
        for (const column of columns) {
          data[at++] = x.data[(n * axes.rows + row) * axes.columns + column];
        }
      }
    }
    return [{ shape, data }];
  },
  cases: [
    on([1], { columns: [0] }),
    on([9], { columns: [8, 1, 2, 5, 0] }),
    on([65, 3], { columns: [2, 0] }),
    on([2, 7, 5, 17], { columns: [16, 3, 4, 0, 11, 9] }),
    on([1, 13, 11, 20], { columns: range(20).reverse() }),
    on([3, 3, 9, 14], { rows: [1, 8, 2], columns: [13, 0, 7, 6, 5] }),
    on([1, 1, 6, 5], { rows: [5, 4, 1] }),
    on([30, 10], { rows: range(15).map((i) => 2 * i), columns: [1, 2, 3] }),
    on([5, 5, 1, 23], { columns: [22, 21, 4] }),
  ],
};
