import { concat as op } from "../../kernels/ops/concat.ts";
import type { LayerKind, Value } from "./layer.ts";

/** The channels of several values, one behind the other. */
export interface ConcatLayer {
  /** Tells it from other layers. */
  readonly kind: "concat";
  /** Two or more values that differ in their channels alone. */
  readonly inputs: readonly Value[];
}

/** The channels of two or more values of equal sides, one behind the other. */
export const concat: LayerKind<ConcatLayer, [values: readonly Value[]]> = {
  kind: "concat",
  inputs: "two or more",
  takes: "any",
  fields: {},
  call: (inputs) => {
    if (Array.isArray(inputs)) return { inputs };
    throw new TypeError(
      `Cannot add concat: wanted a list of values, found ${inputs}; call concat([a, b])`,
    );
  },
  width: (_, inputs) => inputs.reduce((sum, channels) => sum + channels, 0),
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  onnx: () => [{ op: "Concat", attributes: { axis: 1 } }],
};
