import { select as op } from "../../kernels/ops/select.ts";
import type { Field } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";

/** Options of a selection of channels. */
export interface SelectOptions {
  /** Channels of the input in the order in which the value has them, none of them twice. */
  readonly channels: readonly number[];
}

/** Some channels of a value, in any order. */
export interface SelectLayer extends SelectOptions {
  /** Tells it from other layers. */
  readonly kind: "select";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** Different channels of the input. */
const indices: Field = {
  wanted: ({ channels }) => `a list of different channels from 0 to ${channels - 1}`,
  fits: (value, { channels }) =>
    Array.isArray(value) && value.length > 0 && new Set(value).size === value.length &&
    value.every((c) => Number.isInteger(c) && c >= 0 && c < channels),
};

/** Some channels of a value, in any order. */
export const select: LayerKind<SelectLayer, [x: Value, options: SelectOptions]> = {
  kind: "select",
  inputs: 1,
  takes: "any",
  fields: { channels: indices },
  call: (x, options) => ({ inputs: [x], options }),
  width: ({ channels }) => channels.length,
  channels: ({ channels }) => ({ sources: channels }),
  run: ({ channels }, { inputs, apply }) => apply(op, inputs, { columns: channels })[0],
  onnx: ({ channels }) => [{
    op: "Gather",
    attributes: { axis: 1 },
    constants: [{
      part: "channels",
      shape: [channels.length],
      data: BigInt64Array.from(channels, BigInt),
    }],
  }],
};

/** A layer that takes some channels of a value. */
export function selectFrom(x: Value, channels: readonly number[]): SelectLayer {
  return { kind: "select", inputs: [x], channels };
}
