import { uniformWidths } from "../../nn/compress/width_uniform.ts";
import type { RunInputs } from "../job.ts";
import { pairsFor } from "../pair.ts";
import type { TrainOptions } from "../types.ts";
import type { Ground } from "./method.ts";

/** What all methods of a seed are tried with: its images, and even widths of the budget. */
export function groundOn(
  inputs: RunInputs,
  options: TrainOptions,
  { find, pruneBy }: Pick<Ground, "find" | "pruneBy">,
): Ground {
  const { split: { train }, network } = inputs;
  const [{ base }] = pairsFor(options, train, network);
  const widths = uniformWidths(base, options, { ...find, image: train });
  return { inputs, options, find, pruneBy, widths };
}
