import type { Geometry } from "../wgsl/geometry.ts";

/** The directions whose result is a batch of images. */
export type ProductDirection = "forward" | "input gradient";

/** A convolution, or one of its gradients. */
export interface Work {
  /** The forward pass, or one of the gradients. */
  readonly direction: ProductDirection | "weight gradient";
  /** The shapes of the convolution. */
  readonly geometry: Geometry;
}

/** The name of a work: works of the same name share a choice of tile. */
export function workKey({ direction, geometry: g }: Work): string {
  const taps = g.kernelHeight * g.kernelWidth;
  const { taps_low, taps_high } = g.tapBits;
  const all = taps_low === 2 ** Math.min(taps, 32) - 1 &&
    taps_high === 2 ** Math.max(taps - 32, 0) - 1;
  const mask = all ? "" : ` taps ${taps_high} ${taps_low}`;
  return `${direction} ${g.batch}x${g.height}x${g.width}x${g.keepIn}, ` +
    `${g.kernelHeight}x${g.kernelWidth}x${g.keepOut} stride ${g.stride} padding ${g.padding}${mask}`;
}
