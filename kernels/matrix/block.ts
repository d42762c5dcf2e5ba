import { range, unroll } from "../wgsl/blocked.ts";
import { hiddenRounds } from "./emulated.ts";
import type { MatrixOperand, MatrixOperations, MatrixPlace } from "./operations.ts";
import type { MatrixTile } from "./tile.ts";

/** Halves between one line of a staged operand and the next: 16 bytes, so that banks differ. */
const PADDING = 8;

/** Floats between one row of staged sums and the next. */
const SUM_PADDING = 4;

/** Columns of sums that a subgroup stores at a time, by way of workgroup memory. */
const STRIP = 32;

/** How an operand of a tile is staged: by rows, or by columns. */
type Order = MatrixPlace["order"];

/** How both operands of a tile are staged: those whose neighbours in memory share a row, by rows. */
export interface StagedOrders {
  readonly left: Order;
  readonly right: Order;
}

/** An operand of a tile in workgroup memory, in lines of vec4. */
export interface StagedOperand {
  /** Vec4 of a line. */
  readonly quads: number;
  /** WGSL that stores `value`, a `vec4<f16>`, as vec4 `quad` of line `line`. */
  put(place: { readonly line: string; readonly quad: string }, value: string): string;
}

/** The WGSL of a kernel that multiplies tiles of matrices; `lane` is the invocation. */
export interface MatrixBlock {
  /** Whether it needs the device's matrix units. */
  readonly matrixUnits: boolean;
  /** Invocations of the workgroup. */
  readonly invocations: number;
  /** Bytes of workgroup memory. */
  readonly bytes: number;
  /** Declares workgroup memory. */
  readonly declared: string;
  /** Once, in the beginning: names the subgroup's place in the tile, and its sums, of zeros. */
  readonly begin: string;
  /** The left operand of a slice, `[rows, depth]`. */
  readonly left: StagedOperand;
  /** The right operand of a slice, `[depth, columns]`. */
  readonly right: StagedOperand;
  /** Adds the product of the staged slice to the sums; the operands are there for all. */
  readonly multiply: string;
  /** The most iterations of loops of {@link multiply}. */
  readonly multiplyIterations: number;
  /**
   * WGSL that runs `each` for all vec4 of the result: in it `row` and `quad` are its place in the
   * tile, `value` is a `vec4f`. All invocations come to it.
   */
  store(each: string): string;
  /** The most iterations of loops of {@link store}. */
  readonly storeIterations: number;
}

/** The layout of a staged operand. */
function staged(
  name: string,
  [rows, columns]: readonly [number, number],
  { order, vectors }: { readonly order: Order; readonly vectors: boolean },
): StagedOperand & {
  declared: string;
  bytes: number;
  place(row: string, column: string): MatrixPlace;
} {
  const [lines, line] = order === "rows" ? [rows, columns] : [columns, rows];
  const scalars = line + PADDING;
  // Scalars of an element.
  const wide = vectors ? 4 : 1;
  const stride = scalars / wide;
  const type = vectors ? "vec4<f16>" : "f16";
  const at = (line: string, along: string): string =>
    `(${line}) * ${stride}u + ${vectors ? `(${along}) / 4u` : along}`;
  return {
    quads: line / 4,
    declared: `var<workgroup> ${name}: array<${type}, ${lines * stride}>;`,
    bytes: lines * scalars * 2,
    put: ({ line, quad }, value) =>
      vectors ? `${name}[(${line}) * ${stride}u + ${quad}] = ${value};` : `{
        let at = (${line}) * ${stride}u + (${quad}) * 4u;
        let value = ${value};
        ${unroll(4, (u) => `${name}[at + ${u}u] = value[${u}];`)}
      }`,
    place: (row, column) => ({
      array: name,
      at: order === "rows" ? at(row, column) : at(column, row),
      stride,
      order,
    }),
  };
}

/** The most iterations of a loop whose body has so many, and one for leaving it. */
function looped(count: number, iterations: number): number {
  return count * (1 + iterations) + 1;
}

/** Whether matrices of a size, and the lanes of subgroups, divide a tile evenly. */
export function dividesEvenly(
  { size, lanes }: Pick<MatrixOperations, "size" | "lanes">,
  { rows, columns, depth, high, wide }: MatrixTile,
): boolean {
  const invocations = rows / high * columns / wide * lanes;
  const strip = Math.min(wide, STRIP);
  return [
    ...[high / size.rows, wide / size.columns, depth / size.depth, rows / high, columns / wide],
    ...[rows * depth / 4 / invocations, columns * depth / 4 / invocations],
    ...[wide / strip, strip / size.columns, size.rows * strip / 4 / lanes],
  ].every((share) => Number.isInteger(share) && share > 0);
}

/** Raises a `RangeError` for a tile that matrices and subgroups do not divide evenly. */
function demandEven(tile: MatrixTile, { size, lanes }: MatrixOperations): void {
  if (dividesEvenly({ size, lanes }, tile)) return;
  throw new RangeError(
    `Cannot use tile ${tile.name}: wanted matrices of ${size.rows}x${size.columns}x${size.depth} ` +
      `and subgroups of ${lanes} lanes that divide it evenly`,
  );
}

/**
 * The parts of a kernel that multiplies by matrix units out of workgroup memory. Raises a
 * `RangeError` for a tile that cannot be divided evenly.
 */
