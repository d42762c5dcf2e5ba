import { kindOf, type Layer } from "../layers/mod.ts";
import type { State } from "../parameters.ts";
import {
  joinSpecs,
  layerSpecs,
  nameOf,
  networkSpecs,
  ownName,
  parametersOf,
  partsOf,
  type StateSpecs,
} from "../state.ts";
import type { Adjoined } from "./adjoin.ts";
import { takePart } from "./cut_parameters.ts";
import { pairsIn } from "./pairs.ts";
import type { KeptChannels } from "./small_builder.ts";

/** The parameters and statistics that the small network has to itself: those of its norms. */
export function smallSpecs({ which, small, shared, origin }: Adjoined): StateSpecs {
  const parameters = parametersOf(small);
  return joinSpecs(
    small.layers.flatMap((layer, i) =>
      kindOf(layer).perNetwork && !shared[origin[i]]
        ? [layerSpecs(ownName(nameOf(layer), which), parameters[i])]
        : []
    ),
  );
}

/**
 * The state of adjoined networks: that of the base, and the norms of each small network. Of several
 * pairs the base network has to be one; raises a `TypeError` for none.
 */
export function adjoinedSpecs(adjoined: Adjoined | readonly Adjoined[]): StateSpecs {
  const pairs = pairsIn(adjoined);
  return joinSpecs([networkSpecs(pairs[0].base), ...pairs.map(smallSpecs)]);
}

/** Where the small network's values of a layer come from. */
export interface CutSource {
  /** The name of the layer in the state. */
  readonly name: string;
  /** The channels that are kept of its values there. Default: they are the small network's own. */
  readonly kept?: KeptChannels;
}

/**
 * The state of the small network, cut out of that of the base: the channels that are kept, zeros
 * at taps that are not. `source` says for each of its layers where its values come from.
 */
export function cutState(
  { base, small, origin }: Adjoined,
  state: State,
  source: (layer: Layer, i: number) => CutSource,
): State {
  const parameters = parametersOf(base);
  return new Map(small.layers.flatMap((layer, i) => {
    const of = origin[i];
    if (of < 0) return [];
    const { name, kept } = source(layer, i);
    const values = partsOf(layer, state, name);
    return parameters[of].map((parameter) => {
      const { part } = parameter;
      const own = takePart(values(part), parameter, kept);
      return [`${nameOf(layer)}.${part}`, kindOf(layer).stored?.(layer, part, own) ?? own] as const;
    });
  }));
}

/**
 * The state of the small network, cut out physically: slices of the convolutions, zeros where the
 * spatial mask is, its own norms, the classifier's rows for the features it has.
 */
export function extract(adjoined: Adjoined, state: State): State {
  const { which, shared, origin, kept } = adjoined;
  return cutState(adjoined, state, (layer, i) => {
    const isOwn = kindOf(layer).perNetwork && !shared[origin[i]];
    const name = nameOf(layer);
    return isOwn ? { name: ownName(name, which) } : { name, kept: kept[i] };
  });
}
