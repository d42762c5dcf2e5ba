import { gelu as op } from "../../kernels/ops/activations.ts";
import type { LayerKind, Value } from "./layer.ts";
import { onnxNumber } from "./onnx_step.ts";

/** `x / 2 · (1 + erf(x / √2))`. */
export interface GeluLayer {
  /** Tells it from other layers. */
  readonly kind: "gelu";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** `x / 2 · (1 + erf(x / √2))`, of images and of rows of features. */
export const gelu: LayerKind<GeluLayer, [x: Value]> = {
  kind: "gelu",
  inputs: 1,
  takes: "any",
  fields: {},
  call: (x) => ({ inputs: [x] }),
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  onnx: () => [
    { op: "Div", constants: [onnxNumber("divisor", Math.SQRT2)] },
    { op: "Erf" },
    { op: "Add", constants: [onnxNumber("one", 1)] },
    { op: "Mul", again: true },
    { op: "Mul", constants: [onnxNumber("half", 0.5)], suffix: "halved" },
  ],
};
