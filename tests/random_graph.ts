// Networks of layers drawn at random, with all that small networks are cut along: concatenations of
// sums, gates, groups, depthwise convolutions, shuffles.
import type { Random } from "../data/random.ts";
import { type Network, network, type NetworkBuilder, type Value } from "../nn/network.ts";

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.integer(from.length)];
}

/** Numbers of channels; few, so that values can be added. */
const WIDTHS = [4, 6, 8, 8, 12];

/** A graph that grows: values of one size, and the next name. */
class Growing {
  readonly n: NetworkBuilder;
  readonly random: Random;
  values: Value[] = [];
  #names = 0;

  constructor(n: NetworkBuilder, random: Random) {
    this.n = n;
    this.random = random;
  }

  name(kind: string): string {
    return `${kind}${this.#names++}`;
  }

  /** One of the latest values. */
  value(): Value {
    return pick(this.random, this.values.slice(-4));
  }

  chance(share: number): boolean {
    return this.random.uniform() < share;
  }

  conv(x: Value, out: number, kernel: number): Value {
    return this.n.conv2d(x, { name: this.name("conv"), out, kernel });
  }

  /** One of the activations. */
  activated(x: Value): Value {
    const { n } = this;
    const activations = [
      n.relu6,
      n.leakyRelu,
      n.sigmoid,
      n.hardSigmoid,
      n.silu,
      n.hardSwish,
      n.gelu,
    ];
    return pick(this.random, activations)(x);
  }

  /** A value, normed and rectified at times. */
  dressed(x: Value): Value {
    const { n } = this;
    const norm = this.chance(0.8) ? "batchNorm" : "layerNorm";
    const y = this.chance(0.7) ? n[norm](x, { name: this.name("norm") }) : x;
    return this.chance(0.7) ? this.n.relu(y) : y;
  }
}

type Grow = (g: Growing) => Value;

