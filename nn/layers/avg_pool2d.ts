import { avgPool2d as op } from "../../kernels/ops/avg_pool2d.ts";
import { poolSide } from "../../kernels/ops/pool_windows.ts";
import { flag, MAX_PIXELS, whole } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";
import { windowAttributes } from "./onnx_step.ts";

/** Options of an average pool. */
export interface AvgPool2dOptions {
  /** Side of the window. */
  readonly kernel: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Whether windows may hang over the lower and the right edge. */
  readonly ceilMode: boolean;
}

/** The mean of each window. */
export interface AvgPool2dLayer extends AvgPool2dOptions {
  /** Tells it from other layers. */
  readonly kind: "avgPool2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** The mean of each window; what hangs over an edge does not count. */
export const avgPool2d: LayerKind<AvgPool2dLayer, [x: Value, options: AvgPool2dOptions]> = {
  kind: "avgPool2d",
  inputs: 1,
  takes: "image",
  fields: {
    kernel: whole({ least: 1, most: MAX_PIXELS }),
    stride: whole({ least: 1, most: MAX_PIXELS }),
    ceilMode: flag,
  },
  call: (x, options) => ({ inputs: [x], options }),
  side: (layer, side) => poolSide(side, layer),
  run: (layer, { inputs, apply }) => apply(op, inputs, layer)[0],
  // Windows that hang over an edge are written as padding that does not count, rather than with
  // ceil_mode, which not every runtime takes, and which some round otherwise.
  onnx: (layer, { image: { height, width } }) => {
    const { kernel, stride } = layer;
    const over = [height, width].map((side) =>
      Math.max(0, (poolSide(side, layer) - 1) * stride + kernel - side)
    );
    const attributes = windowAttributes({ kernel, stride, over });
    return [{ op: "AveragePool", attributes: { ...attributes, count_include_pad: 0 } }];
  },
};
