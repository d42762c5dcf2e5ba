import type { Device } from "../gpu/device.ts";
import { PerDevice } from "../gpu/per_device.ts";
import { quads } from "../gpu/tensor.ts";
import { convolutionPresets } from "./convolution_preset.ts";
import { filterLayout, fits, productLayout, type ProductTile, type Tiling } from "./tiles.ts";
import type { Work } from "./work.ts";

const runnable: PerDevice<Tiling> = new PerDevice((gpu) => {
  const { tiles } = convolutionPresets.of(gpu);
  const { limits } = gpu.device;
  if (!tiles) return { processors: 1, products: [], filters: [] };
  return {
    processors: tiles.processors,
    products: tiles.products.filter((tile) => fits(productLayout(tile), limits)),
    filters: tiles.filters.filter((tile) => fits(filterLayout(tile), limits)),
  };
});

/** The tiles of the preset that a device can run; none where the preset has none. */
export function runnableTiles(gpu: Device): Tiling {
  return runnable.of(gpu);
}

/** Outputs and reduction of a product, for the estimate. */
export interface Extent {
  /** Positions of the outputs. */
  readonly positions: number;
  /** Channels of the outputs. */
  readonly channels: number;
  /** Channels of the reduction, taps included. */
  readonly depth: number;
  /** The number of products of this extent. */
  readonly products: number;
}

/** The extent of a forward convolution, or of an input gradient, whose phases share the taps. */
export function productExtent({ direction, geometry: g }: Work): Extent {
  const taps = g.kernelHeight * g.kernelWidth;
  const phases = g.stride[0] * g.stride[1];
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

/** Invocations on a processor that hide the latency of its loads. */
const HIDING = 160;

/**
 * Clocks of a processor that does 128 multiply-adds and 16 loads of a vec4 from workgroup memory in
 * a clock. Staging a vec4 costs its address, a load and a store. On an H200 most layers of ResNets
 * take within a fifth of the estimate, those with little to reduce up to half as long again.
 */
export function clocks(
  { invocations, multiplyAdds, loads, staged, workgroups, processors }: {
    /** Invocations of a workgroup. */
    invocations: number;
    /** Multiply-adds of an invocation. */
    multiplyAdds: number;
    /** Loads of an invocation from workgroup memory, in vec4. */
    loads: number;
    /** Loads of a workgroup into workgroup memory, in vec4. */
    staged: number;
    workgroups: number;
    processors: number;
  },
): number {
  const one = invocations * (multiplyAdds / 128 + loads / 16) + staged * 3 / 8;
  return one * Math.max(Math.ceil(workgroups / processors), HIDING / invocations);
}

/** The time of a product by a tile, in clocks. */
export function productTime(gpu: Device, tile: ProductTile, extent: Extent): number {
  const { processors } = runnableTiles(gpu);
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
