import { classifiersOf } from "./classifiers.ts";
import { kindOf } from "./layers/mod.ts";
import { channelsOf, IMAGE, layerTitle, type Network, shapesOf, type Value } from "./network.ts";
import { nameOf } from "./state.ts";

/** Height and width, in pixels. */
export interface ImageSize {
  /** From top to bottom. */
  readonly height: number;
  /** From left to right. */
  readonly width: number;
}

/** The cost of one layer. */
export interface LayerCount {
  /** The layer's name, unique in the network. */
  readonly name: string;
  /** `conv2d`, `batchNorm` or `linear`. */
  readonly kind: string;
  /** Height, width and channels of its output; `[channels]` once the image is pooled away. */
  readonly shape: readonly number[];
  /** Weights and biases; scale and shift of a norm. Running statistics do not count. */
  readonly params: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
}

/** The cost of a network. Running statistics are no parameters. */
export interface Count {
  /** All parameters: `backboneParams` and `classifierParams`. */
  readonly params: number;
  /** Parameters of all layers but those that make the logits. */
  readonly backboneParams: number;
  /** Weights and biases of what makes the logits: the last layer, or a convolution before a pool. */
  readonly classifierParams: number;
  /** Multiply-accumulates of all layers for one image. */
  readonly macs: number;
}

/** The most numbers that a value may have for one image. */
const MAX_ELEMENTS = 2 ** 31;

/**
 * Raises a `TypeError` for what is no size, and a `RangeError` for sides that are no pixels, or too
 * many of them.
 */
function checkImage(image: ImageSize, channels: number): void {
  const sides = [image?.height, image?.width];
  const found = sides.join("x");
  if (sides.some((side) => typeof side !== "number")) {
    throw new TypeError(`Cannot count: wanted an image { height, width }, found ${found}`);
  }
  if (!sides.every((side) => Number.isSafeInteger(side) && side >= 1)) {
    throw new RangeError(`Cannot count: wanted whole sides of an image from 1 on, found ${found}`);
  }
  if (image.height * image.width * channels < MAX_ELEMENTS) return;
  throw new RangeError(
    `Cannot count: wanted an image of less than 2^31 numbers, found ${found}x${channels}`,
  );
}

/**
 * The side lengths of every value of a network, 1 once the image is pooled away. Raises a
 * `RangeError` for an image of which a layer leaves nothing or makes too much, and a `TypeError` for
 * layers applied to values of different sides.
 */
export function sizesOf(network: Network, image: ImageSize): ImageSize[] {
  return sizesBetween(network, image, channelsOf(network));
}

/** The same, given the channels of every value. */
function sizesBetween(
  { channels: imageChannels, layers }: Network,
  image: ImageSize,
  channels: readonly number[],
): ImageSize[] {
  checkImage(image, imageChannels);
  const sizes: ImageSize[] = [];
  const of = (value: Value): ImageSize => value === IMAGE ? image : sizes[value];
  layers.forEach((layer, i) => {
    const kind = kindOf(layer);
    const inputs = layer.inputs.map(of);
    const sides = (size: ImageSize): string => `${size.height}x${size.width}`;
    const what = (): string =>
      `Cannot run layer ${i} (${layerTitle(layer)}) on images of ${sides(image)}`;
    const isSpread = ({ height, width }: ImageSize): boolean =>
      kind.spreads === true && height === 1 && width === 1;
    const from = inputs.find((size) => !isSpread(size)) ?? inputs[0];
    const other = inputs.find((size) =>
      !isSpread(size) && (size.height !== from.height || size.width !== from.width)
    );
    if (other) {
      throw new TypeError(
        `${what()}: wanted inputs of equal sides${kind.spreads ? ", or of one pixel" : ""}, ` +
          `found ${sides(from)} and ${sides(other)}`,
      );
    }
    const [height, width] = ([0, 1] as const).map((along) => {
      const side = along === 0 ? from.height : from.width;
      return kind.side?.(layer, side, along) ?? side;
    });
    if (!(height >= 1 && width >= 1)) {
      throw new RangeError(
        `${what()}: it leaves nothing of its input of ${sides(from)}; take larger images, or a ` +
          `network for small ones`,
      );
    }
    if (!(height * width * channels[i] < MAX_ELEMENTS)) {
      throw new RangeError(
        `${what()}: wanted a value of less than 2^31 numbers for an image, found ` +
          `${height}x${width}x${channels[i]}; take less padding or fewer channels`,
      );
    }
    sizes.push({ height, width });
  });
  return sizes;
}

/** The cost of each layer with parameters, in order. */
export function countLayers(network: Network, image: ImageSize): LayerCount[] {
  const shapes = shapesOf(network);
  const sizes = sizesBetween(network, image, shapes.map(({ channels }) => channels));
  return network.layers.flatMap((layer, i): LayerCount[] => {
    const cost = kindOf(layer).cost?.(layer);
    if (!cost || !("name" in layer)) return [];
    const { height, width } = sizes[i];
    const { channels, flat } = shapes[i];
    const [x] = layer.inputs;
    const pairs = cost.pairs * (x === IMAGE ? network.channels : shapes[x].channels) * channels;
    return [{
      name: layer.name,
      kind: layer.kind,
      shape: flat ? [channels] : [height, width, channels],
      params: pairs + cost.singles * channels,
      macs: (pairs + (cost.macs ?? 0) * channels) * height * width,
    }];
  });
}

/**
 * Parameters and multiply-accumulates of a network for one image. Raises errors as {@link sizesOf}
 * does.
 */
export function count(network: Network, image: ImageSize): Count {
  const layers = countLayers(network, image);
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const params = sum(layers.map((layer) => layer.params));
  const classifiers = new Set([...classifiersOf(network)].map(nameOf));
  const classifierParams = sum(
    layers.filter(({ name }) => classifiers.has(name)).map((layer) => layer.params),
  );
  return {
    params,
    backboneParams: params - classifierParams,
    classifierParams,
    macs: sum(layers.map((layer) => layer.macs)),
  };
}
