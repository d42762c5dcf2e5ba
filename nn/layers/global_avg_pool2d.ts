import { globalAvgPool2d as op } from "../../kernels/ops/global_avg_pool2d.ts";
import type { LayerKind, Value } from "./layer.ts";

/** The mean over each image. */
export interface GlobalAvgPool2dLayer {
  /** Tells it from other layers. */
  readonly kind: "globalAvgPool2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** The mean over each image: `[batch, channels]`. */
export const globalAvgPool2d: LayerKind<GlobalAvgPool2dLayer, [x: Value]> = {
  kind: "globalAvgPool2d",
  inputs: 1,
  takes: "image",
  flattens: true,
  fields: {},
  call: (x) => ({ inputs: [x] }),
  side: () => 1,
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  onnx: () => [
    { op: "GlobalAveragePool" },
    { op: "Flatten", attributes: { axis: 1 }, suffix: "flat" },
  ],
};
