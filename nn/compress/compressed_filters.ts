import { curable, cure } from "../../data/cure.ts";
import { type Conv2dLayer, isConv2d } from "../layers/conv2d.ts";
import type { Network } from "../network.ts";
import {
  type ChannelClasses,
  type ChannelGroup,
  channelGroups,
  classShapes,
  filtersOf,
  FIXED,
} from "./channel_classes.ts";
import { roundedWidth } from "./rounded_width.ts";

/** How much of what goes together is kept. */
export interface Compressing {
  /** Of so many, one. */
  readonly compression: number;
  /** What is kept is a multiple of it. Default: 1. */
  readonly roundTo?: number;
}

/** How many of `count` that go together are kept: what cannot be parted stays. */
function keptOf(count: number, { compression, roundTo = 1 }: Compressing): number {
  if (count === 1) return 1;
  const kept = Math.floor(count / compression);
  return roundTo === 1 ? kept : roundedWidth(kept, count, roundTo);
}

/** Of each group the first classes. */
function firstClasses({ classes }: ChannelGroup, compressing: Compressing): number[] {
  return classes.slice(0, keptOf(classes.length, compressing));
}

/**
 * As many classes of a group as {@link firstClasses}, of those in each set of values a part of the
 * same size, as near as whole numbers come to it.
 */
function spreadClasses(
  { classes }: ChannelGroup,
  { shapes, ...compressing }: Compressing & { readonly shapes: readonly string[] },
): number[] {
  const kept = keptOf(classes.length, compressing);
  const alike = [...Map.groupBy(classes, (found) => shapes[found]).values()];
  const shares = alike.map((found) => kept * found.length / classes.length);
  const counts = shares.map(Math.floor);
  const left = kept - counts.reduce((sum, count) => sum + count, 0);
  const rest = (i: number): number => shares[i] - counts[i];
  const most = alike.map((_, i) => i).toSorted((a, b) => rest(b) - rest(a) || a - b);
  for (const i of most.slice(0, left)) counts[i]++;
  return alike.flatMap((found, i) => found.slice(0, counts[i]));
}

/** Whether no channel of some value is kept. */
function leavesNone({ values }: ChannelClasses, kept: ReadonlySet<number>): boolean {
  return values.some((value) => !value.some((found) => found === FIXED || kept.has(found)));
}

/**
 * The filters of each masked convolution that a compression keeps: of each group of classes the first
 * ones. Where these leave no channel of a part of a value that is taken by itself, as behind the
 * shuffles of ShuffleNet V2, a share of each such part.
 */
export function compressedFilters(
  network: Network,
  classes: ChannelClasses,
  compressing: Compressing,
): Record<string, number[]> {
  const groups = channelGroups(network, classes);
  let kept = new Set(groups.flatMap((group) => firstClasses(group, compressing)));
  if (leavesNone(classes, kept)) {
    const shapes = classShapes(classes);
    kept = new Set(groups.flatMap((group) => spreadClasses(group, { ...compressing, shapes })));
  }
  return filtersOf(network, classes, (found) => kept.has(found));
}

/** Raises a `RangeError` for a convolution of which nothing is left. */
export function demandFilters(
  network: Network,
  layer: Conv2dLayer,
  filters: readonly number[],
  { classes, compression }: { classes: ChannelClasses; compression: number },
): void {
  if (filters.length) return;
  const groups = channelGroups(network, classes)
    .filter(({ convolutions }) => convolutions.includes(layer.name));
  const most = Math.max(...groups.map((group) => group.classes.length));
  const has = most === layer.out ? `${layer.out}` : `${layer.out} in ${most} that go together`;
  throw curable(
    RangeError,
    `Cannot adjoin: compression ${compression} leaves no channel of ${layer.name}, which has ${has}`,
    cure`lower ${{ option: "compression" }} to at most ${most}`,
  );
}

/**
 * The error for a network of which nothing is cut: of no convolution that `isMasked` names filters can
 * be chosen. `what` would have been done.
 */
export function nothingMasked(
  what: string,
  { layers }: Network,
  isMasked: (layer: Conv2dLayer) => boolean,
): Error {
  // maskFrom begins at 1.
  const convolutions = layers.filter(isConv2d).filter(({ stage }) => stage !== 0);
  const named = convolutions.filter(isMasked);
  const found = `Cannot ${what}: no convolution is masked`;
  if (convolutions.length === 0) {
    return new RangeError(`${found}, as there is none behind the stem, which stays whole`);
  }
  if (named.length === 0) {
    return curable(RangeError, found, cure`lower ${{ option: "maskFrom" }}`);
  }
  const those = named.length > 1 ? `${named[0].name} and the like` : named[0].name;
  const reason = `${found}, as what is grouped keeps what its input does, and what makes the ` +
    `classes stays, found ${those}`;
  return named.length < convolutions.length
    ? curable(RangeError, reason, cure`lower ${{ option: "maskFrom" }}`)
    : new RangeError(`${reason}; put a convolution without groups before it`);
}
