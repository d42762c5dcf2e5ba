import type { Limited } from "../export/widths_file.ts";
import { latencyCost } from "../nn/compress/latency_cost.ts";
import type { LayerTable } from "../nn/compress/layer_works.ts";
import { type Budgeted, CostSum, type WidthCost, widthCost } from "../nn/compress/width_cost.ts";
import type { WidthGroups } from "../nn/compress/width_groups.ts";
import type { ImageSize } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import type { Search } from "../nn/compress/searchable.ts";
import type { Choice } from "../nn/compress/width_choice.ts";
import type { AnySplit } from "../data/dataset.ts";
import type { GatesSchedule } from "./gates.ts";
import type { Reporter } from "./types.ts";

/** What a cost of one's own is of. */
export interface SearchedNetwork {
  /** The base network. */
  readonly base: Network;
  /** Groups of layers that change their widths together, and the widths to choose from. */
  readonly groups: WidthGroups;
  /** Pixels of the images. */
  readonly image: ImageSize;
}

/** Options of a search of widths. */
export interface SearchOptions<Cost extends Limited = Budgeted> extends GatesSchedule {
  /** The cost that is limited. */
  readonly budgeted: Cost;
  /** Where that is a cost of one's own: what it is. */
  readonly cost?: (searched: SearchedNetwork) => WidthCost;
  /** Cost of the small network over that of the base network, in (0, 1]. */
  readonly budget: number;
  /** Further budgets, each of a small network of its own, which are searched one after another. */
  readonly more?: readonly number[];
  /** Divisors of the numbers of filters, from 1 on. */
  readonly divisors: readonly number[];
  /** Epochs of the search, before those of the training. */
  readonly epochs: number;
}

/** All budgets of a search, in their order. */
export function budgetsOf({ budget, more = [] }: SearchOptions<Limited>): readonly number[] {
  return [budget, ...more];
}

/** The cost that a search limits. Raises a `TypeError` for one of one's own that is of other gates. */
export function limitedCost(
  { budgeted, cost }: SearchOptions<Limited>,
  searched: SearchedNetwork,
  table: LayerTable,
): WidthCost {
  const { base, groups, image } = searched;
  if (budgeted === "latency") return latencyCost(base, groups, { image, table });
  if (budgeted !== "cost") return widthCost(base, groups, { budgeted, image });
  const found = cost?.(searched) ?? new CostSum(groups);
  const gates = groups.groups.length * groups.divisors.length;
  const { singles, pairs } = found;
  if (singles.length === gates && pairs.length === gates ** 2) return found;
  throw new TypeError(
    `Cannot search: wanted a cost of ${gates} gates and ${gates ** 2} pairs of them, found ` +
      `${singles.length} and ${pairs.length}; begin with new CostSum(groups)`,
  );
}

/** A search for a budget of latency, and the images that networks are measured on. */
export interface WantedLatency {
  readonly search: Search;
  /** What is expected of choices. */
  readonly cost: WidthCost;
  /** Latency of the small network over that of the base network. */
  readonly budget: number;
  readonly split: AnySplit;
}

/**
 * Finds widths whose network takes a part of the base network's time; `choose` gives the most likely
 * choice that meets the budget by a cost. Gives a choice, and the milliseconds of both networks.
 */
export type FindByLatency = (
  wanted: WantedLatency,
  choose: (cost: WidthCost) => Promise<Choice>,
  reporter: Pick<Reporter, "work" | "note">,
) => Promise<{ readonly choice: Choice; readonly base: number; readonly small: number }>;
