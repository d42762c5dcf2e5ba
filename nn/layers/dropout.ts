import { dropout as op } from "../../kernels/ops/dropout.ts";
import { share } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";
import { noiseOf } from "./noise.ts";

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
    const { inputs: [x], apply, stream } = run;
    const noise = rate > 0 ? noiseOf(kind, run) : undefined;
    return noise ? apply(op, [x, noise], { rate, stream })[0] : x;
  },
  onnx: () => [],
};
