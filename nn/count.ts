import { avgPoolSide } from "../kernels/ops/avg_pool2d.ts";
import { outputSize } from "../kernels/wgsl/geometry.ts";
import type { Adjoined } from "./compress/adjoin.ts";
import { channelsOf, IMAGE, type Network, type Value } from "./network.ts";

/** Height and width, in pixels. */
export interface ImageSize {
  /** From top to bottom. */
  readonly height: number;
  /** From left to right. */
  readonly width: number;
}

/** What one layer costs. */
export interface LayerCount {
  /** As in the network, unique. */
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

/** What a network costs. */
export interface Count {
  /** Parameters of convolutions and batch norms (scale and shift). */
  readonly params: number;
  /** Weights and biases of the last layer. */
  readonly classifierParams: number;
  /** Multiply-accumulates of convolutions and classifier for one image. */
  readonly macs: number;
}

/** The side lengths of every value of a network. */
export function sizesOf({ layers }: Network, image: ImageSize): ImageSize[] {
  const sizes: ImageSize[] = [];
  const of = (value: Value): ImageSize => value === IMAGE ? image : sizes[value];
  const both = ({ height, width }: ImageSize, f: (side: number) => number): ImageSize => ({
    height: f(height),
    width: f(width),
  });
  for (const layer of layers) {
    const from = of(layer.inputs[0]);
    switch (layer.kind) {
      case "conv2d":
      case "maxPool2d":
        sizes.push(
          both(from, (side) => outputSize(side, layer.kernel, layer.stride, layer.padding)),
        );
        break;
      case "avgPool2d":
        sizes.push(both(from, (side) => avgPoolSide(side, layer)));
        break;
      case "globalAvgPool2d":
      case "linear":
        sizes.push({ height: 1, width: 1 });
        break;
      default:
        sizes.push(from);
    }
  }
  return sizes;
}

/** What each layer with parameters costs, in order. */
export function countLayers(network: Network, image: ImageSize): LayerCount[] {
  const channels = channelsOf(network);
  const sizes = sizesOf(network, image);
  return network.layers.flatMap((layer, i): LayerCount[] => {
    const { height, width } = sizes[i];
    const shape = layer.kind === "linear" ? [layer.out] : [height, width, channels[i]];
    switch (layer.kind) {
      case "conv2d": {
        const params = layer.kernel ** 2 * layer.in * layer.out;
        return [{
          name: layer.name,
          kind: layer.kind,
          shape,
          params,
          macs: params * height * width,
        }];
      }
      case "batchNorm":
        return [{ name: layer.name, kind: layer.kind, shape, params: 2 * channels[i], macs: 0 }];
      case "linear": {
        const macs = layer.in * layer.out;
        return [{ name: layer.name, kind: layer.kind, shape, params: macs + layer.out, macs }];
      }
      default:
        return [];
    }
  });
}

/** Parameters and multiply-accumulates of a network for one image. */
export function count(network: Network, image: ImageSize): Count {
  const total = { params: 0, classifierParams: 0, macs: 0 };
  for (const { kind, params, macs } of countLayers(network, image)) {
    total[kind === "linear" ? "classifierParams" : "params"] += params;
    total.macs += macs;
  }
  return total;
}

/** Multiply-accumulates of both networks on one image; layers in common run once. */
export function macsTogether({ base, small, shared }: Adjoined, image: ImageSize): number {
  const common = new Set(base.layers.flatMap((l, i) => shared[i] && "name" in l ? [l.name] : []));
  return countLayers(small, image).reduce(
    (sum, { name, macs }) => sum + (common.has(name) ? 0 : macs),
    count(base, image).macs,
  );
}
