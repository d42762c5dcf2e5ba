import { adaptiveAvgPool2d as op } from "../../kernels/ops/adaptive_avg_pool2d.ts";
import { flag, whole } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";
import type { OnnxConstant, OnnxStep } from "./onnx_step.ts";

/** Options of an adaptive average pool. */
export interface AdaptiveAvgPool2dOptions {
  /** Rows and columns of its value. */
  readonly size: number;
  /** Whether images that are larger stay as they are. Default: false. */
  readonly atLeast?: boolean;
}

/** Means that make images of one size out of any. */
export interface AdaptiveAvgPool2dLayer extends AdaptiveAvgPool2dOptions {
  /** Tells it from other layers. */
  readonly kind: "adaptiveAvgPool2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** The largest side that it makes. */
const MAX_SIZE = 1024;

function sideOf({ size, atLeast = false }: AdaptiveAvgPool2dOptions, side: number): number {
  return atLeast ? Math.max(size, side) : size;
}

/** `[side, windows]`: the part of each pixel of a side in the mean of each window. */
function shares(part: string, side: number, windows: number): OnnxConstant {
  const data = new Float32Array(side * windows);
  for (let a = 0; a < windows; a++) {
    const [first, end] = [Math.floor(a * side / windows), Math.ceil((a + 1) * side / windows)];
    for (let p = first; p < end; p++) data[a * side + p] = 1 / (end - first);
  }
  // As [in, out] of a linear layer, which files have the other way round.
  return { part, shape: [windows, side], data };
}

const TRANSPOSE: OnnxStep = { op: "Transpose", attributes: { perm: [0, 1, 3, 2] } };

/** Means that make images of one size out of any: of a larger one as of a smaller one. */
export const adaptiveAvgPool2d: LayerKind<
  AdaptiveAvgPool2dLayer,
  [x: Value, options: AdaptiveAvgPool2dOptions]
> = {
  kind: "adaptiveAvgPool2d",
  inputs: 1,
  takes: "image",
  fields: { size: whole({ least: 1, most: MAX_SIZE }), atLeast: flag },
  call: (x, options) => ({ inputs: [x], options }),
  side: (layer, side) => sideOf(layer, side),
  run: (layer, { inputs: [x], apply }) => {
    const [height, width] = x.shape.slice(1, 3).map((side) => sideOf(layer, side));
    return apply(op, [x], { height, width })[0];
  },
  // ONNX has no such pool: columns and rows are multiplied by the part that each has in a window.
  onnx: (layer, { image: { height, width } }) => [
    { op: "MatMul", constants: [shares("columns", width, sideOf(layer, width))] },
    { ...TRANSPOSE, suffix: "turned" },
    {
      op: "MatMul",
      constants: [shares("rows", height, sideOf(layer, height))],
      suffix: "rows_mean",
    },
    { ...TRANSPOSE, suffix: "turned_back" },
  ],
};
