import { dropout as op } from "../../kernels/ops/dropout.ts";
import { share } from "./fields.ts";
import { type LayerKind, noiseOf, type Value } from "./layer.ts";

/** Options of a dropout. */
export interface DropoutOptions {
  /** The probability that an element is dropped, from 0 to below 1. */
  readonly rate: number;
}

/** Elements that are dropped in training. */
export interface DropoutLayer extends DropoutOptions {
  /** Tells it from other layers. */
  readonly kind: "dropout";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/**
 * In training each element is 0 with probability `rate`, and else divided by 1 - rate; in evaluation
 * all stay as they are. On images and on rows of features.
 */
export const dropout: LayerKind<DropoutLayer, [x: Value, options: DropoutOptions]> = {
  kind: "dropout",
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
