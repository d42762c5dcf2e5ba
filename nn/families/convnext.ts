import { type Network, network, type NetworkBuilder, type Value } from "../network.ts";
import type { NamePair } from "../pretrained.ts";
import type { BuildOptions, Family } from "./family.ts";

/** What of a ConvNeXt its name says. */
export interface ConvnextForm {
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  /** Channels of each stage. */
  readonly widths: readonly number[];
}

const TINY: ConvnextForm = { depths: [3, 3, 9, 3], widths: [96, 192, 384, 768] };

/** The factor between a block's inner and outer channels. */
const EXPANSION = 4;

/** A depthwise convolution, a norm, and two 1x1 convolutions, scaled and added to what came in. */
function block(n: NetworkBuilder, x: Value, prefix: string): Value {
  const out = n.channels(x);
  const depthwise = { out, groups: out, kernel: 7, bias: true };
  let y = n.conv2d(x, { name: `${prefix}.conv_dw`, ...depthwise });
  y = n.layerNorm(y, { name: `${prefix}.norm` });
  y = n.conv2d(y, { name: `${prefix}.mlp.fc1`, out: EXPANSION * out, kernel: 1, bias: true });
  y = n.conv2d(n.gelu(y), { name: `${prefix}.mlp.fc2`, out, kernel: 1, bias: true });
  return n.add(x, n.scale(y, { name: prefix }));
}

/** `stages.S` is stage S + 1, the stem stage 0. Windows of stem and downsampling do not overlap. */
export function convnext(
  { depths, widths }: ConvnextForm,
  { classes, channels }: BuildOptions,
): Network {
  return network({ channels }, (n) => {
    n.stage(0);
    const patch = (side: number) => ({ kernel: side, stride: side, padding: 0, bias: true });
    let x = n.conv2d(n.image, { name: "stem.0", out: widths[0], ...patch(4) });
    x = n.layerNorm(x, { name: "stem.1" });
    depths.forEach((depth, s) => {
      n.stage(s + 1);
      if (s > 0) {
        const name = `stages.${s}.downsample`;
        x = n.layerNorm(x, { name: `${name}.0` });
        x = n.conv2d(x, { name: `${name}.1`, out: widths[s], ...patch(2) });
      }
      for (let b = 0; b < depth; b++) x = block(n, x, `stages.${s}.blocks.${b}`);
    });
    x = n.layerNorm(n.globalAvgPool2d(x), { name: "head.norm" });
    n.linear(x, { name: "head.fc", out: classes });
  });
}

/** torchvision numbers stem, stages and what lies between them in one row. */
export function convnextNames({ depths }: Pick<ConvnextForm, "depths">): NamePair[] {
  return [
    ...depths.flatMap((depth, s): NamePair[] => [
      [`features.${2 * s}.0`, s > 0 ? `stages.${s}.downsample.0` : "stem.0"],
      [`features.${2 * s}.1`, s > 0 ? `stages.${s}.downsample.1` : "stem.1"],
      ...Array.from({ length: depth }).flatMap((_, b): NamePair[] => {
        const [theirs, ours] = [`features.${2 * s + 1}.${b}`, `stages.${s}.blocks.${b}`];
        return [
          [`${theirs}.block.0`, `${ours}.conv_dw`],
          [`${theirs}.block.2`, `${ours}.norm`],
          [`${theirs}.block.3`, `${ours}.mlp.fc1`],
          [`${theirs}.block.5`, `${ours}.mlp.fc2`],
          [`${theirs}.layer_scale`, `${ours}.gamma`],
        ];
      }),
    ]),
    ["classifier.0", "head.norm"],
    ["classifier.2", "head.fc"],
  ];
}

/** ConvNeXt (arXiv 2201.03545), as timm has it. */
export const CONVNEXTS: Family = {
  convnext_tiny: {
    build: (options) => convnext(TINY, options),
    torchvision: { names: convnextNames(TINY) },
  },
};
