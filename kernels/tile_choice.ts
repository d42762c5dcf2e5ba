import type { Work } from "./choices.ts";
import type { Geometry } from "./geometry.ts";
import type { Gpu } from "./gpu.ts";
import { quads } from "./tensor.ts";
import { filterLayout, type FilterTile, fits, productLayout, type ProductTile } from "./tiles.ts";

/** Outputs and reduction of a product, for the estimate. */
interface Extent {
  readonly positions: number;
  readonly channels: number;
  /** Channels of the reduction, taps included. */
  readonly depth: number;
}

/** That of the forward convolution, or of the input gradient, whose phases share the taps. */
function extentOf({ direction, geometry: g }: Work): Extent {
  const taps = g.kernelHeight * g.kernelWidth;
  const phases = g.stride ** 2;
  return direction === "forward"
    ? {
      positions: g.batch * g.outHeight * g.outWidth,
      channels: quads(g.keepOut) * 4,
      depth: taps * quads(g.keepIn) * 4,
    }
    : {
      positions: g.batch * g.height * g.width,
      channels: quads(g.keepIn) * 4,
      depth: Math.ceil(taps / phases) * quads(g.keepOut) * 4,
    };
}

/** Invocations of a workgroup alone on a processor that hide the latency of its loads. */
const HIDING = 160;

/**
 * Clocks of a processor that does 128 multiply-adds and 16 loads of a vec4 from workgroup memory in
 * a clock. Staging a vec4 costs its address, a load and a store. On an H200 the estimate for layers
 * of ResNets is within a tenth of what they take, for all tiles but the smallest.
 */
function clocks(
  { invocations, multiplyAdds, loads, staged, workgroups, processors }: {
    /** Of a workgroup. */
    invocations: number;
    /** Of an invocation. */
    multiplyAdds: number;
    /** Of an invocation, in vec4. */
    loads: number;
    /** By a workgroup, in vec4. */
    staged: number;
    workgroups: number;
    processors: number;
  },
): number {
  const one = invocations * (multiplyAdds / 128 + loads / 16) + staged * 3 / 8;
  return one * Math.max(Math.ceil(workgroups / processors), HIDING / invocations);
}

function productClocks(tile: ProductTile, extent: Extent, processors: number): number {
  const slices = Math.ceil(extent.depth / tile.depth);
  const reduced = slices * tile.depth;
  return clocks({
    invocations: productLayout(tile).invocations,
    multiplyAdds: tile.rows * tile.columns * 4 * reduced,
    loads: (tile.rows / 4 + tile.columns) * reduced,
    staged: (tile.positions + tile.channels) / 4 * reduced,
    workgroups: Math.ceil(extent.positions / tile.positions) *
      Math.ceil(extent.channels / tile.channels),
    processors,
  });
}

/** A tile for a weight gradient, and how the reduction is divided. */
export interface FilterPlan {
  /** What choices call it: that of the tile, and the splits. */
  readonly name: string;
  readonly tile: FilterTile;
  /** Workgroups of one split. */
  readonly blocks: number;
  /** Runs of positions, each with partial sums of its own. */
  readonly splits: number;
}

/**
 * Workgroups to a processor. A processor holds two to four at a time, and which number keeps all
 * processors busy to the end differs from layer to layer; the first is taken where none is timed.
 */
const SHARES = [6, 2, 3, 4, 8, 12];

/** Plans of a tile with so many workgroups, or fewer, with at least eight slices to a split. */
function plansOf(tile: FilterTile, g: Geometry, processors: number): FilterPlan[] {
  const rows = g.kernelHeight * g.kernelWidth * quads(g.keepIn) * 4;
  const blocks = Math.ceil(rows / tile.inputs) * Math.ceil(quads(g.keepOut) * 4 / tile.outputs);
  const most = Math.ceil(g.batch * g.outHeight * g.outWidth / (8 * tile.depth));
  const splits = SHARES.map((share) =>
    Math.max(1, Math.min(most, Math.floor(processors * share / blocks)))
  );
  return [...new Set(splits)].map((splits) => ({
    name: `${tile.name}/${splits}`,
    tile,
    blocks,
    splits,
  }));
}

function filterClocks(
  { tile, blocks, splits }: FilterPlan,
  g: Geometry,
  processors: number,
): number {
  const share = Math.ceil(g.batch * g.outHeight * g.outWidth / splits / tile.depth) * tile.depth;
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

function sorted<T>(tiles: readonly T[], time: (tile: T) => number): T[] {
  return tiles.map((tile) => ({ tile, time: time(tile) }))
    .sort((a, b) => a.time - b.time).map(({ tile }) => tile);
}

/** The tiles that the device can run for a product, `most` of them, by estimated time. */
export function productTiles({ preset, device }: Gpu, work: Work, most = Infinity): ProductTile[] {
  if (!preset.tiles) return [];
  const { processors, products } = preset.tiles;
  const extent = extentOf(work);
  return sorted(
    products.filter((tile) => fits(productLayout(tile), device.limits)),
    (tile) => productClocks(tile, extent, processors),
  ).slice(0, most);
}

/** Plans for a weight gradient, of `most` of the tiles that the device can run, by estimated time. */
export function filterPlans(
  { preset, device }: Gpu,
  { geometry }: Work,
  most = Infinity,
): FilterPlan[] {
  if (!preset.tiles) return [];
  const { processors, filters } = preset.tiles;
  const plans = filters.filter((tile) => fits(filterLayout(tile), device.limits))
    .map((tile) => plansOf(tile, geometry, processors));
  return sorted(plans, ([usual]) => filterClocks(usual, geometry, processors)).slice(0, most)
    .flat();
}

function chosen<T extends { readonly name: string }>(
  gpu: Gpu,
  work: Work,
  candidates: readonly T[],
): T | undefined {
  if (candidates.length === 0) return undefined;
  const name = gpu.choices.get(work, candidates.map((candidate) => candidate.name));
  return candidates.find((candidate) => candidate.name === name) ?? candidates[0];
}

/** The tile for a product: the choice if there is one, else that of the least estimated time. */
export function productTile(gpu: Gpu, work: Work): ProductTile | undefined {
  return chosen(gpu, work, productTiles(gpu, work));
}

/** The plan for a weight gradient: the choice if there is one, else that of the least time. */
export function filterPlan(gpu: Gpu, work: Work): FilterPlan | undefined {
  return chosen(gpu, work, filterPlans(gpu, work));
}
