import { type BatchNormLayer, IMAGE, type Layer, type Network, type Value } from "./network.ts";

/** A sum that is done by the norm that makes one of its summands. */
export interface FusedSum {
  /** The norm. */
  readonly norm: BatchNormLayer;
  /** The norm's value. */
  readonly summand: Value;
  /** The other summand. */
  readonly residual: Value;
}

/** Layers whose work the kernels of the layer before them do, which nothing else uses. */
export interface Fusions {
  /** By layer: whether it is a ReLU that the norm or sum before it does. */
  readonly relus: readonly boolean[];
  /** By layer: the sum that a norm before it does, or `undefined`. */
  readonly sums: readonly (FusedSum | undefined)[];
}

/** Finds what can be done together. */
export function fusions({ layers }: Network): Fusions {
  const uses = layers.map(() => 0);
  for (const { inputs } of layers) for (const v of inputs) if (v !== IMAGE) uses[v]++;
  const onlyUsed = (v: Value): Layer | undefined =>
    v !== IMAGE && uses[v] === 1 ? layers[v] : undefined;
  const fusedSum = ([a, b]: readonly [Value, Value]): FusedSum | undefined => {
    for (const [summand, residual] of [[a, b], [b, a]]) {
      const norm = onlyUsed(summand);
      if (norm?.kind === "batchNorm") return { norm, summand, residual };
    }
  };
  return {
    relus: layers.map(({ kind, inputs: [x] }) =>
      kind === "relu" && ["batchNorm", "add"].includes(onlyUsed(x)?.kind ?? "")
    ),
    sums: layers.map((layer) => layer.kind === "add" ? fusedSum(layer.inputs) : undefined),
  };
}
