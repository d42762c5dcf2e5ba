import { MAX_FACTOR, upsample2d as op } from "../../kernels/ops/upsample2d.ts";
import { whole } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";

/** Options of an upsampling. */
export interface Upsample2dOptions {
  /** Pixels of the value, in each direction, for each pixel of the input: 1 to 64. */
  readonly factor: number;
}

/** Each pixel several times. */
export interface Upsample2dLayer extends Upsample2dOptions {
  /** Tells it from other layers. */
  readonly kind: "upsample2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** Each pixel `factor` times in both directions: the nearest one. */
export const upsample2d: LayerKind<Upsample2dLayer, [x: Value, options: Upsample2dOptions]> = {
  kind: "upsample2d",
  inputs: 1,
  takes: "image",
  fields: { factor: whole({ least: 1, most: MAX_FACTOR }) },
  call: (x, options) => ({ inputs: [x], options }),
  side: ({ factor }, side) => side * factor,
  run: ({ factor }, { inputs, apply }) => apply(op, inputs, { factor })[0],
  // By a whole factor, the nearest centre of a pixel is never a tie: what Resize does by itself.
  onnx: ({ factor }) => [{
    op: "Resize",
    constants: [
      { part: "roi", shape: [0], data: new Float32Array() },
      { part: "scales", shape: [4], data: Float32Array.of(1, 1, factor, factor) },
    ],
  }],
};
