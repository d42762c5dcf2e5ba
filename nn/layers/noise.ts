import type { Tensor } from "../../kernels/gpu/tensor.ts";
import type { LayerRun } from "./layer.ts";

/**
 * Seed and step from which a layer of some kind draws what it drops; nothing where all stays: in
 * evaluation, and where a run says so. Raises a `TypeError` where training has none.
 */
export function noiseOf(
  kind: string,
  { training, noise }: Pick<LayerRun, "training" | "noise">,
): Tensor | undefined {
  if (!training || noise === null) return;
  if (noise) return noise;
  throw new TypeError(
    `Cannot run ${kind} in training: wanted noise, a seed and a step, found none; run the network ` +
      `with \`noise\`, a tensor [2] of type u32, or null to drop nothing`,
  );
}
