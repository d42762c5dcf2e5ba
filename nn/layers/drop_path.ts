import { dropPath as op } from "../../kernels/ops/drop_path.ts";
import { share } from "./fields.ts";
import { type LayerKind, noiseOf, type Value } from "./layer.ts";

/** Options of stochastic depth. */
export interface DropPathOptions {
  /** The probability that an image's value is dropped, from 0 to below 1. */
  readonly rate: number;
}

/** Values of images that are dropped in training. */
export interface DropPathLayer extends DropPathOptions {
  /** Tells it from other layers. */
  readonly kind: "dropPath";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/**
 * Stochastic depth (arXiv 1603.09382): in training the whole value of an image is 0 with probability
 * `rate`, and else divided by 1 - rate; in evaluation all stay as they are. It belongs on the branch
 * of a residual block, before its sum.
 */
export const dropPath: LayerKind<DropPathLayer, [x: Value, options: DropPathOptions]> = {
  kind: "dropPath",
  inputs: 1,
  takes: "any",
  fields: { rate: share },
  call: (x, options) => ({ inputs: [x], options }),
  draws: ({ rate }) => rate > 0,
  run: ({ kind, rate }, run) => {
    const { inputs: [x], apply, training, stream } = run;
    if (!training || rate === 0) return x;
    return apply(op, [x, noiseOf(kind, run)], { rate, stream })[0];
  },
  onnx: () => [],
};
