import { isPapers, type PairLoss } from "./divergences.ts";
import type { TrainOptions } from "./types.ts";

/** How a small network learns from its base network, as options say. */
export function lossFor(
  { klLoss, klParts, klTemperature, smallCe }: Pick<
    TrainOptions,
    "klLoss" | "klParts" | "klTemperature" | "smallCe"
  >,
): PairLoss {
  return {
    divergence: klLoss,
    parts: klLoss === "kl" ? undefined : klParts,
    temperature: klTemperature,
    smallCrossEntropy: smallCe,
  };
}

/** How a network learns from a frozen teacher; nothing where that is as always. */
export function taughtLossFor(options: TrainOptions): PairLoss | undefined {
  const loss = { ...lossFor(options), smallCrossEntropy: 0 };
  return isPapers(loss) && options.klWeight === 1 ? undefined : loss;
}
