import { range } from "../../kernels/wgsl/blocked.ts";
import { select as op } from "../../kernels/ops/select.ts";
import type { Field } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";

/** Options of a channel shuffle. */
export interface ChannelShuffleOptions {
  /** Groups of neighbouring channels, all of one size, of which one channel each takes turns. */
  readonly groups: number;
}

/** The channels of groups, in turns. */
export interface ChannelShuffleLayer extends ChannelShuffleOptions {
  /** Tells it from other layers. */
  readonly kind: "channelShuffle";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** A number that divides the channels. */
const divisor: Field = {
  wanted: ({ channels }) => `a whole number that divides its ${channels} channels`,
  fits: (value, { channels }) =>
    Number.isSafeInteger(value) && Number(value) >= 1 && channels % Number(value) === 0,
};

/** By channel of the value: that of the input. */
function sourcesOf(groups: number, channels: number): number[] {
  const size = channels / groups;
  return range(channels).map((c) => c % groups * size + Math.floor(c / groups));
}

/**
 * The first channels of all groups, then their second ones, and so on (ShuffleNet,
 * arXiv 1707.01083).
 */
export const channelShuffle: LayerKind<
  ChannelShuffleLayer,
  [x: Value, options: ChannelShuffleOptions]
> = {
  kind: "channelShuffle",
  inputs: 1,
  takes: "image",
  fields: { groups: divisor },
  call: (x, options) => ({ inputs: [x], options }),
  channels: ({ groups }, [channels]) => ({ sources: sourcesOf(groups, channels) }),
  run: ({ groups }, { inputs: [x], apply }) =>
    apply(op, [x], { columns: sourcesOf(groups, x.shape[3]) })[0],
  onnx: ({ groups }, { image: { height, width } }) => {
    const to = (...shape: number[]) => [{
      part: "shape",
      shape: [shape.length],
      data: BigInt64Array.from(shape, BigInt),
    }];
    // 0 stands for the images of a batch, -1 for the channels that are left.
    return [
      { op: "Reshape", constants: to(0, groups, -1, height, width) },
      { op: "Transpose", attributes: { perm: [0, 2, 1, 3, 4] }, suffix: "turned" },
      { op: "Reshape", constants: to(0, -1, height, width), suffix: "shuffled" },
    ];
  },
  // Where groups are kept in part, it selects channels instead.
  narrowed: (layer, { inputs: [x], widths: [channels] }) => ({
    ...layer,
    inputs: [x],
    groups: channels % layer.groups === 0 ? layer.groups : 1,
  }),
};
