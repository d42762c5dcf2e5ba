import type { Random } from "../data/random.ts";
import { type Network, network, type Value } from "../nn/network.ts";
import { resnet } from "../nn/families/mod.ts";
import type { WidthOptions } from "../nn/compress/width_groups.ts";

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.integer(from.length)];
}

/** Layers at random on values of one size: convolutions, norms, sums, narrow values. */
function tangle(random: Random): Network {
  const depth = 4 + random.integer(8);
  return network({ channels: 3 }, (n) => {
    n.stage(0);
    const values: Value[] = [n.conv2d(n.image, { name: "stem", out: 8, kernel: 3 })];
    for (let i = 1; i <= depth; i++) {
      n.stage(1 + Math.floor(2 * i / (depth + 1)));
      let x = pick(random, values.slice(-3));
      const cut = n.channels(x) > 5 && random.uniform() < 0.2;
      if (cut) x = n.narrow(x, 5);
      const out = pick(random, [5, 8, 8, 11]);
      let y = n.conv2d(x, { name: `c${i}`, out, kernel: pick(random, [1, 3]) });
      if (random.uniform() < 0.7) y = n.batchNorm(y, { name: `n${i}` });
      if (random.uniform() < 0.7) y = n.relu(y);
      const like = values.filter((value) => n.channels(value) === out);
      if (like.length && random.uniform() < 0.6) y = n.add(y, pick(random, like));
      if (random.uniform() < 0.2) y = n.batchNorm(y, { name: `s${i}` });
      values.push(y);
    }
    n.linear(n.globalAvgPool2d(values[values.length - 1]), { name: "fc", out: 4 });
  });
}

/** A ResNet of any form, or layers at random; stages 0 to 2. */
export function randomNetwork(random: Random): Network {
  if (random.uniform() < 0.5) return tangle(random);
  const variant = pick(random, ["xresnet", "torchvision"] as const);
  const width = (): number => 3 + random.integer(9);
  return resnet({
    block: pick(random, ["basic", "bottleneck"] as const),
    depths: [1 + random.integer(2), 1 + random.integer(3)],
    widths: [width(), width()],
    stem: variant === "torchvision" ? [width()] : [width(), width()],
    reduce: random.uniform() < 0.5,
    classes: 2 + random.integer(4),
    variant,
  });
}

/** What of a network with stages 0 to 2 is searched, at random; something is. */
export function randomOptions(random: Random, { layers }: Network): WidthOptions {
  const all = [1, 1.5, 2, 3, 4, 7, 8, 20];
  const divisors = all.filter(() => random.uniform() < 0.5);
  if (divisors.length < 2) divisors.splice(0, divisors.length, 1, 3);
  const last = layers.findLast(({ kind }) => kind === "conv2d");
  const masked = new Set(layers.filter(() => random.uniform() < 0.5));
  const maskFrom = pick(random, [
    1,
    2,
    (layer: object) => layer === last || [...masked].some((found) => found === layer),
  ]);
  return { maskFrom, divisors };
}
