import { type Network, network, type NetworkBuilder, type Value } from "../network.ts";
import type { Foreign } from "../pretrained.ts";
import type { BuildOptions, Family, Model } from "./family.ts";

/** Channels of the convolutions between pools. */
type Groups = readonly (readonly number[])[];

/** What of a VGG its name says. */
export interface VggForm {
  /** Channels of the convolutions between pools. */
  readonly groups: Groups;
  /** Channels of the two layers before the classifier. Default: there are none. */
  readonly hidden?: number;
}

const VGG11: Groups = [[64], [128], [256, 256], [512, 512], [512, 512]];
const VGG16: Groups = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]];

/** The side of the images that the layers before the classifier take. */
const SIDE = 7;

/** Convolutions and pools; what lies before the g-th pool is stage g. */
function features(n: NetworkBuilder, groups: Groups): Value {
  let x = n.image;
  let i = 0;
  groups.forEach((group, g) => {
    n.stage(g + 1);
    for (const out of group) {
      x = n.conv2d(x, { name: `features.${i}`, out, kernel: 3, bias: true });
      x = n.relu(n.batchNorm(x, { name: `features.${i + 1}` }));
      i += 3;
    }
    x = n.maxPool2d(x, { kernel: 2, stride: 2, padding: 0 });
    i++;
  });
  return x;
}

/** The layers before the classifier are convolutions, as in timm, and a stage by themselves. */
export function vgg(
  { groups, hidden: out }: VggForm,
  { classes, channels }: BuildOptions,
): Network {
  return network({ channels }, (n) => {
    let x = features(n, groups);
    if (out !== undefined) {
      n.stage(groups.length + 1);
      x = n.adaptiveAvgPool2d(x, { size: SIDE, atLeast: true });
      const size = { out, padding: 0, bias: true };
      x = n.relu(n.conv2d(x, { name: "pre_logits.fc1", kernel: SIDE, ...size }));
      x = n.relu(n.conv2d(x, { name: "pre_logits.fc2", kernel: 1, ...size }));
    }
    n.linear(n.globalAvgPool2d(x), { name: "head.fc", out: classes });
  });
}

/** torchvision's first one is linear, on rows of features channel by channel: the same numbers. */
export const VGG_NAMES: Foreign = {
  names: [
    ["classifier.0", "pre_logits.fc1"],
    ["classifier.3", "pre_logits.fc2"],
    ["classifier.6", "head.fc"],
  ],
};

/** As torchvision and timm have it. */
function whole(groups: Groups): Model {
  return {
    build: (options) => vgg({ groups, hidden: 4096 }, options),
    torchvision: VGG_NAMES,
  };
}

/**
 * VGGs with batch norm (arXiv 1409.1556), as timm has them; `_cifar` for images of which the pools
 * leave a pixel.
 */
export const VGGS: Family = {
  vgg11_bn: whole(VGG11),
  vgg16_bn: whole(VGG16),
  vgg11_bn_cifar: { build: (options) => vgg({ groups: VGG11 }, options) },
  vgg16_bn_cifar: { build: (options) => vgg({ groups: VGG16 }, options) },
};
