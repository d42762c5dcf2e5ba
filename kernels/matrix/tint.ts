import { unroll } from "../wgsl/blocked.ts";
import type { MatrixForm } from "../gpu/abilities.ts";
import type { MatrixOperand, MatrixOperations, MatrixPlace } from "./operations.ts";

/**
 * Matrix operations of Tint's extension `chromium_experimental_subgroup_matrix`, after the draft of
 * subgroup matrices for WGSL (gpuweb, proposals/subgroup-matrix.md).
 */
export function tintOperations(
  form: Exclude<MatrixForm, "naga">,
  { size, lanes, vectors }: Pick<MatrixOperations, "size" | "lanes" | "vectors">,
): MatrixOperations {
  const { rows, columns, depth } = size;
  // Columns come first in these types.
  const left = `subgroup_matrix_left<f16, ${depth}, ${rows}>`;
  const right = `subgroup_matrix_right<f16, ${columns}, ${depth}>`;
  const sums = `subgroup_matrix_result<f32, ${columns}, ${rows}>`;
  const major = { rows: "row_major", columns: "col_major" };
  const loaded = (type: string, name: string, place: MatrixPlace): MatrixOperand => {
    const { array, at, stride, order } = place;
    const value = form === "tint-new"
      ? `subgroupMatrixLoad<${type}, ${major[order]}>(&${array}, ${at}, ${stride}u)`
      : `subgroupMatrixLoad<${type}>(&${array}, ${at}, ${order === "columns"}, ${stride}u)`;
    return { loaded: `let ${name} = ${value};`, name, place };
  };
  return {
    matrixUnits: true,
    size,
    vectors,
    lanes,
    unrolled: true,
    zeros: (count) => unroll(count, (i) => `var sum${i}: ${sums};`),
    sum: (i) => `sum${i}`,
    left: (name, place) => loaded(left, name, place),
    right: (name, place) => loaded(right, name, place),
    multiply: (sum, left, right) =>
      `${sum} = subgroupMatrixMultiplyAccumulate(${left.name}, ${right.name}, ${sum});`,
    store: (name, { array, at, stride, order }) =>
      form === "tint-new"
        ? `subgroupMatrixStore<${major[order]}>(&${array}, ${at}, ${name}, ${stride}u);`
        : `subgroupMatrixStore(&${array}, ${at}, ${name}, ${order === "columns"}, ${stride}u);`,
    iterations: 0,
  };
}
