import { dropPath as op } from "../../kernels/ops/drop_path.ts";
import { share } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";
import { noiseOf } from "./noise.ts";

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
    const { inputs: [x], apply, stream } = run;
    const noise = rate > 0 ? noiseOf(kind, run) : undefined;
    return noise ? apply(op, [x, noise], { rate, stream })[0] : x;
  },
  onnx: () => [],
};
