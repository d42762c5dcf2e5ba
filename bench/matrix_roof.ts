import { defineKernel, type Kernel } from "../kernels/gpu/kernel.ts";
import type { MatrixOperations, MatrixPlace } from "../kernels/matrix/operations.ts";
import { range, unroll } from "../kernels/wgsl/blocked.ts";

/** Subgroups of a workgroup. */
const SUBGROUPS = 4;

/** A kernel that multiplies matrices, and what it computes. */
export interface MatrixRoof {
  /** x `[1, 4]`, whose numbers are all factors; y has a vec4 for each invocation. */
  readonly kernel: Kernel<"x", "y", never>;
  /** Floating-point operations of a workgroup. */
  readonly flops: number;
}

/**
 * Products of matrices that stay where they are, `rounds` times, and nothing else: a subgroup keeps
 * `side` operands of either side.
 */
export function matrixRoof(
  operations: MatrixOperations,
  { side, rounds }: { readonly side: number; readonly rounds: number },
): MatrixRoof {
  const { size, lanes, unrolled, vectors, matrixUnits } = operations;
  const { rows, columns, depth } = size;
  // Elements of arrays are vec4, or scalars.
  const wide = vectors ? 4 : 1;
  const [half, float, factor] = vectors
    ? ["vec4<f16>", "vec4f", "x(0u)"]
    : ["f16", "f32", "x(0u).x"];
  const [leftSize, rightSize, sumsSize] = [rows * depth, depth * columns, rows * columns]
    .map((numbers) => numbers / wide);
  const place = (array: string, stride: number): MatrixPlace => ({
    ...{ array, stride, order: "rows" },
    at: "0u",
  });
  const lefts = range(side).map((i) =>
    operations.left(`left_${i}`, place("left_tile", depth / wide))
  );
  const rights = range(side).map((j) =>
    operations.right(`right_${j}`, place("right_tile", columns / wide))
  );
  const count = side * side;
  const product = (i: number): string =>
    operations.multiply(
      operations.sum(unrolled ? i : `${i}u`),
      lefts[Math.floor(i / side)],
      rights[i % side],
    );
  const invocations = SUBGROUPS * lanes;
  const kernel = defineKernel({
    name: "products of matrices",
    workgroupSize: invocations,
    reads: { x: "half" },
    writes: { y: "bulk" },
    dims: {},
    matrixUnits,
    wgsl: /* wgsl */ `
var<workgroup> left_tile: array<${half}, ${leftSize}>;
var<workgroup> right_tile: array<${half}, ${rightSize}>;
var<workgroup> sums_tile: array<${float}, ${SUBGROUPS * sumsSize}>;
fn main(workgroup: u32, lane: u32) {
  for (var i = lane; i < ${leftSize}u; i += ${invocations}u) { left_tile[i] = ${factor}; }
  for (var i = lane; i < ${rightSize}u; i += ${invocations}u) { right_tile[i] = ${factor}; }
  workgroupBarrier();
  ${operations.zeros(count)}
  ${[...lefts, ...rights].map(({ loaded }) => loaded).join("\n  ")}
  for (var round = 0u; round < ${rounds}u; round++) {
    ${unroll(count, product)}
  }
  let sums_at = lane / ${lanes}u * ${sumsSize}u;
  var total = ${float}();
  ${
      unroll(count, (i) =>
        `workgroupBarrier();
  ${
          operations.store(operations.sum(unrolled ? i : `${i}u`), {
            ...place("sums_tile", columns / wide),
            at: "sums_at",
          })
        }
  workgroupBarrier();
  total += sums_tile[sums_at];`)
    }
  set_y(workgroup * ${invocations}u + lane, vec4f(total));
}`,
    iterations: () =>
      rounds * (1 + count * operations.iterations) + 1 +
      Math.ceil(leftSize / invocations) + Math.ceil(rightSize / invocations) + 2,
  });
  return { kernel, flops: 2 * rows * columns * depth * count * rounds * SUBGROUPS };
}
