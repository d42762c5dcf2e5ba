import type { Tensor } from "../gpu/tensor.ts";
import type { PendingGradient } from "../op.ts";
import type { Trace } from "../program/trace.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { choosePlan } from "./algorithm.ts";
import { blockedWeightGradient } from "./blocked_weight_gradient.ts";
import { depthwiseWeightGradient } from "./depthwise_weight_gradient.ts";
import { directWeightGradient } from "./direct_weight_gradient.ts";
import { halfTiledWeightGradient } from "./half_tiles.ts";
import { imageWeightGradient } from "./image_weight_gradient.ts";
import { matrixWeightGradient } from "./matrix_weight_gradient.ts";
import { tiledWeightGradient } from "./tiled_weight_gradient.ts";
import type { WeightGradientAlgorithm } from "./weight_gradient_parts.ts";
import { winogradWeightGradient } from "./winograd_weight_gradient.ts";
import { workIn, workName } from "./work.ts";

/**
 * The algorithms of weight gradients. Without a measured choice the first that applies is taken.
 */
export const WEIGHT_GRADIENT_ALGORITHMS: readonly WeightGradientAlgorithm[] = [
  matrixWeightGradient,
  tiledWeightGradient,
  winogradWeightGradient,
  halfTiledWeightGradient,
  imageWeightGradient,
  blockedWeightGradient,
  depthwiseWeightGradient,
  directWeightGradient,
];

/** The gradient of the filter, recorded where it is wanted. */
export function weightGradient(
  trace: Trace,
  geometry: Geometry,
  { x, dy }: { x: Tensor; dy: Tensor },
): PendingGradient {
  const work = workIn(trace, { direction: "weight gradient", geometry });
  const plan = choosePlan(WEIGHT_GRADIENT_ALGORITHMS, trace.gpu, work);
  const { complete, write } = plan.record(trace, { geometry, x, dy });
  return {
    complete,
    write: (into, accumulate) => trace.within(workName(work), () => write(into, accumulate)),
  };
}
