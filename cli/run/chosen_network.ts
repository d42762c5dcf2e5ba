import { printable } from "../../data/printable.ts";
import { UsageError } from "../../train/errors.ts";
import { isOfSearch } from "../../train/resume/state_networks.ts";
import type { TrainingState } from "../../train/resume/training_state.ts";
import type { Which } from "../../train/types.ts";

/** Why there is no such network, and what to do. */
function reason(found: Which, state: TrainingState | undefined): string {
  return state && isOfSearch(state)
    ? "the search has not chosen its widths yet; take a checkpoint of the training after it, or " +
      "--which base"
    : `it holds the ${found} one; leave out --which`;
}

/**
 * The network that is meant of those in a file: the one that is asked for, else the small one where
 * there is one. Raises a {@link UsageError} where the file does not have it.
 */
export function chosenNetwork<N extends { readonly which: Which }>(
  { networks, state }: { readonly networks: readonly N[]; readonly state?: TrainingState },
  which: Which | undefined,
  { action, file }: {
    /** What is done with it, as "export". */
    readonly action: string;
    readonly file: string;
  },
): N {
  const last = networks[networks.length - 1];
  const found = which === undefined ? last : networks.find((network) => network.which === which);
  if (found) return found;
  throw new UsageError(
    `Cannot ${action} the ${which} network out of ${printable(file, 300)}: ` +
      reason(last.which, state),
  );
}
