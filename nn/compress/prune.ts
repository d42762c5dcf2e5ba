import { range } from "../../kernels/wgsl/blocked.ts";
import type { Adjoined } from "./adjoin.ts";
import { channelsOf, IMAGE, type Network, type Value } from "../network.ts";
import type { State } from "../parameters.ts";
import { valueOf } from "../state.ts";
import { type WidthGroups, widthGroups } from "./width_groups.ts";

/** By channel: Σ |w| of the filters that make it, over the convolutions of its group. */
function magnitudes(network: Network, { groups }: WidthGroups, state: State): Float64Array[] {
  return groups.map(({ convolutions }) => {
    let sums = new Float64Array(0);
    for (const layer of network.layers) {
      if (layer.kind !== "conv2d" || !convolutions.includes(layer.name)) continue;
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
  { base, small, origin }: Adjoined,
  state: State,
  { maskFrom }: { maskFrom?: number },
): State {
  const tied = widthGroups(base, { maskFrom });
  const sums = magnitudes(base, tied, state);
  const prefixed = new Set(tied.inputGates.flat().map(({ extent: { group } }) => group));
  const widths = channelsOf(small);
  const channels = channelsOf(base);
  // By layer of the base: the channels of its value that are kept.
  const kept: number[][] = [];
  const of = (value: Value): number[] => value === IMAGE ? range(base.channels) : kept[value];
  base.layers.forEach((layer, i) => {
    const { group } = tied.extents[i];
    const width = widths[origin.indexOf(i)];
    if (layer.kind === "conv2d") {
      const free = group < 0 || prefixed.has(group);
      kept.push(free ? range(width) : largest(sums[group], width));
    } else if (layer.kind === "linear") kept.push(range(layer.out));
    else if (layer.kind === "add") {
      const [a, b] = layer.inputs.map(of);
      kept.push(a.length <= b.length ? a : b);
    } else kept.push(of(layer.inputs[0]).filter((c) => c < channels[i]));
  });
  const pruned: State = new Map();
  base.layers.forEach((layer, i) => {
    const from = of(layer.inputs[0]);
    if (layer.kind === "conv2d") {
      const weight = valueOf(state, `${layer.name}.weight`);
      const taps = range(layer.kernel ** 2);
      pruned.set(
        `${layer.name}.weight`,
        Float32Array.from(
          taps.flatMap((tap) =>
            from.flatMap((c) => kept[i].map((o) => weight[(tap * layer.in + c) * layer.out + o]))
          ),
        ),
      );
    } else if (layer.kind === "linear") {
      const weight = valueOf(state, `${layer.name}.weight`);
      pruned.set(
        `${layer.name}.weight`,
        Float32Array.from(
          from.flatMap((c) => range(layer.out).map((o) => weight[c * layer.out + o])),
        ),
      );
      pruned.set(`${layer.name}.bias`, valueOf(state, `${layer.name}.bias`).slice());
    } else if (layer.kind === "batchNorm") {
      for (const part of ["weight", "bias", "running_mean", "running_var"]) {
        const values = valueOf(state, `${layer.name}.${part}`);
        pruned.set(`${layer.name}.${part}`, Float32Array.from(kept[i], (c) => values[c]));
      }
    }
  });
  return pruned;
}
