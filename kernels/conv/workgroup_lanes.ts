/** Lanes of a subgroup along the columns of a tile, where there are as many. */
const WIDE = 8;

/** Lanes of a subgroup; where a subgroup has others, only bank conflicts change. */
const SUBGROUP = 32;

/**
 * WGSL for the row and the column of the invocation `lane` in a grid of `down` x `across`, both
 * powers of two. A subgroup covers a patch of eight columns, so that its loads of either operand
 * from workgroup memory meet few addresses, side by side.
 */
export function laneGrid(down: number, across: number): { row: string; column: string } {
  const wide = Math.min(WIDE, across);
  const high = Math.min(SUBGROUP / wide, down);
  const patch = wide * high;
  const patches = across / wide;
  return {
    row: `lane / ${wide}u % ${high}u + lane / ${patch * patches}u * ${high}u`,
    column: `lane % ${wide}u + lane / ${patch}u % ${patches}u * ${wide}u`,
  };
}
