import { range } from "../../kernels/wgsl/blocked.ts";
import { type Conv2dLayer, isConv2d } from "../layers/conv2d.ts";
import { kindOf } from "../layers/mod.ts";
import type { Network } from "../network.ts";
import { type ChannelClasses, channelClasses, channelGroups, FIXED } from "./channel_classes.ts";
import { flow } from "./channel_flow.ts";
import { Unions } from "./unions.ts";

/** Filters of convolutions that are chosen together, as their outputs are added. */
export interface WidthGroup {
  /** The first of its convolutions. */
  readonly name: string;
  /** The names of all of them. */
  readonly convolutions: readonly string[];
  /** Of how many channels that go together a part is kept. */
  readonly size: number;
}

/**
 * The place of a channel in the order in which its group keeps channels: it is there where at least
 * `rank + 1` of `size` are kept. Equal places are one object.
 */
export interface Place {
  /** The index of the group. */
  readonly group: number;
  /** How many are kept before it. */
  readonly rank: number;
  /** Of how many a part is kept. */
  readonly size: number;
}

/** By channel of a value: its place, nothing for one that is always there. */
export type Places = readonly (Place | undefined)[];

/** How convolutions are tied into groups; see {@link WidthOptions}. */
export interface TieOptions {
  /** Says of each convolution whether it is masked. */
  readonly isMasked: (layer: Conv2dLayer) => boolean;
  /** Whether only sums within a stage tie. */
  readonly byStage?: boolean;
  /** Whether convolutions stay whole whose channels are mixed otherwise, as by layer norms. */
  readonly unmixed?: boolean;
  /** By class of channels that go together: how much it matters. Default: the first most. */
  readonly scores?: ArrayLike<number>;
}

/** The groups of a network, and the places of all channels. */
export interface Placed {
  /** In the order of their first convolutions. */
  readonly groups: readonly WidthGroup[];
  /** By layer. */
  readonly values: readonly Places[];
}

/** A masked convolution. */
interface Masked {
  readonly layer: Conv2dLayer;
  /** The class of each filter. */
  readonly made: readonly number[];
}

/** A network, and what is known of its channels. */
interface Graph {
  readonly network: Network;
  readonly classes: ChannelClasses;
  readonly convolutions: readonly Masked[];
}

/** Convolutions, and those of their filters that are chosen together. */
interface Tied {
  /** Indices of masked convolutions. */
  readonly convolutions: readonly number[];
  /**
   * Classes in the order in which they are kept; nothing where convolutions each keep a part of
   * their filters, which are then tied in their order.
   */
  readonly classes?: readonly number[];
}

function maskedOf({ layers }: Network, { values, masked }: ChannelClasses): Masked[] {
  const names = new Set(masked);
  return layers.flatMap((layer, i) =>
    isConv2d(layer) && names.has(layer.name) ? [{ layer, made: values[i] }] : []
  );
}

/** Sets of convolutions whose channels are tied; `byStage`, those of one stage alone. */
function families(
  network: Network,
  convolutions: readonly Masked[],
  byStage: boolean,
): number[][] {
  const numbers = new Map(convolutions.map(({ layer }, i) => [layer, i]));
  const stageOf = (i: number): number | undefined => convolutions[i].layer.stage;
  const unions = new Unions();
  for (const _ of convolutions) unions.add();
  flow(network, {
    image: -1,
    made: (i, width) => {
      const layer = network.layers[i];
      return Array<number>(width).fill(isConv2d(layer) ? numbers.get(layer) ?? -1 : -1);
    },
    tied: (a, b) => {
      const alike = a >= 0 && b >= 0 && (!byStage || stageOf(a) === stageOf(b));
      if (alike && a !== b) unions.merge(a, b);
      return Math.max(a, b);
    },
  });
  const members = new Map<number, number[]>();
  convolutions.forEach((_, i) => {
    const root = unions.find(i);
    members.set(root, [...members.get(root) ?? [], i]);
  });
  return [...members.values()];
}

/** By class: whether it is one filter of each of its convolutions, the same one. */
function inOrder(convolutions: readonly Masked[], count: number): boolean[] {
  const places = new Int32Array(count).fill(-1);
  const fits = Array<boolean>(count).fill(true);
  for (const { made } of convolutions) {
    const seen = new Set<number>();
    made.forEach((found, o) => {
      fits[found] &&= !seen.has(found) && (places[found] < 0 || places[found] === o);
      seen.add(found);
      places[found] = o;
    });
  }
  return fits;
}

/** Classes of channels that other layers than convolutions mix. */
function mixed({ layers }: Network, { values }: ChannelClasses): number[] {
  return layers.flatMap((layer, i) =>
    kindOf(layer).mixes ? values[i].filter((found) => found !== FIXED) : []
  );
}

/**
 * What is chosen together, of the classes that do not stay. Convolutions whose n-th filters are tied
 * keep each a part of their own filters, so that one that is added to a part of a wider value shares
 * its group. All others, as those around concatenations, choose among classes: there is a group for
 * those which the same convolutions make.
 */
