import { gateChannels } from "../../kernels/ops/gate_channels.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { adjoin, type Adjoined, type AdjoinOptions } from "./adjoin.ts";
import type { Running, Soft } from "../forward.ts";
import type { Network } from "../network.ts";
import type { State } from "../parameters.ts";
import { adjoinedSpecs } from "./adjoined_state.ts";
import { runAdjoined } from "./run_adjoined.ts";
import { type Extent, type WidthGroups, widthGroups, type WidthOptions } from "./width_groups.ts";

/** The networks that a search trains, both at full width, and the choices in the small one. */
export interface Search {
  /** With a small network as wide as the base, and norms of its own. */
  readonly adjoined: Adjoined;
  /** The choices, and their places in the network. */
  readonly groups: WidthGroups;
}

/**
 * Prepares a network for a search of widths. Raises a `RangeError` when there is nothing to choose.
 */
export function searchable(
  network: Network,
  { trunk, ...options }: WidthOptions & Pick<AdjoinOptions, "trunk">,
): Search {
  const { maskFrom } = options;
  return {
    adjoined: adjoin(network, { compression: 1, trunk, maskFrom }),
    groups: widthGroups(network, options),
  };
}

/**
 * Logits of both networks, the small one through gates `[groups, candidates]`. A mask acts after
 * the norm of its convolution: before it, the norm would undo its scale, and with it its gradient.
 */
export function runSearch(
  { adjoined, groups: { gates, inputGates } }: Search,
  image: Tensor,
  chosen: Tensor,
  running: Running,
): { base: Tensor; small: Tensor } {
  const through = (x: Tensor, extent: Extent | undefined): Tensor =>
    extent ? running.apply(gateChannels, [x, chosen], extent)[0] : x;
  const soft: Soft = {
    value: (i, y) => through(y, gates[i]),
    input: (i, input, x) => through(x, inputGates[i].find((gate) => gate.input === input)?.extent),
  };
  return runAdjoined(adjoined, image, running, soft);
}

/** The state of a searched network, cut to the widths of an adjoined one. */
export function narrowState(state: State, adjoined: Adjoined): State {
  const { parameters, statistics } = adjoinedSpecs(adjoined);
  return new Map([...parameters, ...statistics].map(({ name, shape }) => {
    const values = state.get(name);
    if (!values) throw new TypeError(`Cannot narrow the state: ${name} is missing`);
    // Only norms of the small network are narrower: vectors.
    return [name, shape.length === 1 ? values.slice(0, shape[0]) : values.slice()];
  }));
}
