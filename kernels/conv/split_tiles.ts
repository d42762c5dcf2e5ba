import type { Device } from "../gpu/device.ts";
import { quads } from "../gpu/tensor.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import type { Variant } from "./algorithm.ts";
import { clocks, runnableTiles } from "./tile_estimate.ts";
import { filterLayout, type FilterTile } from "./tiles.ts";
import { OTHER_ITERATIONS } from "./weight_gradient_parts.ts";

/** A tile of a weight gradient with a number of splits. */
export interface SplitTile<T = FilterTile> extends Variant {
  /** The tile. */
  readonly tile: T;
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

/** The fewest slices of a split. */
const FEWEST_SLICES = 8;

/** What numbers of splits are chosen from. */
export interface Splitting {
  /** Workgroups of one split. */
  readonly blocks: number;
  /** Slices of all positions. */
  readonly slices: number;
  /** The most slices of a split. */
  readonly most: number;
  /** Workgroups to a processor, in the order in which they are wanted. */
  readonly shares: readonly number[];
}

/**
 * Numbers of splits that give each number of workgroups to a processor, or fewer, with
 * {@link FEWEST_SLICES} to a split or more.
 */
export function splitNumbers(
  gpu: Device,
  { blocks, slices, most, shares }: Splitting,
): readonly number[] {
  const { processors } = runnableTiles(gpu);
  const largest = Math.floor(slices / FEWEST_SLICES);
  const fewest = Math.ceil(slices / most);
  return [
    ...new Set(
      shares.map((share) =>
        Math.max(1, fewest, Math.min(largest, Math.floor(processors * share / blocks)))
      ),
    ),
  ];
}

/**
 * A tile with the numbers of splits that {@link SHARES} come to, the usual one first.
 */
export function splitsOf(
  gpu: Device,
  tile: FilterTile,
  g: Geometry,
  { reduction: { rows, positions }, prefix = "" }: { reduction: Reduction; prefix?: string },
): SplitTile[] {
  const blocks = Math.ceil(rows / tile.inputs) * Math.ceil(quads(g.keepOut) * 4 / tile.outputs);
  const splits = splitNumbers(gpu, {
    blocks,
    slices: positions / tile.depth,
    // A slice to an iteration.
    most: gpu.iterations - OTHER_ITERATIONS,
    shares: SHARES,
  });
  return splits.map((splits) => ({
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
