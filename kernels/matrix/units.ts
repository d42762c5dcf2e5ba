import type { MatrixConfig, MatrixUnits } from "../gpu/abilities.ts";
import { nagaOperations } from "./naga.ts";
import type { MatrixOperations } from "./operations.ts";
import { tintOperations } from "./tint.ts";

/** Multiply-adds of a product: the larger, the fewer operands are loaded for each. */
function volume({ m, n, k }: MatrixConfig): number {
  return m * n * k;
}

/**
 * The operations of a device's matrix units on half floats with sums of float32, in the largest
 * matrices that they take: first on arrays of vec4 where they take these, then on arrays of scalars.
 * None where the units have no such matrices.
 */
export function unitOperations(
  { form, vectors, subgroupSize: lanes, configs }: MatrixUnits,
): MatrixOperations[] {
  const [largest] = configs
    .filter(({ operand, result }) => operand === "f16" && result === "f32")
    .sort((a, b) => volume(b) - volume(a));
  if (!largest) return [];
  const size = { rows: largest.m, columns: largest.n, depth: largest.k };
  if (form === "naga") return [nagaOperations({ size, lanes })];
  return (vectors ? [true, false] : [false])
    .map((vectors) => tintOperations(form, { size, lanes, vectors }));
}
