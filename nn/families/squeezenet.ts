import { type Network, network, type NetworkBuilder, type Value } from "../network.ts";
import type { BuildOptions, Family } from "./family.ts";

/** Fire modules between pools: channels of the squeezing layer; of the others four times as many. */
const FIRES: readonly (readonly number[])[] = [[16, 16], [32, 32], [48, 48, 64, 64]];

/** The factor between what squeezes and each of the two that expand. */
const EXPANSION = 4;

/** A 1x1 convolution, and on it a 1x1 and a 3x3 one, side by side. */
function fire(
  n: NetworkBuilder,
  x: Value,
  { prefix, out }: { prefix: string; out: number },
): Value {
  const conv = (from: Value, name: string, out: number, kernel: number): Value =>
    n.relu(n.conv2d(from, { name: `${prefix}.${name}`, out, kernel, bias: true }));
  const squeezed = conv(x, "squeeze", out, 1);
  return n.concat([
    conv(squeezed, "expand1x1", EXPANSION * out, 1),
    conv(squeezed, "expand3x3", EXPANSION * out, 3),
  ]);
}

/** What lies before the g-th pool is stage g; the convolution that makes the classes is never cut. */
export function squeezenet(
  { stem: first, fires }: { readonly stem: number; readonly fires: typeof FIRES },
  { classes, channels }: BuildOptions,
): Network {
  return network({ channels }, (n) => {
    n.stage(0);
    const stem = { out: first, kernel: 3, stride: 2, padding: 0, bias: true };
    let x = n.relu(n.conv2d(n.image, { name: "features.0", ...stem }));
    let i = 2;
    fires.forEach((group, g) => {
      n.stage(g + 1);
      x = n.maxPool2d(x, { kernel: 3, stride: 2, padding: 0, ceilMode: true });
      for (const out of group) x = fire(n, x, { prefix: `features.${++i}`, out });
      i++;
    });
    const logits = { name: "classifier.1", out: classes, kernel: 1, bias: true };
    n.globalAvgPool2d(n.relu(n.conv2d(x, logits)));
  });
}

/** SqueezeNet (arXiv 1602.07360), as torchvision has it. */
export const SQUEEZENETS: Family = {
  squeezenet1_1: { build: (options) => squeezenet({ stem: 64, fires: FIRES }, options) },
};
