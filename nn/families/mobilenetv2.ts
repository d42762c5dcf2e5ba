import type { Network } from "../network.ts";
import type { NamePair } from "../pretrained.ts";
import { relu6 } from "./activations.ts";
import type { BuildOptions, Family } from "./family.ts";
import { convNorm, mobileNet, placesOf, type Stage } from "./inverted_residual.ts";
import { blockNames } from "./inverted_residual_names.ts";

const STAGES: readonly Stage[] = [
  { stride: 1, rows: [{ repeat: 1, kernel: 3, expand: 1, out: 16 }] },
  { stride: 2, rows: [{ repeat: 2, kernel: 3, expand: 6, out: 24 }] },
  { stride: 2, rows: [{ repeat: 3, kernel: 3, expand: 6, out: 32 }] },
  { stride: 2, rows: [{ repeat: 4, kernel: 3, expand: 6, out: 64 }] },
  { stride: 1, rows: [{ repeat: 3, kernel: 3, expand: 6, out: 96 }] },
  { stride: 2, rows: [{ repeat: 3, kernel: 3, expand: 6, out: 160 }] },
  { stride: 1, rows: [{ repeat: 1, kernel: 3, expand: 6, out: 320 }] },
];

/** A MobileNetV2 of these stages, with a stem of so many channels. */
export function mobilenetV2(
  { stem, stages }: { readonly stem: number; readonly stages: readonly Stage[] },
  options: BuildOptions,
): Network {
  const head = { name: "conv_head", norm: "bn2", out: 1280, kernel: 1 };
  return mobileNet({
    stem,
    stages,
    activation: relu6,
    head: (n, x) => n.globalAvgPool2d(n.relu6(convNorm(n, x, head))),
  }, options);
}

/** Names of its layers, torchvision's and timm's. */
export function mobilenetV2Names(stages: readonly Stage[]): NamePair[] {
  const last = placesOf(stages).length + 1;
  return [
    ["features.0.0", "conv_stem"],
    ["features.0.1", "bn1"],
    ...blockNames(stages, { prefix: ({ i }) => `features.${i + 1}.conv`, flat: true }),
    [`features.${last}.0`, "conv_head"],
    [`features.${last}.1`, "bn2"],
    ["classifier.1", "classifier"],
  ];
}

/** MobileNetV2 (arXiv 1801.04381), as timm has it. */
export const MOBILENETS_V2: Family = {
  mobilenetv2_100: {
    stems: ["cifar"],
    build: (options) => mobilenetV2({ stem: 32, stages: STAGES }, options),
    torchvision: { names: mobilenetV2Names(STAGES) },
  },
};
