import { LANES } from "../wgsl/elementwise.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { epilogueOf } from "../wgsl/epilogue.ts";
import type { PendingGradient } from "../op.ts";
import type { EpilogueOperands } from "../wgsl/epilogue.ts";
import { type Form, phasesApart } from "./phases.ts";
import { quads, type Tensor } from "../gpu/tensor.ts";
import { tiledProduct } from "./tiled_product.ts";
import { tiledWeightGradient } from "./tiled_weight_gradient.ts";
import type { FilterTile, ProductTile } from "./tiles.ts";
import type { Trace } from "../program/trace.ts";
import {
  filterFactors,
  filterGradientOf,
  imageFactors,
  images,
  PLACES,
  TILE,
  type TileDims,
} from "./winograd_transforms.ts";

/** The fewest channels on either side: with less to multiply, moving the factors costs what it saves. */
const FEWEST_CHANNELS = 128;

/** The most bytes of factors, which a step holds beside all else. */
const MOST_BYTES = 2 ** 29;

/** Bits for all places of a tile, as for the taps of a filter. */
const ALL = { taps_low: 2 ** PLACES - 1, taps_high: 0 } as const;

/** Sides and channels of images. */
interface Images {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function inputsOf(g: Geometry): Images {
  return { height: g.height, width: g.width, channels: g.keepIn };
}

function outputsOf(g: Geometry): Images {
  return { height: g.outHeight, width: g.outWidth, channels: g.keepOut };
}

/** Tiles of 2x2 pixels that cover a batch of images. */
export function tilesOf(batch: number, { height, width }: Images): number {
  return batch * Math.ceil(height / TILE) * Math.ceil(width / TILE);
}

/** Tiles of the images that a product of a form makes. */
export function productTilesOf(form: Form, g: Geometry): number {
  return tilesOf(g.batch, form === "outer" ? outputsOf(g) : inputsOf(g));
}

/**
 * Whether Winograd's products can take the place of a convolution's, and may be worth it: a whole 3x3
 * filter, many channels, and factors that are no burden, of at most `largest` bytes each.
 */
export function canWinograd(g: Geometry, largest: number): boolean {
  const whole = g.kernelHeight === 3 && g.kernelWidth === 3 && g.tapBits.taps_low === 2 ** 9 - 1;
  const tiles = Math.max(tilesOf(g.batch, inputsOf(g)), tilesOf(g.batch, outputsOf(g)));
  const images = tiles * quads(Math.max(g.keepIn, g.keepOut));
  const filters = quads(g.keepIn) * 4 * quads(g.keepOut);
  const bytes = PLACES * Math.max(images, filters) * 16;
  return whole && g.stride === 1 && g.padding <= 2 && bytes <= Math.min(largest, MOST_BYTES) &&
    Math.min(g.keepIn, g.keepOut) >= FEWEST_CHANNELS;
}

/** The numbers and the workgroups of a kernel that visits the tiles of `over` in images. */
function visit(
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
function recordFactors(
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
  const { dims, workgroups } = visit(batch, over, images);
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
function recordFilter(trace: Trace, g: Geometry, w: Tensor): Tensor {
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
  });
  return y;
}

/**
 * Filters by place. The gradient of inputs is a convolution with the filter turned round, whose
 * factors are those of the filter with the first and the last row, and column, exchanged.
 */
const FILTERS: Readonly<Record<Form, string>> = {
  outer: "phase",
  inner: "mirrored(phase / 4u) * 4u + mirrored(phase % 4u)",
};

const MIRRORED = /* wgsl */ `
fn mirrored(k: u32) -> u32 { return select(k, 3u - k, k % 3u == 0u); }`;

/** Records a forward convolution or the gradient of its input by Winograd's products. */
export function recordWinograd(
  trace: Trace,
  g: Geometry,
  { form, x, w, y, epilogue = {} }: {
    form: Form;
    x: Tensor;
    w: Tensor;
    y: Tensor;
    epilogue?: EpilogueOperands;
  },
  tile: ProductTile,
): void {
  const [from, to] = form === "outer" ? [inputsOf(g), outputsOf(g)] : [outputsOf(g), inputsOf(g)];
  const padding = form === "outer" ? g.padding : 2 - g.padding;
  const { batch } = g;
  const factors = recordFactors(trace, x, "inputs", { batch, over: to, images: from, padding });
  const filters = recordFilter(trace, g, w);
  const tiles = tilesOf(batch, to);
  const products = trace.tensor("winograd products", [PLACES, tiles, to.channels]);
  const groups = Math.ceil(tiles / tile.positions);
  const blocks = Math.ceil(quads(to.channels) * 4 / tile.channels);
  const phases = { name: "winograd", wgsl: MIRRORED + phasesApart(FILTERS[form]) };
  const aligned = quads(from.channels) % (tile.depth / 4) === 0;
  trace.run(tiledProduct(form, tile, { aligned, phases }), {
    reads: { x: factors, w: filters },
    writes: { y: products },
    dims: {
      batch: 1,
      groups,
      in_height: PLACES,
      in_width: tiles,
      in_quads: quads(from.channels),
      stride: 1,
      padding: 0,
      kernel_height: 1,
      kernel_width: PLACES,
      phase_columns: 1,
      weight_rows: quads(g.keepIn) * 4,
      weight_quads: quads(g.keepOut),
      out_height: PLACES,
      out_width: tiles,
      out_channels: to.channels,
      ...ALL,
    },
    workgroups: PLACES * groups * blocks,
  });
  const { dims, workgroups } = visit(batch, to, to);
  trace.run(images(epilogueOf(epilogue)), {
    reads: { x: products, ...epilogue },
    writes: { y },
    dims: { ...dims, channels: to.channels },
    workgroups,
  });
}

/** Whether the rows of a tile are inputs of one place. */
export function fitsPlaces(tile: FilterTile, g: Geometry): boolean {
  return quads(g.keepIn) * 4 % tile.inputs === 0;
}

/** The gradient of the filter by Winograd's products, recorded where it is wanted. */
export function winogradFilterGradient(
  trace: Trace,
  g: Geometry,
  { x, dy }: { x: Tensor; dy: Tensor },
  { tile, splits, blocks }: { tile: FilterTile; splits: number; blocks: number },
): PendingGradient {
  const { batch } = g;
  const over = outputsOf(g);
  const tiles = tilesOf(batch, over);
  const inQuads = quads(g.keepIn);
  const outQuads = quads(g.keepOut);
  const write = (into: Tensor, accumulate: boolean): void => {
    const inputs = { batch, over, images: inputsOf(g), padding: g.padding };
    const factors = recordFactors(trace, x, "inputs", inputs);
    const gradients = recordFactors(trace, dy, "gradients", {
      ...inputs,
      images: over,
      padding: 0,
    });
    const shape = [splits, PLACES, inQuads * 4, g.keepOut];
    const part = trace.tensor(`d${g.name} products`, shape);
    trace.run(tiledWeightGradient(tile, { apart: true }), {
      reads: { x: factors, dy: gradients },
      writes: { part },
      dims: {
        in_height: PLACES,
        in_width: tiles,
        in_stride: inQuads,
        in_quads: inQuads,
        out_height: 1,
        out_width: tiles,
        out_quads: outQuads,
        stride: 1,
        padding: 0,
        kernel_height: PLACES,
        kernel_width: 1,
        batch: 1,
        splits,
        clip: 0,
        ...ALL,
      },
      workgroups: blocks * splits,
    });
    trace.run(filterGradientOf(accumulate), {
      reads: { part },
      writes: { dw: into },
      dims: {
        splits,
        part_rows: inQuads * 4,
        part_quads: outQuads,
        rows: g.keepIn,
        channels: g.keepOut,
        weight_rows: g.filterIn,
        weight_quads: quads(g.filterOut),
      },
      workgroups: Math.ceil(g.keepIn * outQuads / LANES),
    });
  };
  return { complete: g.keepIn === g.filterIn && g.keepOut === g.filterOut, write };
}
