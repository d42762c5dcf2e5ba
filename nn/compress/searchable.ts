import { gateChannels } from "../../kernels/ops/gate_channels.ts";
import { gateEachChannel } from "../../kernels/ops/gate_each_channel.ts";
import type { Tensor } from "../../kernels/gpu/tensor.ts";
import { adjoin, type Adjoined, type AdjoinOptions } from "./adjoin.ts";
import type { Running, Soft } from "../forward.ts";
import type { Network } from "../network.ts";
import type { State } from "../parameters.ts";
import { adjoinedSpecs } from "./adjoined_state.ts";
import { ownParameters, takePart } from "./cut_parameters.ts";
import { runAdjoined } from "./run_adjoined.ts";
import type { Gate } from "./width_gates.ts";
import { type WidthGroups, widthGroups, type WidthOptions } from "./width_groups.ts";

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
  const through = (x: Tensor, gate: Gate | undefined): Tensor => {
    if (!gate) return x;
    const [y] = "group" in gate
      ? running.apply(gateChannels, [x, chosen], gate)
      : running.apply(gateEachChannel, [x, chosen], gate);
    return y;
  };
  const soft: Soft = {
    value: (i, y) => through(y, gates[i]),
    input: (i, input, x) => through(x, inputGates[i].find((gate) => gate.input === input)?.gate),
  };
  return runAdjoined(adjoined, image, running, soft);
}

/** The state of a searched network, cut to the widths of an adjoined one. */
export function narrowState(state: State, adjoined: Adjoined): State {
  // Only the small network's norms are its own, and narrower.
  const own = new Map(ownParameters(adjoined).map((found) => [found.name, found]));
  const { parameters: learned, statistics } = adjoinedSpecs(adjoined);
  return new Map([...learned, ...statistics].map(({ name }) => {
    const values = state.get(name);
    if (!values) throw new TypeError(`Cannot narrow the state: ${name} is missing`);
    const found = own.get(name);
    return [name, found ? takePart(values, found.parameter, found.kept) : values.slice()];
  }));
}
