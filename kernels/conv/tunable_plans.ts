import type { Device } from "../gpu/device.ts";
import { timedPlans } from "./algorithm.ts";
import { PRODUCT_ALGORITHMS } from "./convolution.ts";
import { WEIGHT_GRADIENT_ALGORITHMS } from "./weight_gradient.ts";
import type { Work } from "./work.ts";

/** A plan that tuning times: its name in choices, and its algorithm. */
export interface TunablePlan {
  /** The name in choices: that of the tile, for weight gradients with the splits. */
  readonly name: string;
  /** The name of its algorithm. */
  readonly algorithm: string;
}

/**
 * The plans to time for a work, of the `most` best variants of each algorithm whose variants are
 * timed, by estimated time; none where the preset has no tiles.
 */
export function tunablePlans(gpu: Device, work: Work, most = Infinity): readonly TunablePlan[] {
  return work.direction === "weight gradient"
    ? timedPlans(WEIGHT_GRADIENT_ALGORITHMS, gpu, work, most)
    : timedPlans(PRODUCT_ALGORITHMS, gpu, work, most);
}
