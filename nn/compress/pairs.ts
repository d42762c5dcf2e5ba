import type { Adjoined } from "./adjoin.ts";

/**
 * A pair, or several over one base network, as a list. Raises a `TypeError` for none, and for pairs
 * of different base networks.
 */
export function pairsIn(adjoined: Adjoined | readonly Adjoined[]): readonly Adjoined[] {
  const pairs = isList(adjoined) ? adjoined : [adjoined];
  if (!pairs.length) throw new TypeError("Cannot use adjoined networks: found an empty list");
  if (pairs.some(({ base }) => base !== pairs[0].base)) {
    throw new TypeError(
      "Cannot use adjoined networks: wanted one base network, found several; adjoin all small " +
        "networks at once",
    );
  }
  return pairs;
}

function isList(adjoined: Adjoined | readonly Adjoined[]): adjoined is readonly Adjoined[] {
  return Array.isArray(adjoined);
}
