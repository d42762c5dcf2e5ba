import type { Mutant } from "./mutant.ts";

const MATRIX_TEST = "tests/matrix_test.ts";
const TEXT_TEST = "tests/matrix_text_test.ts";
const SMALL_GRID = { file: MATRIX_TEST, name: "a small grid" };

/** Faults in kernels for matrix units: orders, splits and edges. */
export const MATRICES: readonly Mutant[] = [
  {
    name: "a split of a weight gradient begins at the first position",
    file: "kernels/conv/filter_frame.ts",
    find: "let begin = min(split * share, positions);",
    replace: "let begin = 0u;",
    test: SMALL_GRID,
  },
  {
    name: "the images of a weight gradient are staged the other way",
    file: "kernels/conv/matrix_weight_gradient.ts",
    find: 'left: "columns", right: "rows"',
    replace: 'left: "rows", right: "rows"',
    test: SMALL_GRID,
  },
  {
    name: "the filter of an input gradient is staged the other way",
    file: "kernels/conv/matrix_product.ts",
    find: '"input gradient": { left: "rows", right: "columns" }',
    replace: '"input gradient": { left: "rows", right: "rows" }',
    test: SMALL_GRID,
  },
  {
    name: "rows of a weight gradient beyond its last are stored",
    file: "kernels/conv/matrix_weight_gradient.ts",
    find: "at_row < row_quads * 4u && ",
    replace: "",
    test: { file: MATRIX_TEST, name: "in all cases" },
  },
  {
    name: "Tint is told the other order",
    file: "kernels/matrix/tint.ts",
    find: 'rows: "row_major", columns: "col_major"',
    replace: 'rows: "col_major", columns: "row_major"',
    test: { file: TEXT_TEST, name: "tint-new" },
  },
];
