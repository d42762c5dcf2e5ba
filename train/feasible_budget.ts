import { curable, cure } from "../data/cure.ts";
import { budgetName } from "../data/words.ts";
import type { Limited } from "../export/widths_file.ts";
import { feasible } from "../nn/compress/width_choice.ts";
import type { WidthCost } from "../nn/compress/width_cost.ts";
import type { WidthGroups } from "../nn/compress/width_groups.ts";
import { UsageError } from "./errors.ts";

/** Raises a {@link UsageError} for a budget that no choice of widths meets. */
export function demandFeasible(
  { groups, cost, budgeted, budget }: {
    readonly groups: WidthGroups;
    readonly cost: WidthCost;
    readonly budgeted: Limited;
    readonly budget: number;
  },
): void {
  const { least, most } = feasible(groups, cost);
  if (budget >= least - 1e-9 && budget <= most + 1e-9) return;
  const option = {
    macs: "budgetMacs",
    params: "budgetParams",
    latency: "budgetLatency",
    cost: "budget",
  }[budgeted];
  const cures = budget < least
    ? [
      cure`raise ${{ option }}`,
      cure`add a larger one to ${{ option: "divisors" }}`,
      cure`lower ${{ option: "maskFrom" }}`,
    ]
    : [cure`lower ${{ option }}`];
  throw curable(
    UsageError,
    `Cannot meet the budget: the small network can have ${least.toFixed(4)} to ` +
      `${most.toFixed(4)} of the base network's ${budgetName(budgeted)}, found ${budget}`,
    ...cures,
  );
}
