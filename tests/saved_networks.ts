import type { Dataset } from "../data/dataset.ts";
import { Random } from "../data/random.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { type Network, network } from "../nn/network.ts";
import type { State } from "../nn/parameters.ts";
import { model, resnet } from "../nn/families/mod.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import type { Checkpoint } from "../export/checkpoint.ts";
import { thinFamilies } from "./thin_families.ts";

/** Every kind of layer, in every place it can have, with windows that hang over odd sides. */
function everyLayer(): Network {
  const made = network({ channels: 3 }, (n) => {
    n.stage(0);
    let x = n.batchNorm(n.image, { name: "image" });
    x = n.conv2d(x, { name: "logits", out: 7, kernel: 3 });
    x = n.relu(n.batchNorm(x, { name: "bn1" }));
    x = n.maxPool2d(x, { kernel: 3, stride: 2, padding: 1 });
    const plain = n.conv2d(x, { name: "conv2", out: 9, kernel: 5 });
    const once = n.batchNorm(plain, { name: "bn2" });
    x = n.add(n.narrow(n.relu(plain), 6), n.narrow(once, 6));
    x = n.batchNorm(n.relu(x), { name: "relu.bn" });
    x = n.add(
      n.avgPool2d(x, { kernel: 2, stride: 2, ceilMode: true }),
      n.maxPool2d(x, { kernel: 3, stride: 2, padding: 1 }),
    );
    x = n.avgPool2d(x, { kernel: 3, stride: 2, ceilMode: true });
    x = n.avgPool2d(x, { kernel: 2, stride: 1, ceilMode: false });
    let y = n.globalAvgPool2d(x);
    y = n.linear(y, { name: "hidden", out: 8 });
    y = n.relu(n.batchNorm(y, { name: "hidden.bn" }));
    y = n.add(n.narrow(y, 5), n.select(y, { channels: [7, 0, 3, 1, 6] }));
    n.linear(y, { name: "fc", out: 4 });
  });
  const keptTaps = Array.from({ length: 25 }, (_, tap) => tap % 3 !== 0);
  const layers = made.layers.map((layer) =>
    layer.kind === "conv2d" && layer.name === "conv2" ? { ...layer, keptTaps } : layer
  );
  return { ...made, layers };
}

/** Values joined in threes and in twos, of widths that are no multiples of 4, images and rows. */
function concatenations(): Network {
  return network({ channels: 3 }, (n) => {
    const a = n.relu(n.conv2d(n.image, { name: "a", out: 5, kernel: 3, stride: 2 }));
    const b = n.batchNorm(n.conv2d(n.image, { name: "b", out: 6, kernel: 1, stride: 2 }), {
      name: "b.bn",
    });
    const pooled = n.maxPool2d(n.image, { kernel: 3, stride: 2, padding: 1 });
    const x = n.batchNorm(n.concat([a, b, pooled]), { name: "joined.bn" });
    const y = n.conv2d(n.select(x, { channels: [13, 2, 9, 0, 5] }), {
      name: "c",
      out: 7,
      kernel: 3,
    });
    n.linear(n.concat([n.globalAvgPool2d(y), n.globalAvgPool2d(x)]), { name: "fc", out: 4 });
  });
}

/** Images of 5x4 pixels that become larger, in parts, and are taken whole by a convolution. */
function adaptivePools(): Network {
  return network({ channels: 3 }, (n) => {
    const stem = n.conv2d(n.image, { name: "stem", out: 5, kernel: 3, stride: 6 });
    const large = n.adaptiveAvgPool2d(stem, { size: 7 });
    const least = n.adaptiveAvgPool2d(stem, { size: 4, atLeast: true });
    const sum = n.add(n.adaptiveAvgPool2d(least, { size: 7, atLeast: true }), large);
    const conv = n.conv2d(sum, { name: "whole", out: 6, kernel: 7, padding: 0 });
    n.linear(n.globalAvgPool2d(conv), { name: "fc", out: 4 });
  });
}

