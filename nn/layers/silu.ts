import { silu as op } from "../../kernels/ops/activations.ts";
import type { LayerKind, Value } from "./layer.ts";

/** `x · sigmoid(x)`. */
export interface SiluLayer {
  /** Tells it from other layers. */
  readonly kind: "silu";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** `x · sigmoid(x)`, of images and of rows of features. */
export const silu: LayerKind<SiluLayer, [x: Value]> = {
  kind: "silu",
  inputs: 1,
  takes: "any",
  fields: {},
  call: (x) => ({ inputs: [x] }),
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  absorbedAs: "silu",
  onnx: () => [{ op: "Sigmoid" }, { op: "Mul", again: true }],
};
