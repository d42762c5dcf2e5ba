import { add, type AddLayer } from "./add.ts";
import {
  adaptiveAvgPool2d,
  type AdaptiveAvgPool2dLayer,
  type AdaptiveAvgPool2dOptions,
} from "./adaptive_avg_pool2d.ts";
import { avgPool2d, type AvgPool2dLayer, type AvgPool2dOptions } from "./avg_pool2d.ts";
import { batchNorm, type BatchNormLayer, type BatchNormOptions } from "./batch_norm.ts";
import {
  channelShuffle,
  type ChannelShuffleLayer,
  type ChannelShuffleOptions,
} from "./channel_shuffle.ts";
import { concat, type ConcatLayer } from "./concat.ts";
import { conv2d, type Conv2dLayer, type Conv2dOptions } from "./conv2d.ts";
import { dropout, type DropoutLayer, type DropoutOptions } from "./dropout.ts";
import { dropPath, type DropPathLayer, type DropPathOptions } from "./drop_path.ts";
import {
  globalAvgPool2d,
  type GlobalAvgPool2dLayer,
  type GlobalAvgPool2dOptions,
} from "./global_avg_pool2d.ts";
import type { LayerBase, LayerKind, Value } from "./layer.ts";
import { linear, type LinearLayer, type LinearOptions } from "./linear.ts";
import { maxPool2d, type MaxPool2dLayer, type MaxPool2dOptions } from "./max_pool2d.ts";
import { narrow, type NarrowLayer } from "./narrow.ts";
import { relu, type ReluLayer } from "./relu.ts";
import { relu6, type Relu6Layer } from "./relu6.ts";
import { leakyRelu, type LeakyReluLayer, type LeakyReluOptions } from "./leaky_relu.ts";
import { sigmoid, type SigmoidLayer } from "./sigmoid.ts";
import { hardSigmoid, type HardSigmoidLayer } from "./hard_sigmoid.ts";
import { silu, type SiluLayer } from "./silu.ts";
import { hardSwish, type HardSwishLayer } from "./hard_swish.ts";
import { gelu, type GeluLayer } from "./gelu.ts";
import { multiply, type MultiplyLayer } from "./multiply.ts";
import { scale, type ScaleLayer, type ScaleOptions } from "./scale.ts";
import { layerNorm, type LayerNormLayer, type LayerNormOptions } from "./layer_norm.ts";
import { select, type SelectLayer, type SelectOptions } from "./select.ts";
import { upsample2d, type Upsample2dLayer, type Upsample2dOptions } from "./upsample2d.ts";

/** One layer of a network. */
export type Layer =
  | Conv2dLayer
  | BatchNormLayer
  | LayerNormLayer
  | ScaleLayer
  | LinearLayer
  | ReluLayer
  | Relu6Layer
  | LeakyReluLayer
  | SigmoidLayer
  | HardSigmoidLayer
  | SiluLayer
  | HardSwishLayer
  | GeluLayer
  | AddLayer
  | MultiplyLayer
  | NarrowLayer
  | SelectLayer
  | ConcatLayer
  | MaxPool2dLayer
  | AvgPool2dLayer
  | AdaptiveAvgPool2dLayer
  | GlobalAvgPool2dLayer
  | Upsample2dLayer
  | ChannelShuffleLayer
  | DropoutLayer
  | DropPathLayer;

/**
 * The methods of a builder, one for each kind of layer; each gives the value that its layer makes.
 */