/** Depthwise and grouped convolutions, with biases, dilation and sides of their own. */
function groups(): Network {
  return network({ channels: 3 }, (n) => {
    let x = n.conv2d(n.image, { name: "a", out: 12, kernel: [1, 3], stride: [2, 1], bias: true });
    x = n.relu(n.batchNorm(x, { name: "a.bn" }));
    x = n.conv2d(x, { name: "deep", out: 12, kernel: 3, stride: 2, groups: 12 });
    x = n.batchNorm(x, { name: "deep.bn" });
    x = n.conv2d(x, { name: "b", out: 18, kernel: 3, dilation: 2, groups: 6, bias: true });
    x = n.relu(n.batchNorm(x, { name: "b.bn" }));
    x = n.conv2d(x, { name: "c", out: 8, kernel: [3, 1], groups: 2, padding: [2, 0], bias: true });
    n.linear(n.globalAvgPool2d(n.relu(x)), { name: "fc", out: 4 });
  });
}

/** All activations, layer norms and factors, on images and on rows of features. */
function activations(): Network {
  return network({ channels: 3 }, (n) => {
    let x = n.layerNorm(n.conv2d(n.image, { name: "a.conv", out: 7, kernel: 3, stride: 2 }), {
      name: "a.norm",
    });
    // A name that the others' begin with.
    x = n.add(n.scale(n.gelu(x), { name: "a", initial: 0.3 }), n.leakyRelu(x));
    x = n.silu(n.batchNorm(n.conv2d(x, { name: "b", out: 6, kernel: 1 }), { name: "b.bn" }));
    const pooled = n.maxPool2d(x, { kernel: 8, stride: 8, padding: 0 });
    const gate = n.conv2d(n.hardSwish(n.batchNorm(pooled, { name: "pooled.bn" })), {
      name: "gate",
      out: 6,
      kernel: 1,
    });
    x = n.multiply(x, n.sigmoid(gate));
    x = n.multiply(n.hardSigmoid(gate), x);
    x = n.multiply(
      n.relu6(n.batchNorm(x, { name: "cut.bn" })),
      n.relu6(n.leakyRelu(x, { slope: 0.2 })),
    );
    let y = n.layerNorm(n.globalAvgPool2d(x), { name: "head", eps: 1e-3 });
    y = n.multiply(n.gelu(y), n.scale(n.hardSigmoid(y), { name: "rows" }));
    n.linear(n.silu(y), { name: "fc", out: 4 });
  });
}

/**
 * All ways of pooling and of making images larger, without a linear layer: a convolution makes the
 * classes, and a pool the logits. Of what training drops, nothing is left to run.
 */
function pooledConvolution(): Network {
  return network({ channels: 3 }, (n) => {
    n.stage(0);
    let x = n.conv2d(n.image, { name: "a", out: 6, kernel: 3, stride: 2 });
    x = n.dropPath(n.relu(n.batchNorm(x, { name: "a.bn", eps: 0.3 })), { rate: 0.5 });
    const gate = n.globalAvgPool2d(x, { keepImage: true });
    x = n.add(n.upsample2d(n.maxPool2d(x, { kernel: 3, stride: 3, padding: 0 }), { factor: 3 }), x);
    x = n.channelShuffle(x, { groups: 3 });
    x = n.maxPool2d(x, { kernel: 3, stride: 2, padding: 0, ceilMode: true });
    x = n.avgPool2d(x, { kernel: 3, stride: 1, ceilMode: false, padding: 1 });
    x = n.avgPool2d(x, { kernel: 2, stride: 2, ceilMode: true, padding: 1, countPadding: false });
    // Windows hang over the padding.
    x = n.avgPool2d(x, { kernel: 4, stride: 3, ceilMode: true, padding: 1 });
    x = n.dropout(n.batchNorm(x, { name: "bn", eps: 1e-3 }), { rate: 0.5 });
    const classes = n.conv2d(x, { name: "classifier.1", out: 4, kernel: 1 });
    const more = n.conv2d(gate, { name: "gate", out: 4, kernel: 1 });
    n.globalAvgPool2d(n.add(n.relu(classes), n.upsample2d(more, { factor: 2 })));
  });
}

