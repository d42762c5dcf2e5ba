import { multiply as op } from "../../kernels/ops/multiply.ts";
import type { LayerKind, Value } from "./layer.ts";

/** The product of two values of equal channels. */
export interface MultiplyLayer {
  /** Tells it from other layers. */
  readonly kind: "multiply";
  /** The factors. */
  readonly inputs: readonly [Value, Value];
}

/**
 * The product of two values of equal channels and sides; an image of one pixel is spread over the
 * pixels of the other: squeeze-and-excitation. In a small network both are cut to the channels that
 * both have.
 */
export const multiply: LayerKind<MultiplyLayer, [a: Value, b: Value]> = {
  kind: "multiply",
  inputs: 2,
  takes: "any",
  channels: () => "tied",
  spreads: true,
  fields: {},
  call: (a, b) => ({ inputs: [a, b] }),
  vanishes: true,
  run: (_, { inputs, apply }) => apply(op, inputs, {})[0],
  onnx: () => [{ op: "Mul" }],
};
