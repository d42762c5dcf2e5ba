import { curable, cure } from "../data/cure.ts";
import { plural } from "../data/words.ts";
import type { State } from "../nn/parameters.ts";
import { notFinite } from "../nn/wrong_value.ts";
import { DivergedError } from "./errors.ts";
import type { Score, TrainOptions } from "./types.ts";
import type { ByNetwork } from "../nn/which.ts";

/** What the cure of a divergence depends on. */
type Rates = Pick<TrainOptions, "lr" | "sched" | "weightDecay">;

function diverged(what: string, { lr, sched, weightDecay }: Rates): DivergedError {
  const lower = cure`lower ${{ option: "lr" }} (found ${lr})`;
  // A step takes lr * weightDecay of each weight: beyond 1 they change their sign, beyond 2 they grow.
  const decays = weightDecay > 1 && lr * weightDecay > 1
    ? [cure`lower ${{ option: "weightDecay" }} (found ${weightDecay})`]
    : [];
  // One cycle is a warm-up of its own.
  const warmup = sched === "onecycle" || decays.length
    ? []
    : [cure`add ${{ option: "warmupEpochs" }}`];
  return curable(DivergedError, `Cannot go on: ${what}`, ...decays, lower, ...warmup);
}

/** The error for steps in a row that did not count. */
export function divergedSteps(
  { inRow, when }: { inRow: number; when: string },
  options: Rates,
): DivergedError {
  return diverged(
    `loss or gradients were infinite or NaN in ${plural(inRow, "step")} in a row, up to ${when}`,
    options,
  );
}

/** The error for values of a run that are no numbers. */
export function divergedAt(
  { name, found }: { name: string; found: number },
  { epoch, step }: { epoch: number; step: number },
  options: Rates,
): DivergedError {
  const when = step ? `step ${step} of epoch ${epoch + 1}` : `epoch ${epoch}`;
  return diverged(`${name} holds ${found} after ${when} and is not saved`, options);
}

/**
 * Raises a {@link DivergedError} for losses of a validation that are no numbers. The last step of training may be the one to diverge.
 */
export function demandFiniteScores(
  { scores, epoch }: { scores: ByNetwork<Score>; epoch: number },
  options: Rates,
): void {
  for (const [which, { loss }] of Object.entries(scores)) {
    if (Number.isFinite(loss)) continue;
    throw diverged(
      `the ${which} network's validation loss is ${loss} after epoch ${epoch}`,
      options,
    );
  }
}

/** Likewise for weights and running statistics, before they are saved. */
export function demandFiniteState(state: State, options: Rates): void {
  for (const [name, values] of state) {
    const found = notFinite(values);
    if (found === undefined) continue;
    throw diverged(`${name} holds ${found} after the last step and is not saved`, options);
  }
}
