import { hardSigmoid as op } from "../../kernels/ops/activations.ts";
import type { LayerKind, Value } from "./layer.ts";

/** `x / 6 + 1 / 2`, cut off at 0 and 1. */
export interface HardSigmoidLayer {
  /** Tells it from other layers. */
  readonly kind: "hardSigmoid";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** `x / 6 + 1 / 2`, cut off at 0 and 1, of images and of rows of features. */
export const hardSigmoid: LayerKind<HardSigmoidLayer, [x: Value]> = {
  kind: "hardSigmoid",
  inputs: 1,
  takes: "any",
  fields: {},
  call: (x) => ({ inputs: [x] }),
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  onnx: () => [{
    op: "HardSigmoid",
    attributes: { alpha: { float: 1 / 6 }, beta: { float: 0.5 } },
  }],
  shifts: () => true,
};
