import { tileChoices, type Work } from "./choices.ts";
import { convolutionPresets } from "./convolution_preset.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import type { Device } from "../gpu/device.ts";
import { quads } from "../gpu/tensor.ts";
import { filterLayout, type FilterTile, fits, productLayout, type ProductTile } from "./tiles.ts";
import { canWinograd, fitsPlaces, productTilesOf } from "./winograd.ts";
import { PLACES } from "./winograd_transforms.ts";

/** Outputs and reduction of a product, for the estimate. */
interface Extent {
  readonly positions: number;
  readonly channels: number;
  /** Channels of the reduction, taps included. */
  readonly depth: number;
  /** How many there are of this extent. */
  readonly products: number;
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
      products: 1,
    }
    : {
      positions: g.batch * g.height * g.width,
      channels: quads(g.keepIn) * 4,
      depth: Math.ceil(taps / phases) * quads(g.keepOut) * 4,
      products: 1,
    };
}

/** Invocations of a workgroup alone on a processor that hide the latency of its loads. */
const HIDING = 160;

/**
 * Clocks of a processor that does 128 multiply-adds and 16 loads of a vec4 from workgroup memory in
 * a clock. Staging a vec4 costs its address, a load and a store. On an H200 most layers of ResNets
 * take within a fifth of the estimate, those with little to reduce up to half as long again.
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

/** A tile for a product. */
export interface ProductPlan {
  /** What choices call it: that of the tile, behind "winograd" where it is that. */
  readonly name: string;
  readonly tile: ProductTile;
  /** Whether Winograd's products take the place of the convolution's. */
  readonly winograd: boolean;
}

/** The products apart that take the place of one, in Winograd's way. */
function extentApart({ direction, geometry: g }: Work): Extent {
  const [form, from, to] = direction === "forward"
    ? ["outer" as const, g.keepIn, g.keepOut]
    : ["inner" as const, g.keepOut, g.keepIn];
  return {
    positions: productTilesOf(form, g),
    channels: quads(to) * 4,
    depth: quads(from) * 4,
    products: PLACES,
  };
}

function productClocks(tile: ProductTile, extent: Extent, processors: number): number {
  const slices = Math.ceil(extent.depth / tile.depth);
  const reduced = slices * tile.depth;
  return clocks({
    invocations: productLayout(tile).invocations,
    multiplyAdds: tile.rows * tile.columns * 4 * reduced,
    loads: (tile.rows / 4 + tile.columns) * reduced,
    staged: (tile.positions + tile.channels) / 4 * reduced,
    workgroups: extent.products * Math.ceil(extent.positions / tile.positions) *
      Math.ceil(extent.channels / tile.channels),
    processors,
  });
}

/** A tile for a weight gradient, and how the reduction is divided. */
export interface FilterPlan {
  /** What choices call it: that of the tile, and the splits, behind "winograd" where it is that. */
  readonly name: string;
  readonly tile: FilterTile;
  /** Whether Winograd's products take the place of the convolution's. */
  readonly winograd: boolean;
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

/** The name of a plan. */
function named(name: string, winograd: boolean): string {
  return winograd ? `winograd ${name}` : name;
}

/** Rows and positions of the reduction of a weight gradient. */
function reduction(g: Geometry, winograd: boolean): { rows: number; positions: number } {
  const inputs = quads(g.keepIn) * 4;
  return winograd ? { rows: PLACES * inputs, positions: productTilesOf("outer", g) } : {
    rows: g.kernelHeight * g.kernelWidth * inputs,
    positions: g.batch * g.outHeight * g.outWidth,
  };
}

/** Plans of a tile with so many workgroups, or fewer, with eight slices to a split or more. */
function plansOf(
  tile: FilterTile,
  g: Geometry,
  { processors, winograd }: { processors: number; winograd: boolean },
): FilterPlan[] {
  const { rows, positions } = reduction(g, winograd);
  const blocks = Math.ceil(rows / tile.inputs) * Math.ceil(quads(g.keepOut) * 4 / tile.outputs);
  const most = Math.floor(positions / (8 * tile.depth));
  const splits = SHARES.map((share) =>
    Math.max(1, Math.min(most, Math.floor(processors * share / blocks)))
  );
  return [...new Set(splits)].map((splits) => ({
    name: named(`${tile.name}/${splits}`, winograd),
    tile,
    winograd,
    blocks,
    splits,
  }));
}

function filterClocks(
  { tile, winograd, blocks, splits }: FilterPlan,
  g: Geometry,
  processors: number,
): number {
  const { positions } = reduction(g, winograd);
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

function sorted<T>(tiles: readonly T[], time: (tile: T) => number): T[] {
  return tiles.map((tile) => ({ tile, time: time(tile) }))
    .sort((a, b) => a.time - b.time).map(({ tile }) => tile);
}

/**
 * Plans for a product of `most` of the tiles that the device can run, by estimated time, and behind
 * them as many of Winograd's, where they can take its place: only a measurement chooses these.
 */
export function productPlans(gpu: Device, work: Work, most = Infinity): ProductPlan[] {
  const { limits } = gpu.device;
  const { tiles } = convolutionPresets.of(gpu);
  if (!tiles) return [];
  const able = tiles.products.filter((tile) => fits(productLayout(tile), limits));
  const plans = (extent: Extent, winograd: boolean): ProductPlan[] =>
    sorted(able, (tile) => productClocks(tile, extent, tiles.processors)).slice(0, most)
      .map((tile) => ({ name: named(tile.name, winograd), tile, winograd }));
  const winograd = canWinograd(work.geometry, gpu.largestBuffer)
    ? plans(extentApart(work), true)
    : [];
  return [...plans(extentOf(work), false), ...winograd];
}

/** Tiles of a weight gradient whose other numbers of splits are plans, too. */
const SPLIT_TILES = 2;

/** Plans for a weight gradient, likewise. */
export function filterPlans(gpu: Device, { geometry: g }: Work, most = Infinity): FilterPlan[] {
  const { limits } = gpu.device;
  const { tiles } = convolutionPresets.of(gpu);
  if (!tiles) return [];
  const { processors } = tiles;
  const able = tiles.filters.filter((tile) => fits(filterLayout(tile), limits));
  const plans = (able: readonly FilterTile[], winograd: boolean): FilterPlan[] =>
    sorted(
      able.map((tile) => plansOf(tile, g, { processors, winograd })),
      ([usual]) => filterClocks(usual, g, processors),
    ).slice(0, most).flatMap((plans, i) => i < SPLIT_TILES ? plans : plans.slice(0, 1));
  const winograd = canWinograd(g, gpu.largestBuffer)
    ? plans(able.filter((tile) => fitsPlaces(tile, g)), true)
    : [];
  return [...plans(able, false), ...winograd];
}

function chosen<T extends { readonly name: string }>(
  gpu: Device,
  work: Work,
  candidates: readonly T[],
): T | undefined {
  if (candidates.length === 0) return undefined;
  const name = tileChoices.of(gpu).get(work, candidates.map((candidate) => candidate.name));
  return candidates.find((candidate) => candidate.name === name) ?? candidates[0];
}

/** The plan for a product: the choice if there is one, else that of the least estimated time. */
export function productPlan(gpu: Device, work: Work): ProductPlan | undefined {
  return chosen(gpu, work, productPlans(gpu, work));
}

/** The plan for a weight gradient: the choice if there is one, else that of the least time. */
export function filterPlan(gpu: Device, work: Work): FilterPlan | undefined {
  return chosen(gpu, work, filterPlans(gpu, work));
}
