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
 * matrices that they take; null where they have none of that kind.
 */
export function unitOperations(
  { form, vectors, subgroupSize: lanes, configs }: MatrixUnits,
): MatrixOperations | null {
  const [largest] = configs
    .filter(({ operand, result }) => operand === "f16" && result === "f32")
    .sort((a, b) => volume(b) - volume(a));
  if (!largest) return null;
  const size = { rows: largest.m, columns: largest.n, depth: largest.k };
  return form === "naga"
    ? nagaOperations({ size, lanes })
    : tintOperations(form, { size, lanes, vectors });
}
