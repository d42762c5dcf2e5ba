import { type Network, network, type NetworkBuilder, type Value } from "../network.ts";
import type { NamePair } from "../pretrained.ts";
import type { BuildOptions, Family, Model } from "./family.ts";

/** What of a DenseNet its name says. */
export interface DensenetForm {
  /** Channels that each layer adds. */
  readonly growth: number;
  /** Layers of each block. */
  readonly depths: readonly number[];
  /** Channels of the stem. */
  readonly first: number;
  /** Whether 1x1 convolutions of four times the growth come before 3x3 ones; halves transitions. */
  readonly bottleneck: boolean;
  /** Whether it is for small images: a stem of a 3x3 convolution alone. */
  readonly small: boolean;
}

/** The factor between the growth and a bottleneck's inner channels. */
const EXPANSION = 4;

function normRelu(n: NetworkBuilder, x: Value, name: string): Value {
  return n.relu(n.batchNorm(x, { name }));
}

/** Channels that are added to x: norm, ReLU and convolution, once or twice. */
function denseLayer(
  n: NetworkBuilder,
  x: Value,
  { prefix, growth, bottleneck }: Pick<DensenetForm, "growth" | "bottleneck"> & { prefix: string },
): Value {
  let y = normRelu(n, x, `${prefix}.norm1`);
  const kernels = bottleneck ? [1, 3] : [3];
  kernels.forEach((kernel, i) => {
    if (i > 0) y = normRelu(n, y, `${prefix}.norm${i + 1}`);
    const out = i === kernels.length - 1 ? growth : EXPANSION * growth;
    y = n.conv2d(y, { name: `${prefix}.conv${i + 1}`, out, kernel });
  });
  return y;
}

function stemOf(n: NetworkBuilder, { first, small }: DensenetForm, cifar: boolean): Value {
  const name = "features.conv0";
  if (small) return n.conv2d(n.image, { name, out: first, kernel: 3 });
  const size = cifar ? { kernel: 3 } : { kernel: 7, stride: 2 };
  const x = normRelu(n, n.conv2d(n.image, { name, out: first, ...size }), "features.norm0");
  return cifar ? x : n.maxPool2d(x, { kernel: 3, stride: 2, padding: 1 });
}

/** A block and the transition behind it are a stage; the stem is stage 0. */
export function densenet(form: DensenetForm, { classes, channels, stem }: BuildOptions): Network {
  const { growth, depths, bottleneck } = form;
  return network({ channels }, (n) => {
    n.stage(0);
    let x = stemOf(n, form, stem === "cifar");
    depths.forEach((depth, b) => {
      n.stage(b + 1);
      for (let i = 1; i <= depth; i++) {
        const prefix = `features.denseblock${b + 1}.denselayer${i}`;
        x = n.concat([x, denseLayer(n, x, { prefix, growth, bottleneck })]);
      }
      if (b === depths.length - 1) return;
      const name = `features.transition${b + 1}`;
      const out = bottleneck ? Math.floor(n.channels(x) / 2) : n.channels(x);
      x = n.conv2d(normRelu(n, x, `${name}.norm`), { name: `${name}.conv`, out, kernel: 1 });
      x = n.avgPool2d(x, { kernel: 2, stride: 2, ceilMode: false });
    });
    x = normRelu(n, x, "features.norm5");
    n.linear(n.globalAvgPool2d(x), { name: "classifier", out: classes });
  });
}

const DENSENET121 = {
  growth: 32,
  depths: [6, 12, 24, 16],
  first: 64,
  bottleneck: true,
  small: false,
} as const;

/** Names in the files that torchvision offers, which its code mends as it loads them. */
function publishedNames(depths: readonly number[]): NamePair[] {
  return depths.flatMap((depth, b) =>
    Array.from({ length: depth }).flatMap((_, i): NamePair[] => {
      const prefix = `features.denseblock${b + 1}.denselayer${i + 1}`;
      return ["norm", "conv"].flatMap((kind) =>
        [1, 2].map((k): NamePair => [`${prefix}.${kind}.${k}`, `${prefix}.${kind}${k}`])
      );
    })
  );
}

/** The forms for CIFAR, of three blocks; with bottlenecks they begin with twice the growth. */
function small(layers: number, growth: number, bottleneck: boolean): Model {
  const depth = (layers - 4) / (bottleneck ? 6 : 3);
  const depths = [depth, depth, depth];
  const first = bottleneck ? 2 * growth : 16;
  const form = { growth, depths, first, bottleneck, small: true };
  return { build: (options) => densenet(form, options) };
}

/**
 * DenseNets (arXiv 1608.06993): `densenet121` as torchvision and timm have it, and for images of
 * CIFAR's size `densenet40_12` and, with bottlenecks and transitions that halve (BC),
 * `densenet100_12`.
 */
export const DENSENETS: Family = {
  densenet121: {
    stems: ["cifar"],
    build: (options) => densenet(DENSENET121, options),
    torchvision: { names: publishedNames(DENSENET121.depths) },
  },
  densenet40_12: small(40, 12, false),
  densenet100_12: small(100, 12, true),
};
