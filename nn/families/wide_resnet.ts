import { type Network, network, type NetworkBuilder, type Value } from "../network.ts";
import type { BuildOptions, Family, Model } from "./family.ts";

/** Channels of the stages before they are widened. */
const WIDTHS = [16, 32, 64];

/** Norm and ReLU before each convolution; a shortcut of another size begins behind the first. */
function block(
  n: NetworkBuilder,
  x: Value,
  { prefix, out, stride }: { prefix: string; out: number; stride: number },
): Value {
  const first = n.relu(n.batchNorm(x, { name: `${prefix}.bn1` }));
  let y = n.conv2d(first, { name: `${prefix}.conv1`, out, kernel: 3, stride });
  y = n.relu(n.batchNorm(y, { name: `${prefix}.bn2` }));
  y = n.conv2d(y, { name: `${prefix}.conv2`, out, kernel: 3 });
  if (stride === 1 && n.channels(x) === out) return n.add(y, x);
  return n.add(y, n.conv2d(first, { name: `${prefix}.convShortcut`, out, kernel: 1, stride }));
}

/** `depth` blocks in each of three stages, `factor` times as wide as those of a thin ResNet. */
export function wideResnet(
  { depth, factor }: { readonly depth: number; readonly factor: number },
  { classes, channels }: BuildOptions,
): Network {
  return network({ channels }, (n) => {
    n.stage(0);
    let x = n.conv2d(n.image, { name: "conv1", out: WIDTHS[0], kernel: 3 });
    WIDTHS.forEach((width, s) => {
      n.stage(s + 1);
      for (let b = 0; b < depth; b++) {
        const prefix = `block${s + 1}.layer.${b}`;
        x = block(n, x, { prefix, out: factor * width, stride: s > 0 && b === 0 ? 2 : 1 });
      }
    });
    x = n.relu(n.batchNorm(x, { name: "bn1" }));
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: classes });
  });
}

/** 6 depth + 4 layers: two convolutions a block, three stages, a stem and three shortcuts. */
function modelOf(layers: number, factor: number): Model {
  const depth = (layers - 4) / 6;
  return { build: (options) => wideResnet({ depth, factor }, options) };
}

/** Wide residual networks for images of CIFAR's size (arXiv 1605.07146). */
export const WIDE_RESNETS: Family = {
  wide_resnet16_4: modelOf(16, 4),
  wide_resnet28_10: modelOf(28, 10),
};