export interface LayerMethods {
  /** A convolution without bias. */
  conv2d(x: Value, options: Conv2dOptions): Value;
  /** Batch norm. */
  batchNorm(x: Value, options: BatchNormOptions): Value;
  /** Layer norm over the channels of each pixel. */
  layerNorm(x: Value, options: LayerNormOptions): Value;
  /** A learned factor for each channel. */
  scale(x: Value, options: ScaleOptions): Value;
  /** A fully connected layer with bias, on rows of features. */
  linear(x: Value, options: LinearOptions): Value;
  /** `max(x, 0)`. */
  relu(x: Value): Value;
  /** `x` cut off at 0 and 6. */
  relu6(x: Value): Value;
  /** `x` above 0 and `slope · x` elsewhere. */
  leakyRelu(x: Value, options?: LeakyReluOptions): Value;
  /** `1 / (1 + exp(-x))`. */
  sigmoid(x: Value): Value;
  /** `x / 6 + 1 / 2`, cut off at 0 and 1. */
  hardSigmoid(x: Value): Value;
  /** `x · sigmoid(x)`, also called swish. */
  silu(x: Value): Value;
  /** `x · hardSigmoid(x)`. */
  hardSwish(x: Value): Value;
  /** `x / 2 · (1 + erf(x / √2))`. */
  gelu(x: Value): Value;
  /** The sum of two values of equal shape. */
  add(a: Value, b: Value): Value;
  /** The product of two values of equal channels; one of one pixel is spread over the other. */
  multiply(a: Value, b: Value): Value;
  /** The first `channels` channels. */
  narrow(x: Value, channels: number): Value;
  /** Some channels, in any order. */
  select(x: Value, options: SelectOptions): Value;
  /** The channels of two or more values of equal sides, one behind the other. */
  concat(values: readonly Value[]): Value;
  /** The largest of each window; padding counts as minus infinity. */
  maxPool2d(x: Value, options: MaxPool2dOptions): Value;
  /** The mean of each window; what hangs over an edge does not count, padding does unless told. */
  avgPool2d(x: Value, options: AvgPool2dOptions): Value;
  /** Means that make an image of one size out of any. */
  adaptiveAvgPool2d(x: Value, options: AdaptiveAvgPool2dOptions): Value;
  /** The mean over each image: `[batch, channels]`, or an image of one pixel. */
  globalAvgPool2d(x: Value, options?: GlobalAvgPool2dOptions): Value;
  /** Each pixel `factor` times in both directions. */
  upsample2d(x: Value, options: Upsample2dOptions): Value;
  /** The first channels of all groups, then their second ones, and so on. */
  channelShuffle(x: Value, options: ChannelShuffleOptions): Value;
  /** Elements are dropped in training. */
  dropout(x: Value, options: DropoutOptions): Value;
  /** Stochastic depth: values of whole images are dropped in training. */
  dropPath(x: Value, options: DropPathOptions): Value;
}

/** All kinds of layers. What is missing here, above or in a kind does not compile. */
export const KINDS: {
  readonly [K in Layer["kind"]]: LayerKind<
    Extract<Layer, { readonly kind: K }>,
    Parameters<LayerMethods[K]>
  >;
} = {
  conv2d,
  batchNorm,
  layerNorm,
  scale,
  linear,
  relu,
  relu6,
  leakyRelu,
  sigmoid,
  hardSigmoid,
  silu,
  hardSwish,
  gelu,
  add,
  multiply,
  narrow,
  select,
  concat,
  maxPool2d,
  avgPool2d,
  adaptiveAvgPool2d,
  globalAvgPool2d,
  upsample2d,
  channelShuffle,
  dropout,
  dropPath,
};

/** The names of all kinds. */
export const KIND_NAMES: readonly string[] = Object.keys(KINDS);

const BY_NAME: ReadonlyMap<string, LayerKind> = new Map<string, LayerKind>(Object.entries(KINDS));

/** The kind of this name, `undefined` where there is none. */
export function findKind(name: unknown): LayerKind | undefined {
  return typeof name === "string" ? BY_NAME.get(name) : undefined;
}

/** The kind of a layer. Raises a `TypeError` for one that is not known. */
export function kindOf({ kind }: LayerBase): LayerKind {
  const found = findKind(kind);
  if (found) return found;
  throw new TypeError(
    `Cannot use a layer of kind ${kind}: wanted one of ${KIND_NAMES.join(", ")}`,
  );
}
