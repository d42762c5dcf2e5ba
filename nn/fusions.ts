import type { Absorbed, AbsorbedActivation } from "./layers/layer.ts";
import { kindOf } from "./layers/mod.ts";
import { IMAGE, type Network, type Value } from "./network.ts";

/** A sum that is done by the layer that makes one of its summands: a norm. */
export interface FusedSum {
  /** The value of the layer that does it. */
  readonly summand: Value;
  /** The other summand. */
  readonly residual: Value;
}

/** Layers whose work the kernels of the layer before them do, which nothing else uses. */
export interface Fusions {
  /** By layer: the activation that it is, where the norm or sum before it does it. */
  readonly activations: readonly (AbsorbedActivation | undefined)[];
  /** By layer: the sum that a norm before it does, or `undefined`. */
  readonly sums: readonly (FusedSum | undefined)[];
}

/** The number of uses of each value, by layer. */
export function usesOf({ layers }: Network): number[] {
  const uses = layers.map(() => 0);
  for (const { inputs } of layers) for (const v of inputs) if (v !== IMAGE) uses[v]++;
  return uses;
}

/** Finds what can be done together. */
export function fusions(network: Network): Fusions {
  const { layers } = network;
  const uses = usesOf(network);
  const absorbs = (v: Value, what: Absorbed): boolean =>
    v !== IMAGE && uses[v] === 1 && kindOf(layers[v]).absorbs?.includes(what) === true;
  const fusedSum = ([a, b]: readonly Value[]): FusedSum | undefined => {
    if (absorbs(a, "sum")) return { summand: a, residual: b };
    if (absorbs(b, "sum")) return { summand: b, residual: a };
  };
  return {
    activations: layers.map((layer) => {
      const { absorbedAs } = kindOf(layer);
      if (!absorbedAs || absorbedAs === "sum") return;
      return absorbs(layer.inputs[0], absorbedAs) ? absorbedAs : undefined;
    }),
    sums: layers.map((layer) =>
      kindOf(layer).absorbedAs === "sum" ? fusedSum(layer.inputs) : undefined
    ),
  };
}