/** Average pools whose last window would begin outside, or which leave pixels out. */
function gappyPools(): Network {
  return network({ channels: 3 }, (n) => {
    let x = n.avgPool2d(n.image, { kernel: 2, stride: 3, ceilMode: true });
    x = n.avgPool2d(x, { kernel: 1, stride: 2, ceilMode: true });
    x = n.avgPool2d(x, { kernel: 2, stride: 2, ceilMode: false });
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 4 });
  });
}

const thin = (masked: boolean): Network =>
  adjoin(model("resnet8", { classes: 4, stem: "authors" }), {
    compression: 3,
    maskingFactor: masked ? 0.4 : 0,
    random: () => 0.37,
  }).small;

const bottleneck = adjoin(
  resnet({
    block: "bottleneck",
    depths: [1, 2],
    widths: [5, 9],
    stem: [6, 7],
    reduce: true,
    classes: 4,
  }),
  { compression: 2 },
);

/** The small network of a thin one of a family. */
function cutOf(family: string): Network {
  return adjoin(thinFamilies(4)[family].network, { compression: 2, maskFrom: 1 }).small;
}

/** Networks that are quick to run, and unlike each other. */
export const NETWORKS: Readonly<Record<string, Network>> = {
  "of every layer": everyLayer(),
  "of activations and layer norms": activations(),
  "of pools with gaps": gappyPools(),
  "of adaptive pools": adaptivePools(),
  "whose classes a convolution makes": pooledConvolution(),
  "of concatenations": concatenations(),
  "of groups": groups(),
  "cut out of a ResNet": thin(false),
  "cut out of a ResNet, with spatial masks": thin(true),
  "of bottlenecks, whole": bottleneck.base,
  "of bottlenecks, cut": bottleneck.small,
  "cut out of a DenseNet": cutOf("densenet"),
  "cut out of a SqueezeNet": cutOf("squeezenet"),
  "cut out of a MobileNetV3": cutOf("mobilenetv3"),
  "cut out of a ConvNeXt": cutOf("convnext"),
};

/** A network of few layers, as a browser without a GPU compiles each for seconds. */
export function fewLayers(): Network {
  return network({ channels: 3 }, (n) => {
    const x = n.relu(n.conv2d(n.image, { name: "conv", out: 8, kernel: 5, stride: 3 }));
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 4 });
  });
}

/** Weights and statistics of which none is 0 or 1; logits stay within some tens. */
export function randomState(made: Network, seed = 4): State {
  const random = new Random(seed, "state");
  const shapes = new Map(networkSpecs(made).parameters.map(({ name, shape }) => [name, shape]));
  const state = initialize(networkSpecs(made), made, () => random.normal());
  for (const [name, values] of state) {
    if (name.endsWith("running_var")) values.forEach((_, i) => values[i] = 0.5 + random.uniform());
    else if ((shapes.get(name)?.length ?? 1) === 1) {
      values.forEach((_, i) => values[i] = random.normal());
    }
  }
  return state;
}

/** The sides of all images here: odd, and not alike. */
export const IMAGE = { height: 29, width: 23 } as const;

/** A network as one saved, for {@link images}. */
export function checkpointOf(made: Network): Checkpoint {
  return {
    network: made,
    state: randomState(made),
    which: "small",
    classes: ["cat", "dog", "cow", "ü\"'"],
    image: [IMAGE.height, IMAGE.width, 3],
    normalization: { mean: [0.4, 0.5, 0.6], std: [0.25, 0.2, 0.3] },
    top1: 0.75,
  };
}

/** Noise of four classes. */
export function images(length: number): Dataset {
  const random = new Random(7, "pixels");
  const { height, width } = IMAGE;
  const bytes = length * height * width * 3;
  return {
    name: "noise",
    classes: checkpointOf(NETWORKS["of pools with gaps"]).classes,
    length,
    height,
    width,
    channels: 3,
    pixels: Uint8Array.from({ length: bytes }, () => random.bits() & 255),
    labels: Uint8Array.from({ length }, (_, i) => i % 4),
  };
}
