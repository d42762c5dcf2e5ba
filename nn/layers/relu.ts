import { relu as op } from "../../kernels/ops/relu.ts";
import type { LayerKind, Value } from "./layer.ts";

/** `max(x, 0)`. */
export interface ReluLayer {
  /** Tells it from other layers. */
  readonly kind: "relu";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** `max(x, 0)`, of images and of rows of features. */
export const relu: LayerKind<ReluLayer, [x: Value]> = {
  kind: "relu",
  inputs: 1,
  takes: "any",
  fields: {},
  call: (x) => ({ inputs: [x] }),
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  absorbedAs: "relu",
  onnx: () => [{ op: "Relu" }],
};