/** By name: a piece of a network on some of the values so far. */
const PIECES: Readonly<Record<string, Grow>> = {
  convolution: (g) => g.dressed(g.conv(g.value(), pick(g.random, WIDTHS), pick(g.random, [1, 3]))),
  sum: (g) => {
    const x = g.value();
    return g.n.relu(g.n.add(g.dressed(g.conv(x, g.n.channels(x), 3)), x));
  },
  // Of two convolutions that are otherwise unlike.
  "sum of two": (g) => {
    const out = pick(g.random, WIDTHS);
    return g.dressed(g.n.add(g.dressed(g.conv(g.value(), out, 1)), g.conv(g.value(), out, 3)));
  },
  concatenation: (g) => g.dressed(g.n.concat([g.value(), g.conv(g.value(), 4, 1)])),
  // Dense: all that was before, again and again.
  dense: (g) => {
    let x = g.value();
    for (let i = 0; i < 2; i++) x = g.n.concat([x, g.conv(g.dressed(x), 4, 3)]);
    return x;
  },
  "sum of concatenations": (g) => {
    const parts = [pick(g.random, WIDTHS), pick(g.random, WIDTHS)];
    const joined = g.n.concat(parts.map((out) => g.dressed(g.conv(g.value(), out, 1))));
    return g.dressed(g.n.add(joined, g.conv(g.value(), parts[0] + parts[1], 1)));
  },
  depthwise: (g) => {
    const x = g.dressed(g.conv(g.value(), pick(g.random, WIDTHS), 1));
    const groups = g.n.channels(x);
    const out = pick(g.random, [groups, groups, 2 * groups]);
    const y = g.n.conv2d(x, {
      name: g.name("depthwise"),
      out,
      kernel: 3,
      groups,
      bias: g.chance(0.5),
    });
    return g.conv(g.dressed(y), pick(g.random, WIDTHS), 1);
  },
  groups: (g) => {
    const x = g.dressed(g.conv(g.value(), 12, 1));
    const groups = pick(g.random, [2, 3, 4]);
    return g.dressed(g.n.conv2d(x, { name: g.name("groups"), out: 12, kernel: 3, groups }));
  },
  part: (g) => {
    const x = g.value();
    return g.n.narrow(x, Math.max(2, g.n.channels(x) - 2));
  },
  pool: (g) => g.n.maxPool2d(g.value(), { kernel: 3, stride: 1, padding: 1 }),
  activation: (g) => g.activated(g.dressed(g.conv(g.value(), pick(g.random, WIDTHS), 1))),
  product: (g) => {
    const out = pick(g.random, WIDTHS);
    return g.n.multiply(g.dressed(g.conv(g.value(), out, 1)), g.conv(g.value(), out, 3));
  },
  "squeeze and excitation": (g) => {
    const { n } = g;
    const x = g.dressed(g.conv(g.value(), pick(g.random, WIDTHS), 1));
    const squeezed = n.globalAvgPool2d(x, { keepImage: true });
    const one = { kernel: 1, bias: true } as const;
    const reduced = n.relu(n.conv2d(squeezed, { name: g.name("gate"), out: 4, ...one }));
    const gate = n.conv2d(reduced, { name: g.name("gate"), out: n.channels(x), ...one });
    return n.multiply(x, n.sigmoid(gate));
  },
  // A unit of ShuffleNet.
  "shuffled groups": (g) => {
    const parts = [0, 1].map(() => g.dressed(g.conv(g.value(), 6, 1)));
    const x = g.n.channelShuffle(g.n.concat(parts), { groups: 2 });
    return g.chance(0.5)
      ? g.dressed(g.n.conv2d(x, { name: g.name("groups"), out: 12, kernel: 3, groups: 6 }))
      : x;
  },
  // Two units of ShuffleNet V2: half of a value goes on, the other through a branch.
  "split and shuffled": (g) => {
    let x = g.dressed(g.conv(g.value(), 8, 1));
    for (let i = 0; i < 2; i++) {
      const go = g.n.select(x, { channels: [0, 1, 2, 3] });
      const branch = g.dressed(g.conv(g.n.select(x, { channels: [4, 5, 6, 7] }), 4, 3));
      x = g.n.channelShuffle(g.n.concat([go, branch]), { groups: 2 });
    }
    return x;
  },
  // A block of ConvNeXt.
  "layer norm": (g) => {
    const x = g.value();
    const normed = g.n.layerNorm(g.conv(x, g.n.channels(x), 3), { name: g.name("norm") });
    const y = g.conv(g.n.gelu(g.conv(normed, 12, 1)), g.n.channels(x), 1);
    return g.n.add(x, g.n.scale(y, { name: g.name("scale"), initial: 0.5 }));
  },
  averages: (g) =>
    g.n.avgPool2d(g.value(), {
      kernel: 3,
      stride: 1,
      ceilMode: false,
      padding: 1,
      countPadding: g.chance(0.5),
    }),
  // Of twice the size, and back.
  "larger and back": (g) => {
    const large = g.n.upsample2d(g.dressed(g.conv(g.value(), 6, 1)), { factor: 2 });
    return g.n.avgPool2d(large, { kernel: 3, stride: 2, ceilMode: false, padding: 1 });
  },
  shuffle: (g) => {
    const x = g.conv(g.value(), 8, 1);
    return g.dressed(g.n.channelShuffle(g.dressed(x), { groups: pick(g.random, [2, 4]) }));
  },
  dropped: (g) => {
    const x = g.value();
    const branch = g.dressed(g.conv(x, g.n.channels(x), 3));
    const drop = pick(g.random, ["dropout", "dropPath"] as const);
    return g.n.relu(g.n.add(g.n[drop](branch, { rate: 0.4 }), x));
  },
  turned: (g) => {
    const x = g.value();
    const channels = Array.from({ length: g.n.channels(x) }, (_, c) => c);
    for (let i = channels.length - 1; i > 0; i--) {
      const j = g.random.integer(i + 1);
      [channels[i], channels[j]] = [channels[j], channels[i]];
    }
    return g.n.select(x, { channels });
  },
};

/** The names of the pieces that graphs are made of. */
export const PIECE_NAMES: readonly string[] = Object.keys(PIECES);

/** A network of some pieces, of stages 0 to 3; `first` is one of them, for sure. */
export function randomGraph(random: Random, first = pick(random, PIECE_NAMES)): Network {
  return network({ channels: 3 }, (n) => {
    const g = new Growing(n, random);
    n.stage(0);
    g.values = [g.dressed(g.conv(n.image, 8, 3))];
    const names = [
      first,
      ...Array.from({ length: 1 + random.integer(4) }, () => pick(random, PIECE_NAMES)),
    ];
    names.forEach((name, i) => {
      n.stage(1 + Math.floor(3 * i / names.length));
      g.values.push(PIECES[name](g));
    });
    const last = g.chance(0.3) ? n.concat([g.value(), g.values[g.values.length - 1]]) : g.value();
    const x = g.chance(0.5) ? last : g.values[g.values.length - 1];
    const classes = { name: "fc", out: 2 + random.integer(4) };
    if (g.chance(0.2)) n.globalAvgPool2d(n.conv2d(x, { ...classes, kernel: 1 }));
    else n.linear(n.globalAvgPool2d(x), classes);
  });
}
