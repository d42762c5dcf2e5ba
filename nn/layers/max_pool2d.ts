import { maxPool2d as op } from "../../kernels/ops/max_pool2d.ts";
import { overhang, poolSide } from "../../kernels/ops/pool_windows.ts";
import { flag, MAX_PIXELS, whole } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";
import { windowAttributes } from "./onnx_step.ts";

/** Options of a max pool. */
export interface MaxPool2dOptions {
  /** Side of the window. */
  readonly kernel: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Pixels around the image, on every side, at most half a window; they are never the largest. */
  readonly padding: number;
  /** Whether windows may hang over the lower and the right edge. Default: false. */
  readonly ceilMode?: boolean;
}

/** The largest of each window. */
export interface MaxPool2dLayer extends MaxPool2dOptions {
  /** Tells it from other layers. */
  readonly kind: "maxPool2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** The largest of each window; padding counts as minus infinity. */
export const maxPool2d: LayerKind<MaxPool2dLayer, [x: Value, options: MaxPool2dOptions]> = {
  kind: "maxPool2d",
  inputs: 1,
  takes: "image",
  fields: {
    kernel: whole({ least: 1, most: MAX_PIXELS }),
    stride: whole({ least: 1, most: MAX_PIXELS }),
    padding: whole({ least: 0, most: ({ fields }) => Math.floor(Number(fields.kernel) / 2) }),
    ceilMode: flag,
  },
  call: (x, options) => ({ inputs: [x], options }),
  side: (layer, side) => poolSide(side, layer),
  run: (layer, { inputs, apply }) => apply(op, inputs, layer)[0],
  // Windows that hang over an edge are written as padding: see avgPool2d.
  onnx: (layer, { image: { height, width } }) => {
    const { padding } = layer;
    const over = [height, width].map((side) => Math.max(padding, overhang(side, layer)));
    return [{ op: "MaxPool", attributes: windowAttributes({ ...layer, over }) }];
  },
};
