import type { Device } from "../gpu/device.ts";
import { quads } from "../gpu/tensor.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import type { Variant } from "./algorithm.ts";
import { clocks, runnableTiles } from "./tile_estimate.ts";
import { filterLayout, type FilterTile } from "./tiles.ts";
import { OTHER_ITERATIONS } from "./weight_gradient_parts.ts";

/** A tile of a weight gradient with a number of splits. */
export interface SplitTile extends Variant {
  /** The tile. */
  readonly tile: FilterTile;
  /** Workgroups of one split. */
  readonly blocks: number;
  /** Runs of positions, each with partial sums of its own. */
  readonly splits: number;
}

/** Rows and positions of a weight gradient: those of its result and of its reduction. */
export interface Reduction {
  /** Taps times input channels. */
  readonly rows: number;
  /** Terms of each sum. */
  readonly positions: number;
}

/**
 * Workgroups to a processor. A processor holds two to four at a time, and which number keeps all
 * processors busy to the end differs from layer to layer; the first is taken where none is timed.
 */
const SHARES = [6, 2, 3, 4, 8, 12];

/**
 * A tile with so many splits as give each number of {@link SHARES}, or fewer, with eight slices to
 * a split or more; the usual number first.
 */
export function splitsOf(
  gpu: Device,
  tile: FilterTile,
  g: Geometry,
  { reduction: { rows, positions }, prefix = "" }: { reduction: Reduction; prefix?: string },
): SplitTile[] {
  const { processors } = runnableTiles(gpu);
  const blocks = Math.ceil(rows / tile.inputs) * Math.ceil(quads(g.keepOut) * 4 / tile.outputs);
  const most = Math.floor(positions / (8 * tile.depth));
  // A slice to an iteration.
  const fewest = Math.ceil(positions / tile.depth / (gpu.iterations - OTHER_ITERATIONS));
  const splits = SHARES.map((share) =>
    Math.max(1, fewest, Math.min(most, Math.floor(processors * share / blocks)))
  );
  return [...new Set(splits)].map((splits) => ({
    name: `${prefix}${tile.name}/${splits}`,
    tile,
    blocks,
    splits,
  }));
}

/** The time of a weight gradient by a tile, in clocks. */
export function splitTime(
  gpu: Device,
  { tile, blocks, splits }: SplitTile,
  { positions }: Reduction,
): number {
  const { processors } = runnableTiles(gpu);
  const share = Math.ceil(positions / splits / tile.depth) * tile.depth;
  const parts = splits * blocks * tile.inputs * tile.outputs / 4;
  const sums = clocks({
    invocations: filterLayout(tile).invocations,
    multiplyAdds: 16 * tile.rows * tile.columns * share,
    loads: (tile.rows + tile.columns) * share,
    staged: (tile.inputs + tile.outputs) / 4 * share,
    workgroups: blocks * splits,
    processors,
  });
  // A processor's share of the memory bandwidth is about one vec4 per clock, to write and to read.
  return sums + 2 * parts / processors;
}
