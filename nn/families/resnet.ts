import { curable, cure } from "../../data/cure.ts";
import { checkWhole } from "../builder.ts";
import { type Network, network, type NetworkBuilder, type Value } from "../network.ts";
import { checkChoice, checkOptionNames } from "../options.ts";
import { type Family, type Model, type Stem, STEMS, type Variant, VARIANTS } from "./family.ts";

/** The options of {@link resnet}. */
export interface ResNetOptions {
  /** Two 3x3 convolutions, or 1x1, 3x3 and 1x1 with four times the channels out. */
  readonly block: "basic" | "bottleneck";
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  /** Channels of each stage, before the expansion of a bottleneck. */
  readonly widths: readonly number[];
  /** Channels of the convolutions of the stem; the variant `torchvision` has one. */
  readonly stem: readonly number[];
  /** Whether the stem strides and pools, to a quarter of the side; CIFAR-size images do without. */
  readonly reduce: boolean;
  /** Outputs of the classifier. */
  readonly classes: number;
  /** Channels of the image. Default: 3. */
  readonly channels?: number;
  /** Default: `xresnet`. */
  readonly variant?: Variant;
  /** Blocks of channels in the 3x3 convolution of a bottleneck. Default: 1. */
  readonly groups?: number;
  /** Inner channels of a bottleneck for each 64 of its width, in one of the groups. Default: 64. */
  readonly baseWidth?: number;
}

const RESNET_OPTIONS: Readonly<Record<keyof ResNetOptions, true>> = {
  block: true,
  depths: true,
  widths: true,
  stem: true,
  reduce: true,
  classes: true,
  channels: true,
  variant: true,
  groups: true,
  baseWidth: true,
};

/** The factor between a bottleneck's inner and outer channels, at the base width. */
const EXPANSION = 4;

/** The base width at which the inner channels of one group are as many as the width says. */
const BASE_WIDTH = 64;

function convNorm(
  n: NetworkBuilder,
  x: Value,
  { norm, zero = false, ...size }: {
    name: string;
    norm: string;
    out: number;
    kernel: number;
    stride?: number;
    groups?: number;
    zero?: boolean;
  },
): Value {
  return n.batchNorm(n.conv2d(x, size), { name: norm, zero });
}

/** The shortcut of a block: its input, brought to the block's size and channels. */
function shortcutOf(
  n: NetworkBuilder,
  x: Value,
  { prefix, out, stride, variant }: {
    prefix: string;
    out: number;
    stride: number;
    variant: Variant;
  },
): Value {
  const project = (from: Value, first: number, stride: number): Value => {
    const names = {
      name: `${prefix}.downsample.${first}`,
      norm: `${prefix}.downsample.${first + 1}`,
    };
    return convNorm(n, from, { ...names, out, kernel: 1, stride });
  };
  const widens = n.channels(x) !== out;
  if (variant === "torchvision") return stride !== 1 || widens ? project(x, 0, stride) : x;
  const pooled = stride === 1 ? x : n.avgPool2d(x, { kernel: 2, stride: 2, ceilMode: true });
  return widens ? project(pooled, 1, 1) : pooled;
}

function residualBlock(
  n: NetworkBuilder,
  x: Value,
  { prefix, block, width, stride, variant, groups = 1, baseWidth = BASE_WIDTH }:
    & { prefix: string; width: number; stride: number; variant: Variant }
    & Pick<ResNetOptions, "block" | "groups" | "baseWidth">,
): Value {
  const out = block === "basic" ? width : width * EXPANSION;
  const inner = Math.floor(width * baseWidth / BASE_WIDTH) * groups;
  const layers = block === "basic"
    ? [{ out: width, kernel: 3, stride }, { out, kernel: 3 }]
    : [{ out: inner, kernel: 1 }, { out: inner, kernel: 3, stride, groups }, { out, kernel: 1 }];
  let y = x;
  layers.forEach((layer, i) => {
    const last = i === layers.length - 1;
    const names = { name: `${prefix}.conv${i + 1}`, norm: `${prefix}.bn${i + 1}` };
    y = convNorm(n, y, { ...names, ...layer, zero: last });
    if (!last) y = n.relu(y);
  });
  return n.relu(n.add(y, shortcutOf(n, x, { prefix, out, stride, variant })));
}

/**
 * A residual network. In the "xresnet" form of arXiv 1812.01187: a stem of 3x3 convolutions, the
 * stride in the 3x3 of a block, and an average pool before the 1x1 of a striding shortcut. In
 * torchvision's: a stem of one convolution, 7x7 where it strides and else 3x3, the stride in the
 * 3x3 of a block (v1.5), and in the 1x1 of the shortcut. The last norm of each block starts at
 * scale 0. Raises a `RangeError` for torchvision's with another number of convolutions in its stem,
 * for other blocks and variants, and for depths, widths, classes and channels that make no network;
 * a `TypeError` for options that there are not.
 */
