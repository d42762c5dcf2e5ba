import { usesOf } from "./fusions.ts";
import { NORM_EPS } from "./layers/batch_norm.ts";
import { kindOf } from "./layers/mod.ts";
import { IMAGE, type Network } from "./network.ts";
import type { State } from "./parameters.ts";
import { partsOf } from "./state.ts";

/** A convolution that does the batch norm after it as well. */
export interface FoldedConv2d {
  /** The layer of the norm, whose value this one makes. */
  readonly norm: number;
  /** `[height, width, in, out]`. */
  readonly weight: Float32Array;
  /** `[out]`. */
  readonly bias: Float32Array;
}

/**
 * By layer: the convolutions that nothing but a batch norm is applied to, with the norm's running
 * statistics, scale and shift in their weights and in a bias. `eps` is added to the variance where
 * the norm states none.
 */
export function foldNorms(
  network: Network,
  state: State,
  { eps = NORM_EPS }: { eps?: number } = {},
): Map<number, FoldedConv2d> {
  const { layers } = network;
  const uses = usesOf(network);
  const folded = new Map<number, FoldedConv2d>();
  layers.forEach((layer, norm) => {
    const [x] = layer.inputs;
    if (x === IMAGE || uses[x] !== 1) return;
    const { scaling } = kindOf(layer);
    const { scaled } = kindOf(layers[x]);
    if (!scaling || !scaled) return;
    // norm(w x + b) = f w x + f b + shift, f in float64.
    const { factors, shifts } = scaling(layer, partsOf(layer, state), eps);
    const { weight, bias } = scaled(layers[x], partsOf(layers[x], state), factors);
    folded.set(x, { norm, weight, bias: bias ? bias.map((b, i) => b + shifts[i]) : shifts });
  });
  return folded;
}
