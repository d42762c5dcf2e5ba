import { relu6 as op } from "../../kernels/ops/activations.ts";
import type { LayerKind, Value } from "./layer.ts";
import { onnxNumber } from "./onnx_step.ts";

/** `x` cut off at 0 and 6. */
export interface Relu6Layer {
  /** Tells it from other layers. */
  readonly kind: "relu6";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** `x` cut off at 0 and 6, of images and of rows of features. */
export const relu6: LayerKind<Relu6Layer, [x: Value]> = {
  kind: "relu6",
  inputs: 1,
  takes: "any",
  fields: {},
  call: (x) => ({ inputs: [x] }),
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  absorbedAs: "relu6",
  onnx: () => [{ op: "Clip", constants: [onnxNumber("min", 0), onnxNumber("max", 6)] }],
};
