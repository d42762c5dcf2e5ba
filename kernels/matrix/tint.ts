import { unroll } from "../wgsl/blocked.ts";
import type { MatrixOperand, MatrixOperations, MatrixPlace, MatrixSize } from "./operations.ts";

/**
 * How Tint is told the order of a matrix: as the second template argument, `row_major` or
 * `col_major`, or, in versions before that, as an argument that is true for columns.
 */
export type TintForm = "tint" | "tint, order as an argument";

/**
 * Matrix units by Tint's extension `chromium_experimental_subgroup_matrix`, after the draft of
 * subgroup matrices for WGSL (gpuweb, proposals/subgroup-matrix.md).
 */
export function tintOperations(
  form: TintForm,
  { size, lanes }: { readonly size: MatrixSize; readonly lanes: number },
): MatrixOperations {
  const { rows, columns, depth } = size;
  // Columns come first in these types.
  const left = `subgroup_matrix_left<f16, ${depth}, ${rows}>`;
  const right = `subgroup_matrix_right<f16, ${columns}, ${depth}>`;
  const sums = `subgroup_matrix_result<f32, ${columns}, ${rows}>`;
  const major = { rows: "row_major", columns: "col_major" };
  const loaded = (type: string, name: string, place: MatrixPlace): MatrixOperand => {
    const { array, at, stride, order } = place;
    const value = form === "tint"
      ? `subgroupMatrixLoad<${type}, ${major[order]}>(&${array}, ${at}, ${stride}u)`
      : `subgroupMatrixLoad<${type}>(&${array}, ${at}, ${order === "columns"}, ${stride}u)`;
    return { loaded: `let ${name} = ${value};`, name, place };
  };
  return {
    directives: [
      "enable f16;",
      "enable chromium_experimental_subgroup_matrix;",
      // Where a subgroup works follows from the number of its lanes in the workgroup, which is no
      // uniform value to the analysis.
      "diagnostic(off, chromium.subgroup_matrix_uniformity);",
    ],
    size,
    lanes,
    unrolled: true,
    zeros: (count) => unroll(count, (i) => `var sum${i}: ${sums};`),
    sum: (i) => `sum${i}`,
    left: (name, place) => loaded(left, name, place),
    right: (name, place) => loaded(right, name, place),
    multiply: (sum, left, right) =>
      `${sum} = subgroupMatrixMultiplyAccumulate(${left.name}, ${right.name}, ${sum});`,
    store: (name, { array, at, stride, order }) =>
      form === "tint"
        ? `subgroupMatrixStore<${major[order]}>(&${array}, ${at}, ${name}, ${stride}u);`
        : `subgroupMatrixStore(&${array}, ${at}, ${name}, ${order === "columns"}, ${stride}u);`,
    iterations: 0,
  };
}
