import { sigmoid as op } from "../../kernels/ops/activations.ts";
import type { LayerKind, Value } from "./layer.ts";

/** `1 / (1 + exp(-x))`. */
export interface SigmoidLayer {
  /** Tells it from other layers. */
  readonly kind: "sigmoid";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** `1 / (1 + exp(-x))`, of images and of rows of features. */
export const sigmoid: LayerKind<SigmoidLayer, [x: Value]> = {
  kind: "sigmoid",
  inputs: 1,
  takes: "any",
  fields: {},
  call: (x) => ({ inputs: [x] }),
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  onnx: () => [{ op: "Sigmoid" }],
  shifts: () => true,
};
