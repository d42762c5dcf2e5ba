import { range } from "../../kernels/wgsl/blocked.ts";
import { kindOf, type Layer } from "../layers/mod.ts";
import { channelsOf, IMAGE, type Network } from "../network.ts";
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

/** The parameters and statistics that the small network has to itself: those of its norms. */
export function smallSpecs({ small, shared, origin }: Adjoined): StateSpecs {
  const parameters = parametersOf(small);
  return joinSpecs(
    small.layers.flatMap((layer, i) =>
      kindOf(layer).perNetwork && !shared[origin[i]]
        ? [layerSpecs(ownName(nameOf(layer), "small"), parameters[i])]
        : []
    ),
  );
}

/** The state of both networks: that of the base, and the norms of the small network. */
export function adjoinedSpecs(adjoined: Adjoined): StateSpecs {
  return joinSpecs([networkSpecs(adjoined.base), smallSpecs(adjoined)]);
}

/** Channels that are kept of the values of the base network. */
export interface KeptChannels {
  /** The kept channels of the first input of layer `i` of the base network. */
  readonly from: (i: number) => readonly number[];
  /** The kept channels of the value of layer `i` of the base network. */
  readonly to: (i: number) => readonly number[];
}

/**
 * The state of the small network, cut out of that of the base: the channels that are kept, zeros
 * at taps that are not. `nameIn` is the name of a layer in the state, by its index in the small
 * network.
 */
export function cutState(
  { base, small, origin }: Adjoined,
  state: State,
  { from, to, nameIn }: KeptChannels & { readonly nameIn: (layer: Layer, i: number) => string },
): State {
  return new Map(small.layers.flatMap((layer, i) => {
    const of = origin[i];
    const { cut } = kindOf(layer);
    if (of < 0 || !cut) return [];
    const kept = { small: layer, from: from(of), to: to(of) };
    return cut(base.layers[of], partsOf(layer, state, nameIn(layer, i)), kept)
      .map(([part, values]) => [`${nameOf(layer)}.${part}`, values] as const);
  }));
}

/** The first channels of each value, as many as the small network has. */
function prefixes({ base, small, origin }: Adjoined): KeptChannels {
  const widths = channelsOf(small);
  const to = (i: number): number[] => range(widths[origin.indexOf(i)]);
  const into = ({ layers }: Network, i: number): number => layers[i].inputs[0];
  return {
    to,
    from: (i) => into(base, i) === IMAGE ? range(base.channels) : to(into(base, i)),
  };
}

/**
 * The state of the small network, cut out physically: prefix slices of the convolutions, zeros
 * where the spatial mask is, its own norms, the classifier's rows for the features it has.
 */
export function extract(adjoined: Adjoined, state: State): State {
  const { shared, origin } = adjoined;
  return cutState(adjoined, state, {
    ...prefixes(adjoined),
    nameIn: (layer, i) =>
      kindOf(layer).perNetwork
        ? ownName(nameOf(layer), shared[origin[i]] ? "base" : "small")
        : nameOf(layer),
  });
}
