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

/**
 * Clocks of a processor that does 128 multiply-adds and 16 loads of a vec4 from workgroup memory in
 * a clock. Staging a vec4 costs its address, a load and a store. A workgroup alone on a processor
 * needs as long as one of 256 invocations: latency is hidden by that many.
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
  return one * Math.max(Math.ceil(workgroups / processors), 256 / invocations);
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

/** How the reduction of a weight gradient is divided. */
export interface Division {
  /** Workgroups of one split. */
  readonly blocks: number;
  /** Runs of positions, each with partial sums of its own. */
  readonly splits: number;
}

/** Splits until each processor has 512 invocations, with at least eight slices to a split. */
export function divide(tile: FilterTile, g: Geometry, processors: number): Division {
  const rows = g.kernelHeight * g.kernelWidth * quads(g.keepIn) * 4;
  const blocks = Math.ceil(rows / tile.inputs) * Math.ceil(quads(g.keepOut) * 4 / tile.outputs);
  const positions = g.batch * g.outHeight * g.outWidth;
  const wanted = Math.ceil(processors * 512 / (filterLayout(tile).invocations * blocks));
  return { blocks, splits: Math.min(wanted, Math.ceil(positions / (8 * tile.depth))) };
}

function filterClocks(tile: FilterTile, g: Geometry, processors: number): number {
  const { blocks, splits } = divide(tile, g, processors);
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

/** The tiles that the device can run for a product, by estimated time. */
export function productTiles({ preset, device }: Gpu, work: Work): ProductTile[] {
  if (!preset.tiles) return [];
  const { processors, products } = preset.tiles;
  const extent = extentOf(work);
  return sorted(
    products.filter((tile) => fits(productLayout(tile), device.limits)),
    (tile) => productClocks(tile, extent, processors),
  );
}

/** The tiles that the device can run for a weight gradient, by estimated time. */
export function filterTiles({ preset, device }: Gpu, { geometry }: Work): FilterTile[] {
  if (!preset.tiles) return [];
  const { processors, filters } = preset.tiles;
  return sorted(
    filters.filter((tile) => fits(filterLayout(tile), device.limits)),
    (tile) => filterClocks(tile, geometry, processors),
  );
}

function chosen<T extends { readonly name: string }>(
  gpu: Gpu,
  work: Work,
  tiles: readonly T[],
): T | undefined {
  if (tiles.length === 0) return undefined;
  const name = gpu.choices.get(work, tiles.map((tile) => tile.name));
  return tiles.find((tile) => tile.name === name) ?? tiles[0];
}

/** The tile for a product: the choice if there is one, else that of the least estimated time. */
export function productTile(gpu: Gpu, work: Work): ProductTile | undefined {
  return chosen(gpu, work, productTiles(gpu, work));
}

/** The tile for a weight gradient: the choice if there is one, else that of the least time. */
export function filterTile(gpu: Gpu, work: Work): FilterTile | undefined {
  return chosen(gpu, work, filterTiles(gpu, work));
}