export function resnet(options: ResNetOptions): Network {
  const { block, depths, widths, stem, reduce, classes, channels = 3, variant = "xresnet" } =
    options;
  const { groups = 1, baseWidth = BASE_WIDTH } = options;
  const what = "build a ResNet";
  checkOptionNames(what, options, Object.keys(RESNET_OPTIONS));
  checkChoice(what, "block", block, ["basic", "bottleneck"]);
  checkChoice(what, "variant", variant, VARIANTS);
  if (variant === "torchvision" && stem.length !== 1) {
    throw new RangeError(
      `Cannot build a ResNet as torchvision: wanted a stem of one convolution, found ${stem.length}`,
    );
  }
  if (!depths.length || depths.length !== widths.length) {
    throw new RangeError(
      `Cannot build a ResNet: wanted a depth and a width for each stage, found ${depths.length} ` +
        `depths and ${widths.length} widths`,
    );
  }
  for (const depth of depths) checkWhole(what, "a depth", depth, 1);
  checkWhole(what, "groups", groups, 1);
  checkWhole(what, "baseWidth", baseWidth, 1);
  if (block === "basic" && (groups !== 1 || baseWidth !== BASE_WIDTH)) {
    throw new RangeError(
      `Cannot build a ResNet of basic blocks: wanted 1 group of base width ${BASE_WIDTH}, found ` +
        `${groups} of ${baseWidth}; take bottlenecks`,
    );
  }
  const kernel = variant === "torchvision" && reduce ? 7 : 3;
  return network({ channels }, (n) => {
    n.stage(0);
    let x = n.image;
    stem.forEach((out, i) => {
      const last = i === stem.length - 1;
      const name = stem.length === 1 ? "conv1" : `conv1.${3 * i}`;
      const norm = last ? "bn1" : `conv1.${3 * i + 1}`;
      const stride = i === 0 && reduce ? 2 : 1;
      x = n.relu(convNorm(n, x, { name, norm, out, kernel, stride }));
    });
    if (reduce) x = n.maxPool2d(x, { kernel: 3, stride: 2, padding: 1 });
    depths.forEach((depth, s) => {
      n.stage(s + 1);
      for (let b = 0; b < depth; b++) {
        const stride = s > 0 && b === 0 ? 2 : 1;
        const prefix = `layer${s + 1}.${b}`;
        const inner = { groups, baseWidth };
        x = residualBlock(n, x, { prefix, block, width: widths[s], stride, variant, ...inner });
      }
    });
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: classes });
  });
}

const AUTHORS = { widths: [64, 128, 256, 512], stem: [32, 64, 64] } as const;

/** What of a ResNet its name says. */
type Form = Pick<ResNetOptions, "block" | "depths" | "widths" | "stem"> & {
  readonly defaultStem: Stem;
};

function wide(block: "basic" | "bottleneck", depths: readonly number[]): Form {
  return { block, depths, ...AUTHORS, defaultStem: "authors" };
}

/** The thin networks of CIFAR size: 6 n + 2 layers in three stages. */
function thin(layers: number): Form {
  const depth = (layers - 2) / 6;
  return {
    block: "basic",
    depths: [depth, depth, depth],
    widths: [16, 32, 64],
    stem: [16, 16, 16],
    defaultStem: "cifar",
  };
}

const FORMS: Readonly<Record<string, Form>> = {
  resnet18: wide("basic", [2, 2, 2, 2]),
  resnet34: wide("basic", [3, 4, 6, 3]),
  resnet50: wide("bottleneck", [3, 4, 6, 3]),
  resnet100: wide("bottleneck", [6, 8, 12, 6]),
  resnet101: wide("bottleneck", [3, 4, 23, 3]),
  resnet152: wide("bottleneck", [3, 8, 36, 3]),
  resnet8: thin(8),
  resnet14: thin(14),
  resnet20: thin(20),
  resnet32: thin(32),
  resnet44: thin(44),
  resnet56: thin(56),
};

/** Those that torchvision has as well. */
const TORCHVISION_NAMES = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"];

function checkTorchvision(name: string, stem: Stem | undefined): void {
  if (!TORCHVISION_NAMES.includes(name)) {
    throw curable(
      RangeError,
      `Cannot build model ${name} as torchvision: wanted one of ${TORCHVISION_NAMES.join(", ")}, ` +
        `found ${name}`,
      cure`take one of them`,
      cure`take ${{ option: "variant", words: "the variant" }} xresnet`,
    );
  }
  if (stem === "authors") {
    throw curable(
      RangeError,
      `Cannot build model ${name} as torchvision: wanted its own stem of one convolution, or ` +
        `cifar for small images, found the stem authors`,
      cure`leave out ${{ option: "stem", words: "the stem" }}`,
    );
  }
}

function modelOf(name: string, { defaultStem, ...form }: Form): Model {
  return {
    stems: STEMS,
    variants: VARIANTS,
    stemOf: (variant) => variant === "torchvision" ? variant : defaultStem,
    build: ({ classes, channels, stem, variant = VARIANTS[0] }) => {
      const torchvision = variant === "torchvision";
      if (torchvision) checkTorchvision(name, stem);
      const reduce = (stem ?? defaultStem) === "authors";
      const convolutions = reduce && !torchvision ? form.stem : [form.widths[0]];
      return resnet({ ...form, stem: convolutions, reduce, classes, channels, variant });
    },
  };
}

/**
 * ResNets. The wide ones (`resnet18` to `resnet152`) have the authors' stem by default, the thin
 * ones (`resnet8` to `resnet56`; 16, 32 and 64 channels) that for CIFAR. The variant `torchvision`
 * has a 7x7 convolution for a stem, or with the stem `cifar` a 3x3 one without stride and pool.
 */
export const RESNETS: Family = Object.fromEntries(
  Object.entries(FORMS).map(([name, form]) => [name, modelOf(name, form)]),
);
