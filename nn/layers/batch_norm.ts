import { batchNorm as op, batchNormEval } from "../../kernels/ops/batch_norm.ts";
import { type Field, flag, layerName } from "./fields.ts";
import type { LayerKind, LayerParameter, Value } from "./layer.ts";

/** The number added to the variance, unless told. */
export const NORM_EPS = 1e-5;

/** The part of a batch in the running statistics, unless told. */
const MOMENTUM = 0.1;

/** Options of a batch norm. */
export interface BatchNormOptions {
  /** Unique in the network; `NAME.weight` is the scale, `NAME.bias` the shift. */
  readonly name: string;
  /** Start at scale 0 rather than 1: the last norm of a residual block. Default: false. */
  readonly zero?: boolean;
  /** Added to the variance. Default: 1e-5, or what the network is run with. */
  readonly eps?: number;
}

/** Batch norm over the channels of its input. */
export interface BatchNormLayer extends BatchNormOptions {
  /** Tells it from other layers. */
  readonly kind: "batchNorm";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** A small number, where it is given. */
const epsilon: Field = {
  wanted: () => "a finite number above 0",
  fits: (value) => Number.isFinite(value) && Number(value) > 0,
  otherwise: () => undefined,
};

/** Its parameters, in the order in which the op takes them. */
const PARTS = ["weight", "bias", "running_mean", "running_var"];

/** Batch norm of images and of rows of features. The small network has norms of its own. */
export const batchNorm: LayerKind<BatchNormLayer, [x: Value, options: BatchNormOptions]> = {
  kind: "batchNorm",
  inputs: 1,
  takes: "any",
  fields: { name: layerName, zero: flag, eps: epsilon },
  call: (x, options) => ({ inputs: [x], options }),
  parameters: ({ zero }, channels): LayerParameter[] => [
    { part: "weight", shape: [channels], axes: ["out"], initial: zero ? 0 : 1 },
    { part: "bias", shape: [channels], axes: ["out"], initial: 0 },
    { part: "running_mean", shape: [channels], axes: ["out"], initial: 0, statistic: true },
    { part: "running_var", shape: [channels], axes: ["out"], initial: 1, statistic: true },
  ],
  cost: () => ({ pairs: 0, singles: 2 }),
  run: (layer, { inputs: [x], apply, parameter, training, residual, ...rest }) => {
    const { momentum = MOMENTUM, activation } = rest;
    const over = activation === "relu" ? { relu: true } : { relu: false, activation };
    const eps = layer.eps ?? rest.eps ?? NORM_EPS;
    const inputs = [x, ...PARTS.map(parameter), ...residual ? [residual] : []];
    return training
      ? apply(op, inputs, { eps, ...over, momentum })[0]
      : apply(batchNormEval, inputs, { eps, ...over })[0];
  },
  absorbs: ["relu", "relu6", "silu", "hardSwish", "sum"],
  // scale (x - mean) / √(variance + eps) + shift = x f + (shift - mean f)
  scaling: (layer, values, otherwise) => {
    const eps = layer.eps ?? otherwise;
    const [scale, shift, mean, variance] = PARTS.map(values);
    const factors = Float64Array.from(scale, (s, o) => s / Math.sqrt(variance[o] + eps));
    return { factors, shifts: shift.map((s, o) => s - mean[o] * factors[o]) };
  },
  onnx: ({ eps = NORM_EPS }, { values }) => [{
    op: "BatchNormalization",
    attributes: { epsilon: { float: eps } },
    constants: PARTS.map((part) => ({
      part,
      shape: [values(part).length],
      data: values(part),
    })),
  }],
  perNetwork: true,
  shifts: () => true,
};
