import { globalAvgPool2d as op } from "../../kernels/ops/global_avg_pool2d.ts";
import { flag } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";

/** Options of a global average pool. */
export interface GlobalAvgPool2dOptions {
  /** Whether the value stays an image, of one pixel. Default: false. */
  readonly keepImage?: boolean;
}

/** The mean over each image. */
export interface GlobalAvgPool2dLayer extends GlobalAvgPool2dOptions {
  /** Tells it from other layers. */
  readonly kind: "globalAvgPool2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** The mean over each image: `[batch, channels]`, or an image of one pixel. */
export const globalAvgPool2d: LayerKind<
  GlobalAvgPool2dLayer,
  [x: Value, options?: GlobalAvgPool2dOptions]
> = {
  kind: "globalAvgPool2d",
  inputs: 1,
  takes: "image",
  flattens: ({ keepImage }) => !keepImage,
  givesLogits: ({ keepImage }) => !keepImage,
  fields: { keepImage: flag },
  call: (x, options) => ({ inputs: [x], options }),
  side: () => 1,
  run: ({ keepImage }, { inputs, apply }) => apply(op, inputs, { keepImage })[0],
  onnx: ({ keepImage }) => [
    { op: "GlobalAveragePool" },
    ...keepImage ? [] : [{ op: "Flatten", attributes: { axis: 1 }, suffix: "flat" }],
  ],
};
