import { scaleChannels as op } from "../../kernels/ops/scale_channels.ts";
import { layerName, real } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";

/** Options of a layer scale. */
export interface ScaleOptions {
  /** Unique in the network; its factors are called `NAME.gamma`. */
  readonly name: string;
  /** The factors at the start. Default: 1e-6. */
  readonly initial?: number;
}

/** A learned factor for each channel. */
export interface ScaleLayer extends ScaleOptions {
  /** Tells it from other layers. */
  readonly kind: "scale";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
  /** The factors at the start. */
  readonly initial: number;
}

/** The layer scale of ConvNeXt: each channel times a learned factor. */
export const scale: LayerKind<ScaleLayer, [x: Value, options: ScaleOptions]> = {
  kind: "scale",
  inputs: 1,
  takes: "any",
  fields: { name: layerName, initial: real({ otherwise: 1e-6 }) },
  call: (x, options) => ({ inputs: [x], options }),
  parameters: ({ initial }, channels) => [
    { part: "gamma", shape: [channels], axes: ["out"], initial },
  ],
  cost: () => ({ pairs: 0, singles: 1 }),
  run: (_, { inputs: [x], apply, parameter }) => apply(op, [x, parameter("gamma")], {})[0],
  onnx: (_, { values, flat }) => {
    const data = values("gamma");
    const shape = flat ? [data.length] : [data.length, 1, 1];
    return [{ op: "Mul", constants: [{ part: "gamma", shape, data }] }];
  },
};
