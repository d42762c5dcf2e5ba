import { unroll } from "../wgsl/blocked.ts";
import type { MatrixOperand, MatrixOperations, MatrixPlace } from "./operations.ts";

/** Matrix operations of naga's extension `wgpu_cooperative_matrix`; its matrices are square. */
export function nagaOperations(
  { size, lanes }: Pick<MatrixOperations, "size" | "lanes">,
): MatrixOperations {
  const shape = `coop_mat${size.rows}x${size.columns}`;
  // What is transposed, in its words, lies by rows.
  const suffix = { rows: "T", columns: "" };
  const loaded = (role: "A" | "B", name: string, place: MatrixPlace): MatrixOperand => {
    const { array, at, stride, order } = place;
    const value = `coopLoad${suffix[order]}<${shape}<f16, ${role}>>(&${array}[${at}], ${stride}u)`;
    return { loaded: `let ${name} = ${value};`, name, place };
  };
  return {
    matrixUnits: true,
    size,
    vectors: false,
    lanes,
    unrolled: true,
    zeros: (count) => unroll(count, (i) => `var sum${i} = ${shape}<f32, C>();`),
    sum: (i) => `sum${i}`,
    left: (name, place) => loaded("A", name, place),
    right: (name, place) => loaded("B", name, place),
    multiply: (sum, left, right) =>
      `${sum} = coopMultiplyAdd(${left.name}, ${right.name}, ${sum});`,
    store: (name, { array, at, stride, order }) =>
      `coopStore${suffix[order]}(${name}, &${array}[${at}], ${stride}u);`,
    iterations: 0,
  };
}