function tie(
  { network, classes, convolutions }: Graph,
  stays: ReadonlySet<number>,
  { byStage = false, scores }: TieOptions,
): Tied[] {
  const fits = inOrder(convolutions, classes.count);
  const whole = families(network, convolutions, false);
  // By convolution: whether all that it is tied to is in order.
  const ordered = Array<boolean>(convolutions.length).fill(false);
  for (const family of whole) {
    const [{ made }] = family.map((i) => convolutions[i]);
    const straight = family.every((i) => {
      const own = convolutions[i].made;
      return own.every((found) => fits[found] && !stays.has(found)) &&
        (!scores || (own.length === made.length && own.every((found, o) => found === made[o])));
    });
    for (const i of family) ordered[i] = straight;
  }
  const named = new Map(convolutions.map(({ layer: { name } }, i) => [name, i]));
  const apart = byStage ? families(network, convolutions, true) : whole;
  return [
    ...apart.filter(([first]) => ordered[first]).map((found): Tied => ({
      convolutions: found,
      ...scores && { classes: convolutions[found[0]].made },
    })),
    ...channelGroups(network, classes).map((group) => ({
      convolutions: group.convolutions.map((name) => named.get(name) ?? -1),
      classes: group.classes.filter((found) => !stays.has(found)),
    })).filter(({ convolutions: [first], classes }) => !ordered[first] && classes.length),
  ].toSorted((a, b) =>
    a.convolutions[0] - b.convolutions[0] || (a.classes?.[0] ?? 0) - (b.classes?.[0] ?? 0)
  );
}

/** Places of a group, each made once. */
function placesOf(group: number): (rank: number, size: number) => Place {
  const made = new Map<number, Place[]>();
  return (rank, size) => {
    const places = made.get(size) ?? range(size).map((rank) => ({ group, rank, size }));
    made.set(size, places);
    return places[rank];
  };
}

/** The place of a channel that is made of two, which is there where both are. */
function both(a: Place | undefined, b: Place | undefined): Place | undefined {
  if (!a || !b || a === b) return a ?? b;
  // Sums across stages, which tie nothing there, belong to the later one.
  if (a.group !== b.group) return a.group > b.group ? a : b;
  return a.size <= b.size ? a : b;
}

/** Groups and places where some classes stay. */
function placed(graph: Graph, stays: ReadonlySet<number>, options: TieOptions): Placed {
  const { network, convolutions } = graph;
  const { scores } = options;
  const filters = convolutions.map(({ made }) =>
    Array<Place | undefined>(made.length).fill(undefined)
  );
  const tied = tie(graph, stays, options);
  const groups = tied.map(({ convolutions: members, classes }, group): WidthGroup => {
    const placeOf = placesOf(group);
    const order = scores && classes ? classes.toSorted((a, b) => scores[b] - scores[a]) : classes;
    const ranks = order && new Map(order.map((found, rank) => [found, rank]));
    for (const i of members) {
      const { made } = convolutions[i];
      made.forEach((found, o) => {
        const rank = ranks ? ranks.get(found) : o;
        if (rank !== undefined) filters[i][o] = placeOf(rank, ranks?.size ?? made.length);
      });
    }
    return {
      name: convolutions[members[0]].layer.name,
      convolutions: members.map((i) => convolutions[i].layer.name),
      size: order?.length ?? convolutions[members[0]].made.length,
    };
  });
  const madeBy = new Map(convolutions.map(({ layer }, i) => [layer, filters[i]]));
  const values = flow<Place | undefined>(network, {
    image: undefined,
    made: (i, width) => {
      const layer = network.layers[i];
      return (isConv2d(layer) && madeBy.get(layer)) || Array<undefined>(width).fill(undefined);
    },
    tied: both,
  });
  return { groups, values };
}

/** The class of the channel that is left last of each value of which nothing may be left. */
function lost({ values }: Placed, classes: ChannelClasses): number[] {
  return values.flatMap((places, i) => {
    // At least one is kept of each group.
    if (places.some((place) => !place || place.rank === 0)) return [];
    const ranks = places.map((place) => place?.rank ?? 0);
    return [classes.values[i][ranks.indexOf(Math.min(...ranks))]];
  });
}

/**
 * Ties the masked convolutions of a network into groups, and follows their channels through it.
 * Channels stay that would else leave a value without any, as where the later half of a value is
 * taken.
 */
export function placeChannels(network: Network, options: TieOptions): Placed {
  const classes = channelClasses(network, options.isMasked);
  const graph = { network, classes, convolutions: maskedOf(network, classes) };
  const stays = new Set(options.unmixed ? mixed(network, classes) : []);
  for (;;) {
    const found = placed(graph, stays, options);
    const more = lost(found, classes);
    if (!more.length) return found;
    for (const of of more) stays.add(of);
  }
}
