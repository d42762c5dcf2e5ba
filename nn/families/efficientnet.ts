import type { Network } from "../network.ts";
import type { NamePair } from "../pretrained.ts";
import { sigmoid, silu } from "./activations.ts";
import type { BuildOptions, Family } from "./family.ts";
import { convNorm, mobileNet, type Row, type Stage } from "./inverted_residual.ts";
import { blockNames } from "./inverted_residual_names.ts";

function stage(stride: 1 | 2, row: Omit<Row, "squeeze">): Stage {
  return { stride, rows: [{ ...row, squeeze: true }] };
}

const STAGES: readonly Stage[] = [
  stage(1, { repeat: 1, kernel: 3, expand: 1, out: 16 }),
  stage(2, { repeat: 2, kernel: 3, expand: 6, out: 24 }),
  stage(2, { repeat: 2, kernel: 5, expand: 6, out: 40 }),
  stage(2, { repeat: 3, kernel: 3, expand: 6, out: 80 }),
  stage(1, { repeat: 3, kernel: 5, expand: 6, out: 112 }),
  stage(2, { repeat: 4, kernel: 5, expand: 6, out: 192 }),
  stage(1, { repeat: 1, kernel: 3, expand: 6, out: 320 }),
];

/** What of an EfficientNet its name says. */
export interface EfficientnetForm {
  /** Channels of the stem. */
  readonly stem: number;
  /** Its stages. */
  readonly stages: readonly Stage[];
  /** Channels of the last convolution. */
  readonly last: number;
}

/** An EfficientNet: gates in all blocks, a quarter of a block's channels between. */
export function efficientnet(
  { stem, stages, last }: EfficientnetForm,
  options: BuildOptions,
): Network {
  const head = { name: "conv_head", norm: "bn2", out: last, kernel: 1 };
  return mobileNet({
    stem,
    stages,
    activation: silu,
    gate: { width: ({ block }) => Math.floor(block / 4), activation: silu, last: sigmoid },
    head: (n, x) => n.globalAvgPool2d(n.silu(convNorm(n, x, head))),
  }, options);
}

/** Names of its layers, torchvision's and timm's. */
export function efficientnetNames(stages: readonly Stage[]): NamePair[] {
  const last = stages.length + 1;
  return [
    ["features.0.0", "conv_stem"],
    ["features.0.1", "bn1"],
    ...blockNames(stages, { prefix: ({ s, b }) => `features.${s + 1}.${b}.block` }),
    [`features.${last}.0`, "conv_head"],
    [`features.${last}.1`, "bn2"],
    ["classifier.1", "classifier"],
  ];
}

/** EfficientNet (arXiv 1905.11946), as timm has it. */
export const EFFICIENTNETS: Family = {
  efficientnet_b0: {
    stems: ["cifar"],
    build: (options) => efficientnet({ stem: 32, stages: STAGES, last: 1280 }, options),
    torchvision: { names: efficientnetNames(STAGES) },
  },
};
