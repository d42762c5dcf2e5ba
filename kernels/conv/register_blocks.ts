import type { Device } from "../gpu/device.ts";
import type { Variant } from "./algorithm.ts";
import { type Block, convolutionPresets } from "./convolution_preset.ts";

/** A register block as a variant of an algorithm. */
export interface BlockVariant extends Block, Variant {}

/**
 * The register blocks of the preset. They are few, as each is a kernel to compile, half a second on
 * a software adapter.
 */
export function registerBlocks(gpu: Device): BlockVariant[] {
  return convolutionPresets.of(gpu).blocks.map(({ rows, columns }) => ({
    name: `${rows}x${columns * 4}`,
    rows,
    columns,
  }));
}

/**
 * Loads (20) and multiply-adds (5) of a register block on `outQuads` vec4 of outputs, per position.
 */
export function blockCost(gpu: Device, outQuads: number, { rows, columns }: Block): number {
  const loads = rows + 4 * columns / (gpu.broadcast || 1);
  return Math.ceil(outQuads / columns) * (loads * 20 + rows * columns * 5) / rows;
}
