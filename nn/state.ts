import { elements } from "../kernels/gpu/tensor.ts";
import type { LayerParameter, PartValues } from "./layers/layer.ts";
import { kindOf, type Layer } from "./layers/mod.ts";
import { channelsOf, type Network } from "./network.ts";
import type { ParameterSpec, State } from "./parameters.ts";
import type { Which } from "./which.ts";

/** Names and shapes of what a network learns, and of its running statistics. */
export interface StateSpecs {
  /** Weights, biases, scales and shifts, which are learned. */
  readonly parameters: readonly ParameterSpec[];
  /** Means and variances for evaluation, updated by training. */
  readonly statistics: readonly ParameterSpec[];
}

/**
 * The name under which a network has the parameters of a layer that each has of its own: those of
 * norms. A small network's begin with its name.
 */
export function ownName(layer: string, which: Which): string {
  return which === "base" ? layer : `${which}.${layer}`;
}

/** Whether a name begins as those do that small networks have to themselves. */
export function isOwnName(name: string): boolean {
  return /^small[.-]/.test(name);
}

/** The name of a layer, empty where it has none. */
export function nameOf(layer: Layer): string {
  return "name" in layer ? layer.name : "";
}

/** The names and shapes of some parameters of a layer called `name`. */
export function layerSpecs(name: string, parameters: readonly LayerParameter[]): StateSpecs {
  const specs = (statistics: boolean): ParameterSpec[] =>
    parameters.filter(({ statistic = false }) => statistic === statistics)
      .map(({ part, shape }) => ({ name: `${name}.${part}`, shape }));
  return { parameters: specs(false), statistics: specs(true) };
}

/** Several specs, one behind the other. */
export function joinSpecs(specs: readonly StateSpecs[]): StateSpecs {
  return {
    parameters: specs.flatMap(({ parameters }) => parameters),
    statistics: specs.flatMap(({ statistics }) => statistics),
  };
}

/** By layer: its parameters. */
export function parametersOf(network: Network): (readonly LayerParameter[])[] {
  const channels = channelsOf(network);
  return network.layers.map((layer, i) => kindOf(layer).parameters?.(layer, channels[i]) ?? []);
}

/** The state of a network on its own. */
export function networkSpecs(network: Network): StateSpecs {
  const parameters = parametersOf(network);
  return joinSpecs(network.layers.map((layer, i) => layerSpecs(nameOf(layer), parameters[i])));
}

/**
 * Draws a state: convolutions and classifier from a normal distribution of standard deviation
 * 1 / sqrt(fan in), biases 0, norms at scale 1, or 0 where their layer says so. `network` is the
 * base network where `specs` are those of adjoined networks. Raises a `TypeError` for a parameter
 * that no layer has.
 */
export function initialize(
  specs: StateSpecs,
  network: Network,
  normal: () => number,
): State {
  const parameters = parametersOf(network);
  const initials = new Map<string, LayerParameter["initial"]>(
    network.layers.flatMap((layer, i) =>
      parameters[i].map(({ part, initial }) => [`${nameOf(layer)}.${part}`, initial] as const)
    ),
  );
  const initialOf = (name: string): LayerParameter["initial"] => {
    let found = initials.get(name);
    // What is behind the name of a small network, which may have points in it.
    for (let at = isOwnName(name) ? name.indexOf(".") : -1; at >= 0 && found === undefined;) {
      found = initials.get(name.slice(at + 1));
      at = name.indexOf(".", at + 1);
    }
    if (found !== undefined) return found;
    throw new TypeError(`Cannot draw ${name}: wanted a parameter of the network, found none`);
  };
  return new Map([...specs.parameters, ...specs.statistics].map(({ name, shape }) => {
    const values = new Float32Array(elements(shape));
    const initial = initialOf(name);
    if (typeof initial === "number") return [name, values.fill(initial)];
    const std = 1 / Math.sqrt(elements(shape.slice(0, -1)));
    for (let i = 0; i < values.length; i++) values[i] = std * normal();
    return [name, values];
  }));
}

/** The values of this name. Raises a `TypeError` when there are none. */
export function valueOf(state: State, name: string): Float32Array {
  const found = state.get(name);
  if (!found) throw new TypeError(`Cannot take the state apart: ${name} is missing`);
  return found;
}

/** The values of a layer's parameters by part, called `name` in the state. */
export function partsOf(layer: Layer, state: State, name: string = nameOf(layer)): PartValues {
  return (part) => valueOf(state, `${name}.${part}`);
}

/** The values of a network's own parameters and statistics. */
export function networkState(network: Network, state: State): State {
  const { parameters, statistics } = networkSpecs(network);
  return new Map([...parameters, ...statistics].map(({ name }) => [name, valueOf(state, name)]));
}

/**
 * The values of a network's own parameters and statistics as files have them: zeros at the taps that
 * a convolution does not keep.
 */
export function storedState(network: Network, state: State): State {
  const stored: State = networkState(network, state);
  const parameters = parametersOf(network);
  network.layers.forEach((layer, i) => {
    for (const { part } of parameters[i]) {
      const name = `${nameOf(layer)}.${part}`;
      const values = valueOf(state, name);
      stored.set(name, kindOf(layer).stored?.(layer, part, values) ?? values);
    }
  });
  return stored;
}
