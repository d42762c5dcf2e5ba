import type { Device } from "../gpu/device.ts";
import { quads } from "../gpu/tensor.ts";
import type { MatrixTile } from "../matrix/tile.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import type { SplitTile } from "./split_tiles.ts";
import { type Extent, runnableTiles } from "./tile_estimate.ts";

/** Multiply-adds of a processor in a clock by matrix units, of half floats. */
const MULTIPLY_ADDS = 1024;

/** Vec4 of half floats that a processor stages in a clock. */
const STAGED = 8;

/** Vec4 of results that a processor stores in a clock. */
const STORED = 4;

/** Invocations on a processor that hide the latency of its loads. */
const HIDING = 256;

/**
 * The time of a product by matrix units, in clocks of a processor: to multiply, to stage operands
 * in workgroup memory, to store results; workgroups that are too few leave processors idle. The
 * numbers are those of an NVIDIA H200's specification.
 */
export function matrixTime(gpu: Device, tile: MatrixTile, extent: Extent): number {
  const { processors } = runnableTiles(gpu);
  const { rows, columns, depth, high, wide } = tile;
  const slices = Math.ceil(extent.depth / depth);
  const invocations = 32 * (rows / high) * (columns / wide);
  const multiplied = slices * rows * columns * depth / MULTIPLY_ADDS;
  const staged = slices * (rows + columns) * depth / 4 / STAGED;
  const stored = rows * columns / 4 / STORED;
  const workgroups = extent.products * Math.ceil(extent.positions / rows) *
    Math.ceil(extent.channels / columns);
  const turns = Math.max(Math.ceil(workgroups / processors), HIDING / invocations);
  return (multiplied + staged + stored) * turns;
}

/**
 * The time of a weight gradient by matrix units, in clocks: its rows are inputs of all taps, its
 * terms positions. Partial sums are written and read once.
 */
export function matrixSplitTime(
  gpu: Device,
  { tile, blocks, splits }: SplitTile<MatrixTile>,
  g: Geometry,
): number {
  const products = matrixTime(gpu, tile, {
    positions: g.kernelHeight * g.kernelWidth * quads(g.keepIn) * 4,
    channels: quads(g.keepOut) * 4,
    depth: Math.ceil(g.batch * g.outHeight * g.outWidth / splits),
    products: splits,
  });
  const parts = splits * blocks * tile.rows * tile.columns / 4;
  // A processor's share of the memory bandwidth is about one vec4 per clock.
  return products + 2 * parts / runnableTiles(gpu).processors;
}
