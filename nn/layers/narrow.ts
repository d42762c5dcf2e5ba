import { narrow as op } from "../../kernels/ops/narrow.ts";
import { range } from "../../kernels/wgsl/blocked.ts";
import { whole } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";

/** The first channels of a value. */
export interface NarrowLayer {
  /** Tells it from other layers. */
  readonly kind: "narrow";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
  /** The number of channels that are kept. */
  readonly channels: number;
}

/** The first `channels` channels. */
export const narrow: LayerKind<NarrowLayer, [x: Value, channels: number]> = {
  kind: "narrow",
  inputs: 1,
  takes: "any",
  fields: { channels: whole({ least: 1, most: ({ channels }) => channels }) },
  call: (x, channels) => ({ inputs: [x], options: { channels } }),
  width: ({ channels }, [width]) => Math.min(channels, width),
  channels: ({ channels }, [width]) => ({ sources: range(Math.min(channels, width)) }),
  run: ({ channels }, { inputs, apply }) => apply(op, inputs, { channels })[0],
  onnx: ({ channels }) => {
    const bounds = { starts: 0, ends: channels, axes: 1 };
    const constants = Object.entries(bounds).map(([part, value]) => ({
      part,
      shape: [1],
      data: BigInt64Array.of(BigInt(value)),
    }));
    return [{ op: "Slice", constants }];
  },
  narrowed: (layer, { inputs: [x], widths: [width] }) => ({
    ...layer,
    inputs: [x],
    channels: Math.min(layer.channels, width),
  }),
};

/** A layer that keeps the first `channels` channels of a value. */
export function narrowTo(x: Value, channels: number): NarrowLayer {
  return { kind: "narrow", inputs: [x], channels };
}
