import type { ImageSize } from "../count.ts";
import { channelsOf, IMAGE, type Network, type Value } from "../network.ts";
import {
  layersKey,
  type LayerTable,
  LayerTimes,
  type LayerWork,
  layerWorks,
  nothing,
  type TimedLayers,
  type Widths,
} from "./layer_works.ts";
import { CostSum, type WidthCost } from "./width_cost.ts";
import type { Extent } from "./width_extents.ts";
import type { WidthGroups } from "./width_groups.ts";

/** Channels that are always there. */
function always(channels: number): Extent {
  return { whole: channels, parts: [] };
}

/** Channels where every group has its candidate k, by k; one number where there is no choice. */
function levels({ whole, parts }: Extent): number[] {
  const candidates = parts[0]?.widths ?? [0];
  return candidates.map((_, k) => parts.reduce((sum, { widths }) => sum + widths[k], whole));
}

/** A work of the network that is searched, and the channels that it may have. */
interface SearchedWork {
  readonly work: LayerWork;
  readonly from: Extent;
  readonly to: Extent;
  /** Those of the base network. */
  readonly whole: Widths;
}

function searchedWorks(network: Network, { extents }: WidthGroups): SearchedWork[] {
  const channels = channelsOf(network);
  const of = (value: Value): Extent => value === IMAGE ? always(network.channels) : extents[value];
  return layerWorks(network).map((work) => {
    const { layers: [first], mixes } = work;
    const [x] = network.layers[first].inputs;
    return {
      work,
      // What channels one by one cost follows from how many are made.
      from: mixes ? of(x) : always(0),
      to: extents[first],
      whole: {
        from: !mixes ? 0 : x === IMAGE ? network.channels : channels[x],
        to: channels[first],
      },
    };
  });
}

/** What has to be timed for {@link latencyCost}; works that are equal occur as often as in the network. */
export function layersToTime(
  network: Network,
  groups: WidthGroups,
  image: ImageSize,
): TimedLayers[] {
  const times = new LayerTimes(network, image);
  const layers = searchedWorks(network, groups).flatMap(({ work, from, to, whole }) => [
    times.timed(work, whole),
    ...levels(from).flatMap((c) => levels(to).map((d) => times.timed(work, { from: c, to: d }))),
  ]);
  return [nothing({ network, image, before: 0 }), ...layers];
}

/** The straight line nearest to some points, as [height at 0, slope]. */
function lineThrough(x: readonly number[], y: readonly number[]): [number, number] {
  const mean = (values: readonly number[]): number =>
    values.reduce((a, b) => a + b) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const spread = x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
  const slope = spread && x.reduce((sum, v, i) => sum + (v - mx) * (y[i] - my), 0) / spread;
  return [my - slope * mx, slope];
}

/**
 * The expected latency of the small network over that of the base: the sum over its layers of the
 * milliseconds that a table has for as many channels as they read and make, and of what a run takes
 * besides. The table has what {@link layersToTime} lists; else a `TypeError` is raised. Exact for layers whose input and value each depend on the choice of one group at
 * most; for others, as behind concatenations, the nearest a + b · in + c · out + d · in · out. Cuts of
 * wider summands are left out.
 */
export function latencyCost(
  network: Network,
  groups: WidthGroups,
  { image, table }: { readonly image: ImageSize; readonly table: LayerTable },
): WidthCost {
  const latencyOf = (timed: TimedLayers): number => {
    const found = table.get(layersKey(timed));
    if (found !== undefined) return found;
    throw new TypeError(`Cannot say what layers cost: nobody has timed ${layersKey(timed)}`);
  };
  const rest = latencyOf(nothing({ network, image, before: 0 }));
  const times = new LayerTimes(network, image);
  const works = searchedWorks(network, groups);
  const all = works.reduce(
    (sum, { work, whole }) => sum + latencyOf(times.timed(work, whole)),
    rest,
  );
  const sum = new CostSum(groups);
  sum.constant += rest / all;
  for (const { work, from, to } of works) {
    const [ins, outs] = [levels(from), levels(to)];
    const costs = ins.map((c) =>
      outs.map((d) => latencyOf(times.timed(work, { from: c, to: d })) / all)
    );
    if (from.parts.length <= 1 && to.parts.length <= 1) {
      sum.addTable(costs, from.parts[0]?.group, to.parts[0]?.group);
      continue;
    }
    // On a grid, the nearest a + b c + c d + ... is that of lines through those of its rows.
    const rows = costs.map((row) => lineThrough(outs, row));
    const [flat, byIn] = lineThrough(ins, rows.map(([height]) => height));
    const [byOut, byBoth] = lineThrough(ins, rows.map(([, slope]) => slope));
    sum.constant += flat;
    sum.addProduct(byIn, from);
    sum.addProduct(byOut, to);
    sum.addProduct(byBoth, from, to);
  }
  return sum;
}

/**
 * The same cost where a choice of this cost was measured to have another: all costs are as much nearer
 * to that of the base network, or farther.
 */
export function correctedCost(
  { constant, singles, pairs }: WidthCost,
  { expected, measured }: { readonly expected: number; readonly measured: number },
): WidthCost {
  const scale = (1 - measured) / (1 - expected);
  return {
    constant: 1 + scale * (constant - 1),
    singles: singles.map((v) => scale * v),
    pairs: pairs.map((v) => scale * v),
  };
}
