import type { State } from "../parameters.ts";
import type { Adjoined } from "./adjoin.ts";
import { filterScores, importantFilters, withFilters } from "./importance.ts";
import { cutPretrained } from "./pretrained_small.ts";

/** A pair whose small network keeps filters that matter, and the weights of that. */
export interface Pruned {
  /** It keeps as many filters as before. */
  readonly adjoined: Adjoined;
  /** Of its small network. */
  readonly state: State;
}

/**
 * Prunes a trained base network to those filters that have the largest scores of
 * {@link filterScores}, as many as a pair keeps; to those that it keeps where there are none.
 */
export function prune(adjoined: Adjoined, state: State, scores?: Float64Array): Pruned {
  const pruned = scores ? withFilters(adjoined, importantFilters(adjoined, scores)) : adjoined;
  const whole = { state, unused: [], fresh: [] };
  return { adjoined: pruned, state: cutPretrained(pruned, whole).state };
}

/**
 * Prunes a trained base network to those filters that have the largest L1 norms (Li et al., arXiv
 * 1608.08710), as many as a pair keeps. Filters that go together are kept by the sum of their norms,
 * those of each convolution over their mean.
 */
export function pruneByMagnitude(adjoined: Adjoined, state: State): Pruned {
  return prune(adjoined, state, filterScores(adjoined, { importance: "l1", state }));
}
