import { leakyRelu as op } from "../../kernels/ops/activations.ts";
import { positive } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";

/** Options of a leaky ReLU. */
export interface LeakyReluOptions {
  /** The slope below 0, from 0 on. Default: 0.01. */
  readonly slope?: number;
}

/** `x` above 0 and `slope · x` elsewhere. */
export interface LeakyReluLayer {
  /** Tells it from other layers. */
  readonly kind: "leakyRelu";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
  /** The slope below 0. */
  readonly slope: number;
}

/** `x` above 0 and `slope · x` elsewhere, of images and of rows of features. */
export const leakyRelu: LayerKind<LeakyReluLayer, [x: Value, options?: LeakyReluOptions]> = {
  kind: "leakyRelu",
  inputs: 1,
  takes: "any",
  fields: { slope: positive({ zero: true, otherwise: 0.01 }) },
  call: (x, options) => ({ inputs: [x], options }),
  run: ({ slope }, { inputs, apply }) => apply(op, inputs, { slope })[0],
  onnx: ({ slope }) => [{ op: "LeakyRelu", attributes: { alpha: { float: slope } } }],
};
