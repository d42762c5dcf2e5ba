import type { Device } from "../gpu/device.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { convolutionPresets } from "./convolution_preset.ts";
import { OTHER_ITERATIONS } from "./weight_gradient_parts.ts";

/**
 * The splits of the positions of a weight gradient that keep the adapter busy, with so many
 * invocations for each, and keep to the iterations that it allows.
 */
export function splitsFor(gpu: Device, g: Geometry, invocations: number): number {
  const { preset } = gpu;
  const total = g.batch * g.outHeight * g.outWidth;
  const most = Math.ceil(total / convolutionPresets.of(gpu).positions);
  // Four positions to an iteration.
  const fewest = Math.ceil(total / 4 / (gpu.iterations - OTHER_ITERATIONS));
  return Math.max(fewest, Math.min(most, Math.ceil(preset.invocations / invocations)));
}
