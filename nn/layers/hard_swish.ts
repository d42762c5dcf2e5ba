import { hardSwish as op } from "../../kernels/ops/activations.ts";
import type { LayerKind, Value } from "./layer.ts";

/** `x · hardSigmoid(x)`. */
export interface HardSwishLayer {
  /** Tells it from other layers. */
  readonly kind: "hardSwish";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** `x · hardSigmoid(x)`, of images and of rows of features. */
export const hardSwish: LayerKind<HardSwishLayer, [x: Value]> = {
  kind: "hardSwish",
  inputs: 1,
  takes: "any",
  fields: {},
  call: (x) => ({ inputs: [x] }),
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  absorbedAs: "hardSwish",
  onnx: () => [{ op: "HardSwish" }],
};
