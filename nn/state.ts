import { elements } from "../kernels/gpu/tensor.ts";
import type { Adjoined } from "./compress/adjoin.ts";
import { normName } from "./forward.ts";
import { channelsOf, type Conv2dLayer, type Network } from "./network.ts";
import type { ParameterSpec, State } from "./parameters.ts";

/** Names and shapes of what a network learns, and of its running statistics. */
export interface StateSpecs {
  /** What is learned. */
  readonly parameters: readonly ParameterSpec[];
  /** Means and variances for evaluation, updated by training. */
  readonly statistics: readonly ParameterSpec[];
}

function normSpecs(name: string, channels: number): StateSpecs {
  const parts = (names: string[]): ParameterSpec[] =>
    names.map((part) => ({ name: `${name}.${part}`, shape: [channels] }));
  return {
    parameters: parts(["weight", "bias"]),
    statistics: parts(["running_mean", "running_var"]),
  };
}

function join(specs: readonly StateSpecs[]): StateSpecs {
  return {
    parameters: specs.flatMap(({ parameters }) => parameters),
    statistics: specs.flatMap(({ statistics }) => statistics),
  };
}

/** The state of a network on its own. */
export function networkSpecs(network: Network): StateSpecs {
  const channels = channelsOf(network);
  return join(network.layers.map((layer, i): StateSpecs => {
    switch (layer.kind) {
      case "conv2d": {
        const shape = [layer.kernel, layer.kernel, layer.in, layer.out];
        return { parameters: [{ name: `${layer.name}.weight`, shape }], statistics: [] };
      }
      case "linear":
        return {
          parameters: [
            { name: `${layer.name}.weight`, shape: [layer.in, layer.out] },
            { name: `${layer.name}.bias`, shape: [layer.out] },
          ],
          statistics: [],
        };
      case "batchNorm":
        return normSpecs(layer.name, channels[i]);
      default:
        return { parameters: [], statistics: [] };
    }
  }));
}

/** The norms that the small network has to itself. */
export function smallNorms(
  { small, shared, origin }: Adjoined,
): { name: string; channels: number }[] {
  const channels = channelsOf(small);
  return small.layers.flatMap((layer, i) =>
    layer.kind === "batchNorm" && !shared[origin[i]]
      ? [{ name: layer.name, channels: channels[i] }]
      : []
  );
}

/** The state of both networks: that of the base, and the norms of the small network. */
export function adjoinedSpecs(adjoined: Adjoined): StateSpecs {
  return join([
    networkSpecs(adjoined.base),
    ...smallNorms(adjoined).map(({ name, channels }) =>
      normSpecs(normName(name, "small"), channels)
    ),
  ]);
}

/**
 * Draws a state: convolutions and classifier from a normal distribution of standard deviation
 * 1 / sqrt(fan in), biases 0, norms at scale 1, or 0 where their layer says so.
 */
export function initialize(
  specs: StateSpecs,
  network: Network,
  normal: () => number,
): State {
  const zero = new Set(
    network.layers.flatMap((layer) => layer.kind === "batchNorm" && layer.zero ? [layer.name] : []),
  );
  const state: State = new Map();
  for (const { name, shape } of specs.parameters) {
    const values = new Float32Array(elements(shape));
    if (shape.length > 1) {
      const std = 1 / Math.sqrt(elements(shape.slice(0, -1)));
      for (let i = 0; i < values.length; i++) values[i] = std * normal();
    } else if (name.endsWith(".weight")) {
      values.fill(zero.has(name.slice(0, -".weight".length).replace(/^small\./, "")) ? 0 : 1);
    }
    state.set(name, values);
  }
  for (const { name, shape } of specs.statistics) {
    state.set(name, new Float32Array(elements(shape)).fill(name.endsWith("_var") ? 1 : 0));
  }
  return state;
}

/** The values of this name. Raises a `TypeError` when there are none. */
export function valueOf(state: State, name: string): Float32Array {
  const found = state.get(name);
  if (!found) throw new TypeError(`Cannot take the state apart: ${name} is missing`);
  return found;
}

/** The values of a network's own parameters and statistics. */
export function networkState(network: Network, state: State): State {
  const { parameters, statistics } = networkSpecs(network);
  return new Map([...parameters, ...statistics].map(({ name }) => [name, valueOf(state, name)]));
}

/** The weight of a convolution with zeros at the taps that it does not keep. */
export function maskTaps(
  { keptTaps, in: channels, out }: Conv2dLayer,
  w: Float32Array,
): Float32Array {
  if (!keptTaps) return w;
  const masked = w.slice();
  const tap = channels * out;
  keptTaps.forEach((kept, t) => kept || masked.fill(0, t * tap, (t + 1) * tap));
  return masked;
}

function sliceFilter(
  weight: Float32Array,
  from: Conv2dLayer,
  to: Conv2dLayer,
): Float32Array {
  const slice = new Float32Array(to.kernel ** 2 * to.in * to.out);
  for (let tap = 0; tap < to.kernel ** 2; tap++) {
    if (to.keptTaps && !to.keptTaps[tap]) continue;
    for (let i = 0; i < to.in; i++) {
      const start = (tap * from.in + i) * from.out;
      slice.set(weight.subarray(start, start + to.out), (tap * to.in + i) * to.out);
    }
  }
  return slice;
}

/**
 * The state of the small network, cut out physically: prefix slices of the convolutions, zeros
 * where the spatial mask is, its own norms, the classifier's rows for the features it has.
 */
export function extract({ base, small, shared, origin }: Adjoined, state: State): State {
  const extracted: State = new Map();
  small.layers.forEach((layer, i) => {
    const from = base.layers[origin[i]];
    if (layer.kind === "conv2d" && from?.kind === "conv2d") {
      const name = `${layer.name}.weight`;
      extracted.set(name, sliceFilter(valueOf(state, name), from, layer));
    } else if (layer.kind === "linear") {
      const name = `${layer.name}.weight`;
      extracted.set(name, valueOf(state, name).slice(0, layer.in * layer.out));
      extracted.set(`${layer.name}.bias`, valueOf(state, `${layer.name}.bias`).slice());
    } else if (layer.kind === "batchNorm") {
      const source = normName(layer.name, shared[origin[i]] ? "base" : "small");
      for (const part of ["weight", "bias", "running_mean", "running_var"]) {
        extracted.set(`${layer.name}.${part}`, valueOf(state, `${source}.${part}`).slice());
      }
    }
  });
  return extracted;
}
