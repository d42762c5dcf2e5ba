import { add as op } from "../../kernels/ops/add.ts";
import type { LayerKind, Value } from "./layer.ts";

/** The sum of two values of equal shape. */
export interface AddLayer {
  /** Tells it from other layers. */
  readonly kind: "add";
  /** The summands. */
  readonly inputs: readonly [Value, Value];
}

/**
 * The sum of two values of equal shape. In a small network the wider one is cut to the narrower.
 */
export const add: LayerKind<AddLayer, [a: Value, b: Value]> = {
  kind: "add",
  inputs: 2,
  takes: "any",
  channels: () => "tied",
  fields: {},
  call: (a, b) => ({ inputs: [a, b] }),
  run: (_, { inputs, apply, activation }) => apply(op, inputs, { relu: activation === "relu" })[0],
  absorbs: ["relu"],
  absorbedAs: "sum",
  onnx: () => [{ op: "Add" }],
};
