import { type Conv2dLayer, IMAGE, type Network, NORM_EPS } from "./network.ts";
import type { State } from "./parameters.ts";
import { maskTaps, valueOf } from "./state.ts";

/** A convolution that does the batch norm after it as well. */
export interface FoldedConv2d {
  /** The layer of the norm, whose value this one makes. */
  readonly norm: number;
  /** `[height, width, in, out]`. */
  readonly weight: Float32Array;
  /** `[out]`. */
  readonly bias: Float32Array;
}

function fold(
  conv: Conv2dLayer,
  { norm, name, state, eps }: { norm: number; name: string; state: State; eps: number },
): FoldedConv2d {
  const [scale, shift, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
    .map((part) => valueOf(state, `${name}.${part}`));
  // scale (w x - mean) / √(variance + eps) + shift = (w f) x + (shift - mean f), f in float64.
  const factors = Float64Array.from(scale, (s, o) => s / Math.sqrt(variance[o] + eps));
  const weight = maskTaps(conv, valueOf(state, `${conv.name}.weight`));
  return {
    norm,
    weight: weight.map((w, i) => w * factors[i % conv.out]),
    bias: shift.map((s, o) => s - mean[o] * factors[o]),
  };
}

/**
 * By layer: the convolutions that nothing but a batch norm is applied to, with the norm's running
 * statistics, scale and shift in their weights and in a bias. `eps` is added to the variance.
 */
export function foldNorms(
  { layers }: Network,
  state: State,
  { eps = NORM_EPS }: { eps?: number } = {},
): Map<number, FoldedConv2d> {
  const uses = layers.map(() => 0);
  for (const { inputs } of layers) for (const v of inputs) if (v !== IMAGE) uses[v]++;
  const folded = new Map<number, FoldedConv2d>();
  layers.forEach((layer, norm) => {
    const [x] = layer.inputs;
    const conv = x === IMAGE ? undefined : layers[x];
    if (layer.kind !== "batchNorm" || conv?.kind !== "conv2d" || uses[x] !== 1) return;
    folded.set(x, fold(conv, { norm, name: layer.name, state, eps }));
  });
  return folded;
}
