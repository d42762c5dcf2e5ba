/** A workgroup's share of a product of matrices, and how its subgroups divide it. */
export interface MatrixTile {
  /** The name in choices and errors: `matrix`, then rows x columns x depth, and that of a subgroup. */
  readonly name: string;
  /** Rows of the result of a workgroup. */
  readonly rows: number;
  /** Columns of the result of a workgroup. */
  readonly columns: number;
  /** Terms of the sums that workgroup memory holds at a time. */
  readonly depth: number;
  /** Rows of a subgroup. */
  readonly high: number;
  /** Columns of a subgroup. */
  readonly wide: number;
}

function tile(
  [rows, columns, depth]: readonly [number, number, number],
  [high, wide]: readonly [number, number],
): MatrixTile {
  const name = `matrix ${rows}x${columns}x${depth} by ${high}x${wide}`;
  return { name, rows, columns, depth, high, wide };
}

/**
 * Tiles of one to eight subgroups. On an NVIDIA H200 a product of 4096x4096 with a tile of 128x128
 * and four subgroups came to 216 TFLOP/s, with eight subgroups of 64x32 to 121, with slices of 64
 * to 170; smaller ones are for results of few rows or columns.
 */
export const MATRIX_TILES: readonly MatrixTile[] = [
  tile([128, 128, 32], [64, 64]),
  tile([128, 64, 32], [64, 32]),
  tile([64, 128, 32], [32, 64]),
  tile([256, 64, 32], [64, 64]),
  tile([128, 32, 32], [32, 32]),
  tile([64, 64, 32], [32, 32]),
  tile([64, 32, 32], [32, 16]),
  tile([32, 32, 32], [16, 16]),
  tile([64, 16, 32], [32, 16]),
];