export function matrixBlock(
  operations: MatrixOperations,
  tile: MatrixTile,
  orders: StagedOrders,
): MatrixBlock {
  demandEven(tile, operations);
  const { rows, columns, depth, high, wide } = tile;
  const { size, lanes, vectors } = operations;
  const [down, across, steps] = [high / size.rows, wide / size.columns, depth / size.depth];
  const subgroups = rows / high * columns / wide;
  const left = staged("left_tile", [rows, depth], { order: orders.left, vectors });
  const right = staged("right_tile", [depth, columns], { order: orders.right, vectors });
  const stripWide = Math.min(wide, STRIP);
  const stride = (stripWide + SUM_PADDING) / (vectors ? 4 : 1);
  const strip = size.rows * stride;
  // Loops over matrices: unrolled, with numbers for their variables, where sums have names.
  const loop = (variable: string, count: number, body: (i: number | string) => string): string =>
    operations.unrolled
      ? unroll(count, (i) => `{ ${body(i)} }`)
      : `for (var ${variable} = 0u; ${variable} < ${hiddenRounds(count)}; ${variable}++) {
      ${body(variable)}
    }`;
  const times = (i: number | string, factor: number): string =>
    typeof i === "number" ? `${i * factor}u` : `${i} * ${factor}u`;
  const sum = (i: number | string, j: number | string): string =>
    operations.sum(
      typeof i === "number" && typeof j === "number"
        ? i * across + j
        : `${times(i, across)} + ${typeof j === "number" ? `${j}u` : j}`,
    );
  const leftOf = (i: number | string, k: number | string): MatrixOperand =>
    operations.left(
      `left_${i}`,
      left.place(`high_at + ${times(i, size.rows)}`, times(k, size.depth)),
    );
  const rightOf = (j: number | string, k: number | string): MatrixOperand =>
    operations.right(
      `right_${j}`,
      right.place(times(k, size.depth), `wide_at + ${times(j, size.columns)}`),
    );
  const product = (left: MatrixOperand, right: MatrixOperand, sum: string): string =>
    operations.multiply(sum, left, right);
  const multiply = operations.unrolled
    ? unroll(steps, (k) => {
      const lefts = range(down).map((i) => leftOf(i, k));
      const rights = range(across).map((j) => rightOf(j, k));
      return `{
      ${[...lefts, ...rights].map(({ loaded }) => loaded).join("\n")}
      ${unroll(down, (i) => unroll(across, (j) => product(lefts[i], rights[j], sum(i, j))))}
    }`;
    })
    : loop("step", steps, (k) =>
      loop("i", down, (i) => {
        const left = leftOf(i, k);
        return left.loaded + loop("j", across, (j) => {
          const right = rightOf(j, k);
          return right.loaded + product(left, right, sum(i, j));
        });
      }));
  const quads = stripWide / 4;
  const turns = size.rows * quads / lanes;
  const strips = wide / stripWide;
  const perStrip = across / strips;
  const stored = (i: number | string, part: number | string, each: string): string =>
    `workgroupBarrier();
  ${
      loop("j", perStrip, (j) => {
        const column = typeof part === "number" && typeof j === "number"
          ? part * perStrip + j
          : `${times(part, perStrip)} + ${j}`;
        return operations.store(sum(i, column), {
          array: "sums_tile",
          at: `strip_at + ${times(j, vectors ? size.columns / 4 : size.columns)}`,
          stride,
          order: "rows",
        });
      })
    }
  workgroupBarrier();
  for (var turn = 0u; turn < ${turns}u; turn++) {
    let place = turn * ${lanes}u + lane % ${lanes}u;
    ${
      vectors
        ? `let value = sums_tile[strip_at + place / ${quads}u * ${stride}u + place % ${quads}u];`
        : `let sum_at = strip_at + place / ${quads}u * ${stride}u + place % ${quads}u * 4u;
    let value = vec4f(${range(4).map((u) => `sums_tile[sum_at + ${u}u]`).join(", ")});`
    }
    let row = high_at + ${times(i, size.rows)} + place / ${quads}u;
    let quad = wide_at / 4u + ${times(part, quads)} + place % ${quads}u;
    ${each}
  }`;
  return {
    matrixUnits: operations.matrixUnits,
    invocations: subgroups * lanes,
    bytes: left.bytes + right.bytes + subgroups * size.rows * (stripWide + SUM_PADDING) * 4,
    declared: [
      left.declared,
      right.declared,
      `var<workgroup> sums_tile: array<${vectors ? "vec4f" : "f32"}, ${subgroups * strip}>;`,
    ].join("\n"),
    begin: `let subgroup = lane / ${lanes}u;
  let high_at = subgroup / ${columns / wide}u * ${high}u;
  let wide_at = subgroup % ${columns / wide}u * ${wide}u;
  let strip_at = subgroup * ${strip}u;
  ${operations.zeros(down * across)}`,
    left,
    right,
    multiply,
    multiplyIterations: looped(steps, looped(down, looped(across, operations.iterations))),
    store: (each) => loop("i", down, (i) => loop("part", strips, (part) => stored(i, part, each))),
    storeIterations: looped(down, looped(strips, looped(perStrip, 0) + looped(turns, 0))),
  };
}
