import { layerNorm as op } from "../../kernels/ops/layer_norm.ts";
import { layerName, positive } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";
import type { OnnxStep } from "./onnx_step.ts";

/** Options of a layer norm. */
export interface LayerNormOptions {
  /** Unique in the network; `NAME.weight` is the scale, `NAME.bias` the shift. */
  readonly name: string;
  /** Added to the variance, above 0. Default: 1e-6. */
  readonly eps?: number;
}

/** Layer norm over the channels of each pixel. */
export interface LayerNormLayer extends LayerNormOptions {
  /** Tells it from other layers. */
  readonly kind: "layerNorm";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
  /** Added to the variance. */
  readonly eps: number;
}

/**
 * Layer norm over the channels of each pixel, or over a row of features. The small network has norms
 * of its own, over the channels that it has.
 */
export const layerNorm: LayerKind<LayerNormLayer, [x: Value, options: LayerNormOptions]> = {
  kind: "layerNorm",
  inputs: 1,
  takes: "any",
  fields: { name: layerName, eps: positive({ otherwise: 1e-6 }) },
  call: (x, options) => ({ inputs: [x], options }),
  parameters: (_, channels) => [
    { part: "weight", shape: [channels], axes: ["out"], initial: 1 },
    { part: "bias", shape: [channels], axes: ["out"], initial: 0 },
  ],
  cost: () => ({ pairs: 0, singles: 2 }),
  run: ({ eps }, { inputs: [x], apply, parameter }) =>
    apply(op, [x, parameter("weight"), parameter("bias")], { eps })[0],
  // ONNX norms the last axes, and has channels before rows and columns.
  onnx: ({ eps }, { values, flat }) => {
    const constants = ["weight", "bias"].map((part) => ({
      part,
      shape: [values(part).length],
      data: values(part),
    }));
    const attributes = { axis: -1, epsilon: { float: eps } };
    const norm: OnnxStep = { op: "LayerNormalization", attributes, constants };
    if (flat) return [norm];
    return [
      { op: "Transpose", attributes: { perm: [0, 2, 3, 1] } },
      { ...norm, suffix: "norm" },
      { op: "Transpose", attributes: { perm: [0, 3, 1, 2] }, suffix: "back" },
    ];
  },
  perNetwork: true,
  shifts: () => true,
  mixes: true,
};
