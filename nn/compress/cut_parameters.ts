import type { SelectAttributes } from "../../kernels/ops/select.ts";
import type { LayerParameter } from "../layers/layer.ts";
import { kindOf } from "../layers/mod.ts";
import { nameOf, ownName, parametersOf } from "../state.ts";
import type { Adjoined } from "./adjoin.ts";
import { type Channels, isPrefix, type KeptChannels } from "./small_builder.ts";

/** The part of a parameter of the base network that belongs to some channels; nothing for all of it. */
function partOf(
  { shape, axes }: LayerParameter,
  { from, to }: KeptChannels,
): SelectAttributes | undefined {
  const selected = (axis: "in" | "out", list: Channels): Channels | undefined => {
    const at = axes.indexOf(axis);
    return at < 0 || (list.length === shape[at] && isPrefix(list)) ? undefined : list;
  };
  const [rows, columns] = [selected("in", from), selected("out", to)];
  return rows || columns ? { ...rows && { rows }, ...columns && { columns } } : undefined;
}

/** A copy of the values of a parameter that belong to some channels; of all where none are given. */
export function takePart(
  values: Float32Array,
  parameter: LayerParameter,
  kept?: KeptChannels,
): Float32Array {
  const cut = kept && partOf(parameter, kept);
  if (!cut) return values.slice();
  const { rows, columns } = cut;
  const { shape } = parameter;
  const [height, width] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const [takenRows, takenColumns] = [rows?.length ?? height, columns?.length ?? width];
  const outer = values.length / (height * width);
  const taken = new Float32Array(outer * takenRows * takenColumns);
  let at = 0;
  for (let n = 0; n < outer; n++) {
    for (let r = 0; r < takenRows; r++) {
      const start = (n * height + (rows ? rows[r] : r)) * width;
      for (let c = 0; c < takenColumns; c++) {
        taken[at++] = values[start + (columns ? columns[c] : c)];
      }
    }
  }
  return taken;
}

/** A parameter or statistic that the small network has to itself: one of its norms. */
export interface OwnParameter {
  /** Its name in a state of both networks. */
  readonly name: string;
  /** The name of that of the base network which it stands for. */
  readonly base: string;
  /** That of the base network. */
  readonly parameter: LayerParameter;
  /** The channels that it keeps of it. */
  readonly kept: KeptChannels;
}

/** The parameters and statistics that the small network has to itself. */
export function ownParameters(
  { which, base, small, shared, origin, kept }: Adjoined,
): OwnParameter[] {
  const parameters = parametersOf(base);
  return small.layers.flatMap((layer, i) =>
    kindOf(layer).perNetwork && !shared[origin[i]]
      ? parameters[origin[i]].map((parameter) => ({
        name: `${ownName(nameOf(layer), which)}.${parameter.part}`,
        base: `${nameOf(layer)}.${parameter.part}`,
        parameter,
        kept: kept[i],
      }))
      : []
  );
}

/**
 * By layer of the small network: the part of each parameter of the base network that it is run with,
 * but for those of which its op takes the first channels by itself.
 */
export function cutParameters(
  { base, small, shared, origin, kept }: Adjoined,
): (ReadonlyMap<string, SelectAttributes> | undefined)[] {
  const parameters = parametersOf(base);
  return small.layers.map((layer, i) => {
    const of = origin[i];
    const kind = kindOf(layer);
    if (of < 0 || shared[of] || kind.perNetwork) return;
    const prefix = isPrefix(kept[i].from) && isPrefix(kept[i].to);
    const cuts = parameters[of].flatMap((parameter) => {
      const cut = partOf(parameter, kept[i]);
      // Ops take slices of what runs over inputs and outputs; groups of channels are no slice.
      const sliced = prefix && parameter.axes.includes("in") &&
        kind.slices?.includes(parameter.part);
      return cut && !sliced ? [[parameter.part, cut] as const] : [];
    });
    return cuts.length ? new Map(cuts) : undefined;
  });
}
