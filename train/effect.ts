import { curable, cure } from "../data/cure.ts";
import type { Adjoined } from "../nn/compress/adjoin.ts";
import { pairOf } from "../kernels/wgsl/geometry.ts";
import { type Conv2dLayer, isConv2d, kernelTaps } from "../nn/layers/conv2d.ts";
import type { TrainOptions } from "./types.ts";

function convolutionsOf({ small }: Adjoined): Conv2dLayer[] {
  return small.layers.filter(isConv2d);
}

/** Raises a `RangeError` for a masking factor that zeroes no tap of any kernel. */
export function demandMaskedTaps(
  { maskingFactor: factor }: Pick<TrainOptions, "maskingFactor">,
  adjoined: Adjoined,
): void {
  const convolutions = convolutionsOf(adjoined);
  if (factor === 0 || convolutions.some(({ keptTaps }) => keptTaps)) return;
  const [largest] = convolutions.toSorted((a, b) => kernelTaps(b) - kernelTaps(a));
  const [height, width] = pairOf(largest.kernel);
  const least = Math.ceil(1000 / (height * width)) / 1000;
  const option = { option: "maskingFactor" };
  throw curable(
    RangeError,
    `Cannot mask taps: a part of ${factor} is less than one tap of a ${height}x${width} kernel`,
    ...least < 1 ? [cure`raise ${option} to at least ${least}`] : [],
    cure`leave out ${option}`,
  );
}

/** Raises a `RangeError` for a warm-up of less than half a step. */
export function demandWarmup(
  { warmupEpochs, sched }: Pick<TrainOptions, "warmupEpochs" | "sched">,
  stepsPerEpoch: number,
): void {
  if (warmupEpochs === 0 || sched === "onecycle") return;
  if (Math.round(warmupEpochs * stepsPerEpoch) > 0) return;
  const option = { option: "warmupEpochs" };
  throw curable(
    RangeError,
    `Cannot warm up: ${warmupEpochs} epochs are less than half a step, an epoch has ` +
      `${stepsPerEpoch}`,
    cure`raise ${option} to at least ${(1 / stepsPerEpoch).toPrecision(2)}`,
    cure`leave out ${option}`,
  );
}

/** Whether the small network is all of the base network. */
export function isWhole({ base, small }: Pick<Adjoined, "base" | "small">): boolean {
  const filters = ({ layers }: Adjoined["base"]): number[] =>
    layers.filter(isConv2d).map(({ out }) => out);
  return filters(base).join() === filters(small).join();
}
