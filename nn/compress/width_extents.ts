import { range } from "../../kernels/wgsl/blocked.ts";
import { roundedWidth } from "./rounded_width.ts";
import type { Place, Places } from "./width_places.ts";

/** Of a group and of how many channels a part is kept: how many are. */
export type Kept = (group: number, size: number) => number;

/** Channels of a value that have places in one group, of one size. */
interface Ranked {
  readonly group: number;
  readonly size: number;
  /** In ascending order. */
  readonly ranks: Int32Array;
}

/** The channels of a value, by what they depend on. */
export interface Occupied {
  /** How many are always there. */
  readonly whole: number;
  readonly ranked: readonly Ranked[];
}

/** The channels of a value, by what they depend on. */
export function occupied(places: Places): Occupied {
  const found = new Map<string, { group: number; size: number; ranks: number[] }>();
  let whole = 0;
  for (const place of places) {
    if (!place) whole++;
    else {
      const { group, size, rank } = place;
      const key = `${group} ${size}`;
      const of = found.get(key);
      if (of) of.ranks.push(rank);
      else found.set(key, { group, size, ranks: [rank] });
    }
  }
  const ranked = [...found.values()].map(({ ranks, ...of }): Ranked => ({
    ...of,
    ranks: Int32Array.from(ranks).sort(),
  }));
  return { whole, ranked };
}

/** How many of ascending numbers are below another. */
function below(numbers: Int32Array, least: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many channels of a value are left. */
export function widthOf({ whole, ranked }: Occupied, kept: Kept): number {
  return ranked.reduce(
    (sum, { group, size, ranks }) => sum + below(ranks, kept(group, size)),
    whole,
  );
}

/** Channels of a value that depend on the choice of one group. */
export interface Part {
  /** The index of the group. */
  readonly group: number;
  /** How many there are, by candidate. */
  readonly widths: readonly number[];
}

/** How many channels are left of a value, for each candidate that groups may choose. */
export interface Extent {
  /** Channels that are always there. */
  readonly whole: number;
  /** All others, by the groups that they depend on. */
  readonly parts: readonly Part[];
}

/** The widths that a search chooses among, for each group. */
export interface Candidates {
  /** The divisors of the numbers of filters, by candidate. */
  readonly divisors: readonly number[];
  /** What widths are multiples of. */
  readonly roundTo: number;
}

/** How many of `size` each candidate keeps. */
export function keptByEach({ divisors, roundTo }: Candidates, size: number): number[] {
  return divisors.map((divisor) =>
    roundedWidth(Math.max(1, Math.floor(size / divisor)), size, roundTo)
  );
}

/** The extent of a value. */
export function extentOf(places: Places, candidates: Candidates): Extent {
  const { divisors } = candidates;
  const { whole, ranked } = occupied(places);
  const parts = new Map<number, number[]>();
  for (const { group, size, ranks } of ranked) {
    const widths = parts.get(group) ?? divisors.map(() => 0);
    keptByEach(candidates, size).forEach((kept, k) => widths[k] += below(ranks, kept));
    parts.set(group, widths);
  }
  return { whole, parts: [...parts].map(([group, widths]) => ({ group, widths })) };
}

/** Whether a channel is there. */
export function isKept(place: Place | undefined, kept: Kept): boolean {
  return !place || place.rank < kept(place.group, place.size);
}

/** The channels of a value that are left: how many, where they are the first, else which. */
export function keptChannels(places: Places, kept: Kept): number | number[] {
  const left = range(places.length).filter((c) => isKept(places[c], kept));
  return left.every((c, i) => c === i) ? left.length : left;
}
