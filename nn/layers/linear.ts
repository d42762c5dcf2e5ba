import { linear as op } from "../../kernels/ops/linear.ts";
import { layerName, whole } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";

/** Options of a linear layer. */
export interface LinearOptions {
  /** Unique in the network; it has `NAME.weight` and `NAME.bias`. */
  readonly name: string;
  /** Outputs; classes in the last layer. */
  readonly out: number;
}

/** A fully connected layer with bias. */
export interface LinearLayer extends LinearOptions {
  /** Tells it from other layers. */
  readonly kind: "linear";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
  /** Features of the input. */
  readonly in: number;
}

/** A fully connected layer with bias, on one row of features for each image. */
export const linear: LayerKind<LinearLayer, [x: Value, options: LinearOptions]> = {
  kind: "linear",
  inputs: 1,
  takes: "features",
  givesLogits: () => true,
  countsInputs: true,
  channels: () => "own",
  fields: { name: layerName, out: whole({ least: 1 }) },
  call: (x, options) => ({ inputs: [x], options }),
  width: ({ out }) => out,
  parameters: (layer) => [
    { part: "weight", shape: [layer.in, layer.out], axes: ["in", "out"], initial: "normal" },
    { part: "bias", shape: [layer.out], axes: ["out"], initial: 0 },
  ],
  cost: () => ({ pairs: 1, singles: 1 }),
  run: (layer, { inputs: [x], apply, parameter }) => {
    const [w, b] = ["weight", "bias"].map(parameter);
    return apply(op, [x, w, b], { prefix: w.shape[0] !== layer.in })[0];
  },
  onnx: (layer, { values }) => [{
    op: "Gemm",
    attributes: { transB: 1 },
    constants: [
      { part: "weight", shape: [layer.in, layer.out], data: values("weight") },
      { part: "bias", shape: [layer.out], data: values("bias") },
    ],
  }],
  narrowed: (layer, { inputs: [x], widths }) => ({ ...layer, inputs: [x], in: widths[0] }),
  // The small network has one of its own features.
  shareable: false,
  slices: ["weight"],
};
