import type { Network } from "../network.ts";
import type { NamePair } from "../pretrained.ts";
import { hardSigmoid, hardSwish, relu } from "./activations.ts";
import type { BuildOptions, Family } from "./family.ts";
import { convNorm, inEights, mobileNet, placesOf, type Stage } from "./inverted_residual.ts";
import { blockNames } from "./inverted_residual_names.ts";

const STAGES: readonly Stage[] = [
  { stride: 1, rows: [{ repeat: 1, kernel: 3, expand: 1, out: 16, activation: relu }] },
  {
    stride: 2,
    rows: [
      { repeat: 1, kernel: 3, expand: 4, out: 24, activation: relu },
      { repeat: 1, kernel: 3, expand: 3, out: 24, activation: relu },
    ],
  },
  {
    stride: 2,
    rows: [{ repeat: 3, kernel: 5, expand: 3, out: 40, squeeze: true, activation: relu }],
  },
  {
    stride: 2,
    rows: [
      { repeat: 1, kernel: 3, expand: 6, out: 80 },
      { repeat: 1, kernel: 3, expand: 2.5, out: 80 },
      { repeat: 2, kernel: 3, expand: 2.3, out: 80 },
    ],
  },
  { stride: 1, rows: [{ repeat: 2, kernel: 3, expand: 6, out: 112, squeeze: true }] },
  { stride: 2, rows: [{ repeat: 3, kernel: 5, expand: 6, out: 160, squeeze: true }] },
];

/** What of a MobileNetV3 its name says. */
export interface MobilenetV3Form {
  /** Channels of the stem. */
  readonly stem: number;
  /** Its stages, but for the last. */
  readonly stages: readonly Stage[];
  /** Channels of the last stage, one convolution. */
  readonly last: number;
  /** Channels of the head. */
  readonly head: number;
}

/** A MobileNetV3; its head is a convolution with bias on the means of images. */
export function mobilenetV3(
  { stem, stages, last, head }: MobilenetV3Form,
  options: BuildOptions,
): Network {
  const name = `blocks.${stages.length}.0`;
  return mobileNet({
    stem,
    stages,
    activation: hardSwish,
    gate: { width: ({ gated }) => inEights(gated / 4), activation: relu, last: hardSigmoid },
    head: (n, x) => {
      const size = { name: `${name}.conv`, norm: `${name}.bn1`, out: last, kernel: 1 };
      const y = n.globalAvgPool2d(n.hardSwish(convNorm(n, x, size)), { keepImage: true });
      const made = n.conv2d(y, { name: "conv_head", out: head, kernel: 1, bias: true });
      return n.globalAvgPool2d(n.hardSwish(made));
    },
  }, options);
}

/** Names of its layers, torchvision's and timm's. */
export function mobilenetV3Names(stages: readonly Stage[]): NamePair[] {
  const last = placesOf(stages).length + 1;
  return [
    ["features.0.0", "conv_stem"],
    ["features.0.1", "bn1"],
    ...blockNames(stages, { prefix: ({ i }) => `features.${i + 1}.block` }),
    [`features.${last}.0`, `blocks.${stages.length}.0.conv`],
    [`features.${last}.1`, `blocks.${stages.length}.0.bn1`],
    ["classifier.0", "conv_head"],
    ["classifier.3", "classifier"],
  ];
}

/** What torchvision's norms of MobileNetV3 add to a variance. */
export const MOBILENETV3_EPS = 1e-3;

/** MobileNetV3 (arXiv 1905.02244), as timm has it. */
export const MOBILENETS_V3: Family = {
  mobilenetv3_large_100: {
    stems: ["cifar"],
    build: (options) => mobilenetV3({ stem: 16, stages: STAGES, last: 960, head: 1280 }, options),
    torchvision: { names: mobilenetV3Names(STAGES), eps: MOBILENETV3_EPS },
  },
};
