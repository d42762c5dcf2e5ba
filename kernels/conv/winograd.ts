import { LANES } from "../wgsl/elementwise.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { isDense, usedOfFilter } from "./work.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { filterFactors, imageFactors, PLACES, TILE, type TileDims } from "./winograd_transforms.ts";

/**
 * The fewest channels on either side: with less to multiply, moving the factors costs what it
 * saves.
 */
const FEWEST_CHANNELS = 128;

/** The most bytes of factors, which a step holds beside all else. */
const MOST_BYTES = 2 ** 29;

/** Bits for all places of a tile, as for the taps of a filter. */
export const ALL_PLACES = { taps_low: 2 ** PLACES - 1, taps_high: 0 } as const;

/** Sides and channels of images. */
export interface Images {
  /** Rows. */
  readonly height: number;
  /** Columns. */
  readonly width: number;
  /** Channels. */
  readonly channels: number;
}

/** The input images of a convolution. */
export function inputsOf(g: Geometry): Images {
  return { height: g.height, width: g.width, channels: g.keepIn };
}

/** The output images of a convolution. */
export function outputsOf(g: Geometry): Images {
  return { height: g.outHeight, width: g.outWidth, channels: g.keepOut };
}

/** Tiles of 2x2 pixels that cover a batch of images. */
export function tilesOf(batch: number, { height, width }: Images): number {
  return batch * Math.ceil(height / TILE) * Math.ceil(width / TILE);
}

/**
 * Whether Winograd's products can take the place of a convolution's, and may be worth it: a whole
 * 3x3 filter, many channels, and factors that are no burden, of at most `largest` bytes each.
 */
export function canWinograd(g: Geometry, largest: number): boolean {
  const whole = g.kernelHeight === 3 && g.kernelWidth === 3 && g.tapBits.taps_low === 2 ** 9 - 1;
  const [side, across] = g.padding;
  const placed = isDense(g) && [...g.stride, ...g.dilation].every((step) => step === 1) &&
    side === across && side <= 2;
  const tiles = Math.max(tilesOf(g.batch, inputsOf(g)), tilesOf(g.batch, outputsOf(g)));
  const images = tiles * quads(Math.max(g.keepIn, g.keepOut));
  const filters = quads(g.keepIn) * 4 * quads(g.keepOut);
  const bytes = PLACES * Math.max(images, filters) * 16;
  return whole && placed && bytes <= Math.min(largest, MOST_BYTES) &&
    Math.min(g.keepIn, g.keepOut) >= FEWEST_CHANNELS;
}

/** The numbers and the workgroups of a kernel that visits the tiles of `over` in images. */
export function visitTiles(
  batch: number,
  over: Images,
  { height, width, channels }: Images,
): { dims: Record<TileDims, number>; workgroups: number } {
  const tiles = tilesOf(batch, over);
  const channel_quads = quads(channels);
  return {
    dims: {
      tiles,
      tile_rows: Math.ceil(over.height / TILE),
      tile_columns: Math.ceil(over.width / TILE),
      height,
      width,
      channel_quads,
    },
    workgroups: Math.ceil(tiles * channel_quads / LANES),
  };
}

/** Records the factors of images: `[16, tiles, channels]`, for the tiles of `over`. */
export function recordFactors(
  trace: Trace,
  x: Tensor,
  of: "inputs" | "gradients",
  { batch, over, images, padding }: {
    batch: number;
    over: Images;
    images: Images;
    padding: number;
  },
): Tensor {
  const { dims, workgroups } = visitTiles(batch, over, images);
  const y = trace.tensor(`winograd ${of}`, [PLACES, dims.tiles, images.channels]);
  trace.run(imageFactors(of), {
    reads: { x },
    writes: { y },
    dims: { ...dims, padding },
    workgroups,
  });
  return y;
}

/** Records the factors of the slice of a filter that is used: `[16, inputs, outputs]`. */
export function recordFilter(trace: Trace, g: Geometry, w: Tensor): Tensor {
  const rows = quads(g.keepIn) * 4;
  const outQuads = quads(g.keepOut);
  const y = trace.tensor("winograd filters", [PLACES, rows, g.keepOut]);
  trace.run(filterFactors, {
    reads: { w },
    writes: { y },
    dims: {
      rows,
      quads: outQuads,
      channels: g.keepIn,
      weight_rows: g.filterIn,
      weight_quads: quads(g.filterOut),
    },
    workgroups: Math.ceil(rows * outQuads / LANES),
    touched: { w: usedOfFilter(g) },
  });
  return y;
}
