import { range } from "../../kernels/wgsl/blocked.ts";
import { isConv2d } from "../layers/conv2d.ts";
import { ruleOf } from "../layers/layer.ts";
import { kindOf } from "../layers/mod.ts";
import { channelsOf, IMAGE, type Network, type Value } from "../network.ts";
import type { State } from "../parameters.ts";
import { nameOf, valueOf } from "../state.ts";
import type { Adjoined } from "./adjoin.ts";
import { cutState } from "./adjoined_state.ts";
import { type WidthGroups, widthGroups } from "./width_groups.ts";

/** By channel: Σ |w| of the filters that make it, over the convolutions of its group. */
function magnitudes(network: Network, { groups }: WidthGroups, state: State): Float64Array[] {
  return groups.map(({ convolutions }) => {
    let sums = new Float64Array(0);
    for (const layer of network.layers.filter(isConv2d)) {
      if (!convolutions.includes(layer.name)) continue;
      if (!sums.length) sums = new Float64Array(layer.out);
      const weight = valueOf(state, `${layer.name}.weight`);
      weight.forEach((w, i) => sums[i % layer.out] += Math.abs(w));
    }
    return sums;
  });
}

/** The indices of the `count` largest, in order. */
function largest(values: Float64Array, count: number): number[] {
  return range(values.length).sort((a, b) => values[b] - values[a]).slice(0, count)
    .sort((a, b) => a - b);
}

/**
 * The state of the small network with those filters of a trained base that have the largest L1
 * norms (Li et al., arXiv 1608.08710), where adjoined networks have the first ones. Convolutions
 * whose outputs are added keep the same filters, by the sum of their norms; the first ones where
 * what they are added to is always whole.
 */
export function pruneByMagnitude(
  adjoined: Adjoined,
  state: State,
  { maskFrom }: { maskFrom?: number },
): State {
  const { base, small, origin } = adjoined;
  const tied = widthGroups(base, { maskFrom });
  const sums = magnitudes(base, tied, state);
  const prefixed = new Set(tied.inputGates.flat().map(({ extent: { group } }) => group));
  const widths = channelsOf(small);
  const channels = channelsOf(base);
  // By layer of the base: the channels of its value that are kept.
  const kept: number[][] = [];
  const of = (value: Value): number[] => value === IMAGE ? range(base.channels) : kept[value];
  const keptOf = (i: number): number[] => {
    const layer = base.layers[i];
    const { group } = tied.extents[i];
    const inputs = layer.inputs.map(of);
    const rule = ruleOf(kindOf(layer), layer, inputs.map(({ length }) => length));
    if (rule === "own") {
      const width = widths[origin.indexOf(i)];
      return group < 0 || prefixed.has(group) ? range(width) : largest(sums[group], width);
    }
    if (rule === "tied") {
      return inputs.reduce((least, other) => least.length <= other.length ? least : other);
    }
    // All inputs of a concatenation are whole.
    return inputs.length > 1 ? range(channels[i]) : inputs[0].filter((c) => c < channels[i]);
  };
  base.layers.forEach((_, i) => kept.push(keptOf(i)));
  return cutState(adjoined, state, (layer, i) => ({
    name: nameOf(layer),
    kept: { from: of(base.layers[origin[i]].inputs[0]), to: kept[origin[i]] },
  }));
}
