import { curable, cure } from "../../data/cure.ts";
import { maskRule, type Widths } from "./adjoin.ts";
import { type Conv2dLayer, isConv2d } from "../layers/conv2d.ts";
import type { Network } from "../network.ts";
import { checkChoice, checkOptionNames } from "../options.ts";
import { checkRoundTo } from "./rounded_width.ts";
import {
  type Candidates,
  type Extent,
  extentOf,
  type Kept,
  keptByEach,
  keptChannels,
} from "./width_extents.ts";
import { channelClasses } from "./channel_classes.ts";
import { nothingMasked } from "./compressed_filters.ts";
import { type PlacedGates, placeGates } from "./width_gates.ts";
import { placeChannels, type Placed, type Places } from "./width_places.ts";

/** The choices that a search has in a network, and what follows from them. */
export interface WidthGroups extends Placed, PlacedGates, Candidates {
  /** By layer: the channels of its value. */
  readonly extents: readonly Extent[];
}

/** The options of {@link widthGroups}: the convolutions that are searched, and their candidates. */
export interface WidthOptions {
  /**
   * The first stage whose widths are searched, as in {@link AdjoinOptions.maskFrom}. Default: 2.
   */
  readonly maskFrom?: number | ((layer: Conv2dLayer) => boolean);
  /**
   * Candidates keep `floor(n / divisor)` of n filters, or of n that go together in blocks, but at
   * least one. Default: 1, 2, 4.
   */
  readonly divisors?: readonly number[];
  /**
   * What candidates are rounded to multiples of, at least one and at most all: fewer widths, of which
   * less is faster. Default: 1.
   */
  readonly roundTo?: number;
  /**
   * `sums` (default): convolutions whose outputs are added share one group, and costs are exact.
   * `stages`: only those of one stage do. Where the output of a stage is added unchanged in the
   * next, each summand keeps its own mask, the cost is that of the next stage's group, and the
   * network that a choice makes is as wide there as the narrower summand.
   */
  readonly tie?: "sums" | "stages";
  /**
   * How much each class of channels that go together matters, as {@link channelClasses} numbers
   * them: candidates keep those that matter most. Default: the first ones.
   */
  readonly scores?: ArrayLike<number>;
}

function checkDivisors(divisors: readonly number[]): void {
  const bad = divisors.find((d) => !(Number.isFinite(d) && d >= 1));
  const equal = new Set(divisors).size < divisors.length;
  if (bad !== undefined || equal || divisors.length < 2 || divisors.length > 8) {
    throw new RangeError(
      `Cannot search widths: wanted 2 to 8 different divisors from 1 on, found ${
        divisors.join(", ")
      }`,
    );
  }
}

/**
 * Ties the masked convolutions of a network into groups, so that every choice of candidates makes a
 * network: what is added is equally wide, and of what is concatenated each part is chosen by itself.
 * Raises a `RangeError` for divisors that are no choice, and where no convolution is masked.
 */
export function widthGroups(network: Network, options: WidthOptions): WidthGroups {
  checkOptionNames("search widths", options, [
    "maskFrom",
    "divisors",
    "roundTo",
    "tie",
    "scores",
  ]);
  const { maskFrom, divisors = [1, 2, 4], roundTo = 1, tie: ties = "sums", scores } = options;
  checkChoice("search widths", "tie", ties, ["sums", "stages"]);
  checkDivisors(divisors);
  checkRoundTo("search widths", roundTo);
  const candidates = { divisors, roundTo };
  const isMasked = maskRule(network, maskFrom);
  const placed = placeChannels(network, {
    isMasked,
    byStage: ties === "stages",
    unmixed: true,
    scores,
  });
  if (!placed.groups.length) {
    throw channelClasses(network, isMasked).masked.length
      ? curable(
        RangeError,
        "Cannot search widths: all channels of what is masked have to stay, as those do that a layer norm mixes",
        cure`lower ${{ option: "maskFrom" }}`,
      )
      : nothingMasked("search widths", network, isMasked);
  }
  const { values } = placed;
  const extents = new Map<Places, Extent>();
  for (const places of values) {
    if (!extents.has(places)) extents.set(places, extentOf(places, candidates));
  }
  return {
    ...placed,
    ...placeGates(network, values, candidates),
    ...candidates,
    extents: values.map((places) => extents.get(places) ?? extentOf(places, candidates)),
  };
}

/** The candidate widths of group g; those of its first convolution, or of its classes of channels. */
export function widthsOfGroup(groups: WidthGroups, g: number): readonly number[] {
  return keptByEach(groups, groups.groups[g].size);
}

/**
 * Filters of each masked convolution when group g chooses candidate `choice[g]`: how many, where they
 * are the first, else which.
 */
export function chosenWidths(
  network: Network,
  groups: WidthGroups,
  choice: readonly number[],
): Record<string, number | number[]> {
  const { values } = groups;
  const names = new Set(groups.groups.flatMap(({ convolutions }) => convolutions));
  const kept: Kept = (group, size) => keptByEach(groups, size)[choice[group]];
  return Object.fromEntries(
    network.layers.flatMap((layer, i) =>
      isConv2d(layer) && names.has(layer.name) ? [[layer.name, keptChannels(values[i], kept)]] : []
    ),
  );
}

/** Whether widths are equal, convolution by convolution. */
function same(a: Widths, b: Widths, names: readonly string[]): boolean {
  return names.every((name) =>
    Object.hasOwn(b, name) && JSON.stringify(a[name]) === JSON.stringify(b[name])
  );
}

/**
 * The choice that makes a network of such widths, as of {@link chosenWidths}; nothing where none does.
 */
export function choiceOf(
  network: Network,
  groups: WidthGroups,
  widths: Widths,
): number[] | undefined {
  const { divisors, values } = groups;
  const kept = new Map(network.layers.flatMap((layer, i) => {
    if (!isConv2d(layer) || !Object.hasOwn(widths, layer.name)) return [];
    const width = widths[layer.name];
    const left = new Set(typeof width === "number" ? values[i].keys().take(width) : width);
    return [[layer.name, values[i].map((place, c) => ({ place, left: left.has(c) }))] as const];
  }));
  const choice = groups.groups.map(({ convolutions }, group) =>
    divisors.findIndex((_, k) =>
      convolutions.every((name) =>
        kept.get(name)?.every(({ place, left }) =>
          place?.group !== group || left === place.rank < keptByEach(groups, place.size)[k]
        )
      )
    )
  );
  if (choice.includes(-1)) return undefined;
  const names = groups.groups.flatMap(({ convolutions }) => convolutions);
  return same(chosenWidths(network, groups, choice), widths, names) ? choice : undefined;
}
