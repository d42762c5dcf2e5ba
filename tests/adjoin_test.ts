import { assert, assertEquals, assertThrows } from "@std/assert";
import { adjoin, type AdjoinOptions, widthsOf } from "../nn/compress/adjoin.ts";
import { count } from "../nn/count.ts";
import {
  channelsOf,
  type Network,
  network,
  type NetworkBuilder,
  type Value,
} from "../nn/network.ts";
import { type Conv2dLayer } from "../nn/layers/conv2d.ts";
import { model, MODEL_NAMES, resnet } from "../nn/families/mod.ts";

/** A plain network of one's own: no stages, no residuals. */
function plain(): Network {
  return network({ channels: 3 }, (n) => {
    let x = n.relu(
      n.batchNorm(n.conv2d(n.image, { name: "a", out: 10, kernel: 3 }), { name: "an" }),
    );
    x = n.maxPool2d(x, { kernel: 2, stride: 2, padding: 0 });
    x = n.relu(n.batchNorm(n.conv2d(x, { name: "b", out: 21, kernel: 5 }), { name: "bn" }));
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 4 });
  });
}

function convolutions({ layers }: Network): Conv2dLayer[] {
  return layers.filter((layer) => layer.kind === "conv2d");
}

Deno.test("adjoin() keeps floor(out / compression) filters of every masked convolution", () => {
  const { small, masked } = adjoin(model("resnet20", { classes: 10 }), { compression: 3 });
  assert(masked.every((name) => /^layer[23]/.test(name)));
  for (const { name, stage = 0, out } of convolutions(small)) {
    assertEquals(out, stage < 2 ? 16 : Math.floor((stage === 2 ? 32 : 64) / 3), name);
  }
});

Deno.test("adjoin() masks the convolutions that the authors mask", () => {
  const masked = (name: string): number =>
    adjoin(model(name, { classes: 10 }), { compression: 4 }).masked.length;
  assertEquals([masked("resnet18"), masked("resnet34"), masked("resnet50")], [15, 29, 42]);
});

Deno.test("adjoin() takes a network of one's own, with a predicate on layers", () => {
  const { small, shared, masked } = adjoin(plain(), {
    compression: 2,
    maskFrom: ({ name }) => name === "b",
  });
  assertEquals(masked, ["b"]);
  assertEquals(convolutions(small).map((layer) => [layer.in, layer.out]), [[3, 10], [10, 10]]);
  assertEquals(shared, [true, true, true, true, false, false, false, false, false]);
  const image = { height: 8, width: 8 };
  assertEquals(count(small, image).macs, 8 * 8 * 9 * 3 * 10 + 4 * 4 * 25 * 10 * 10 + 10 * 4);
});

Deno.test("adjoin() shares the stem only when masking from stage 1, and cuts wider summands", () => {
  const { small, shared, base } = adjoin(model("resnet8", { classes: 10 }), {
    compression: 4,
    maskFrom: 1,
  });
  const sharedNames = base.layers.flatMap((layer, i) =>
    shared[i] && "name" in layer ? [layer.name] : []
  );
  assertEquals(sharedNames, ["conv1", "bn1"]);
  const narrow = small.layers.filter(({ kind }) => kind === "narrow");
  assertEquals(narrow.length, 1);
  const channels = channelsOf(small);
  small.layers.forEach((layer) => {
    if (layer.kind === "add") assertEquals(channels[layer.inputs[0]], channels[layer.inputs[1]]);
  });
});

Deno.test("adjoin() with a separate trunk shares no layer", () => {
  const { shared } = adjoin(model("resnet8", { classes: 10 }), {
    compression: 4,
    trunk: "separate",
  });
  assert(!shared.includes(true));
});

Deno.test("adjoin() zeroes floor(k k f) taps of masked kernels, fixed by the draw", () => {
  const draw = (): AdjoinOptions => {
    let state = 1;
    const random = (): number => (state = (state * 16807) % 2147483647) / 2147483647;
    return { compression: 4, maskingFactor: 0.3, random };
  };
  const net = model("resnet20", { classes: 10 });
  const { small } = adjoin(net, draw());
  for (const { name, kernel, stage = 0, keptTaps } of convolutions(small)) {
    const zeroed = keptTaps?.filter((keep) => !keep).length ?? 0;
    assertEquals(zeroed, stage >= 2 && kernel === 3 ? 2 : 0, name);
  }
  assertEquals(adjoin(net, draw()).small, small);
});

Deno.test("adjoin() builds what widths say", () => {
  const net = model("resnet8", { classes: 10 });
  const widths = { ...widthsOf(adjoin(net, { compression: 4 })), "layer2.0.conv1": 11 };
  const built = adjoin(net, { compression: 4, widths });
  assertEquals(widthsOf(built), widths);
});

/** A network of convolutions `[name, filters]`, one behind the other, the first in the stem. */
function chain(
  filters: readonly (readonly [string, number, number?])[],
  end: (n: NetworkBuilder, x: Value) => Value = (_, x) => x,
): Network {
  return network({ channels: 3 }, (n) => {
    let x = n.image;
    filters.forEach(([name, out, groups = 1], stage) => {
      n.stage(stage);
      x = n.relu(n.conv2d(x, { name, out, kernel: 1, groups }));
    });
    n.linear(n.globalAvgPool2d(end(n, x)), { name: "fc", out: 2 });
  });
}

Deno.test("units of ShuffleNet V2 keep a share of each half, whatever the compression", () => {
  const net = chain([["stem", 8], ["wide", 16]], (n, x) => {
    for (let i = 0; i < 3; i++) {
      const half = (first: number): number[] => Array.from({ length: 8 }, (_, c) => first + c);
      const branch = n.conv2d(n.select(x, { channels: half(8) }), {
        name: `branch${i}`,
        out: 8,
        kernel: 3,
      });
      const both = n.concat([n.select(x, { channels: half(0) }), n.relu(branch)]);
      x = n.channelShuffle(both, { groups: 2 });
    }
    return x;
  });
  for (const compression of [2, 3, 4]) {
    const pair = adjoin(net, { compression, maskFrom: 1 });
    const widths = Object.entries(widthsOf(pair)).map(([name, kept]) =>
      [name, typeof kept === "number" ? kept : kept.length] as const
    );
    const wanted = ["wide", "branch0", "branch1", "branch2"].map((name) =>
      [name, Math.floor((name === "wide" ? 16 : 8) / compression)] as const
    );
    assertEquals(widths, wanted);
  }
});

Deno.test("what goes together as a whole stays: there is nothing to choose", () => {
  const one = chain([["stem", 4], ["single", 1], ["wide", 8]]);
  assertEquals(widthsOf(adjoin(one, { compression: 4, maskFrom: 1 })), { single: 1, wide: 2 });
});

const REFUSED: readonly [string, AdjoinOptions, Network, string][] = [
  [
    "a compression that leaves no channel",
    { compression: 64 },
    model("resnet8", { classes: 10 }),
    "Cannot adjoin: compression 64 leaves no channel of layer2.0.conv1, which has 32; lower compression to at most 32",
  ],
  [
    "a compression below 1",
    { compression: 0.5 },
    model("resnet8", { classes: 10 }),
    "compression is a number from 1 on, found 0.5",
  ],
  [
    "stages to mask that the network does not have",
    { compression: 2, maskFrom: 9 },
    model("resnet8", { classes: 10 }),
    "no convolution is masked; lower maskFrom",
  ],
  [
    "a network of a stem alone",
    { compression: 2, maskFrom: 1 },
    chain([["stem", 8]]),
    "no convolution is masked, as there is none behind the stem, which stays whole",
  ],
  [
    "a network of groups alone",
    { compression: 2, maskFrom: 1 },
    chain([["stem", 8], ["a", 8, 8], ["b", 16, 8]]),
    "as what is grouped keeps what its input does, and what makes the classes stays, found a and the like; put a convolution without groups before it",
  ],
  [
    "a network without stages and no predicate",
    { compression: 2 },
    plain(),
    "found convolution a without one; pass maskFrom as a function of the convolution",
  ],
  [
    "a width of an unknown layer",
    { compression: 2, widths: { nothing: 3 } },
    model("resnet8", { classes: 10 }),
    "widths name nothing, which is no layer of the network",
  ],
  [
    "taps of a convolution that is not masked",
    { compression: 2, keptTaps: { conv1: Array<boolean>(9).fill(true) } },
    model("resnet8", { classes: 10 }),
    "keptTaps name conv1, which is not masked; lower maskFrom or leave it out",
  ],
  [
    "more or fewer taps than a kernel has",
    { compression: 2, keptTaps: { "layer2.0.conv1": [true, false] } },
    model("resnet8", { classes: 10 }),
    "keptTaps of layer2.0.conv1 are 9, found 2",
  ],
  [
    "a name that the small network's norms have",
    { compression: 2, maskFrom: () => true },
    network({ channels: 3 }, (n) => {
      const x = n.conv2d(n.image, { name: "small.a", out: 4, kernel: 3 });
      n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
    }),
    "names that begin with small. or small- are those of small networks, found small.a; rename the layer",
  ],
];

for (const [what, options, net, message] of REFUSED) {
  Deno.test(`adjoin() refuses ${what}`, () => {
    assertThrows(() => adjoin(net, options), Error, message);
  });
}

Deno.test("network() refuses a sum of different widths and a name that is taken", () => {
  assertThrows(
    () =>
      network({ channels: 3 }, (n) => {
        n.add(n.conv2d(n.image, { name: "a", out: 4, kernel: 1 }), n.image);
      }),
    TypeError,
    "Cannot add add: wanted inputs of equal channels, found [4,3]; narrow the wider one",
  );
  assertThrows(
    () =>
      network({ channels: 3 }, (n) => {
        n.conv2d(n.conv2d(n.image, { name: "a", out: 4, kernel: 1 }), {
          name: "a",
          out: 4,
          kernel: 1,
        });
      }),
    TypeError,
    "Cannot add conv2d a: wanted a name that no layer before it has",
  );
});

Deno.test("model() builds every ResNet, and names all networks when it cannot", () => {
  for (const name of MODEL_NAMES.filter((name) => name.startsWith("resnet"))) {
    const layers = convolutions(model(name, { classes: 10 }));
    const main = layers.filter((layer) => !layer.name.includes("downsample"));
    const stem = main.filter(({ stage }) => stage === 0).length;
    // The number in the name counts one convolution of the stem and the classifier.
    assertEquals(`resnet${main.length - stem + 2}`, name === "resnet100" ? "resnet98" : name);
  }
  assertThrows(
    () => model("resnet19", { classes: 10 }),
    RangeError,
    "wanted one of resnet18, resnet34",
  );
});

Deno.test("numbers that make no layer, and values that are not there, are refused", () => {
  const conv = { name: "c", out: 4, kernel: 3 };
  const pool = { kernel: 2, stride: 2, padding: 0 };
  const average = { kernel: 2, stride: 2, ceilMode: true };
  const whole = (key: string, least: number, most?: number) =>
    `${key} is a whole number from ${least} ${most ? `to ${most}` : "on"}, found `;
  const sides = (key: string, least: number) =>
    `${key} is a whole number from ${least} to 65535, or [height, width], found `;
  const taps =
    "kernel is a whole number from 1 to 8, or [height, width] of at most 64 taps, found ";
  const cases: [(n: NetworkBuilder) => void, string][] = [0, -1, 1.5, NaN, Infinity].flatMap(
    (bad): [(n: NetworkBuilder) => void, string][] => [
      [(n) => n.conv2d(n.image, { ...conv, out: bad }), `add conv2d c: ${whole("out", 1)}${bad}`],
      [(n) => n.conv2d(n.image, { ...conv, kernel: bad }), `${taps}${bad}`],
      [(n) => n.conv2d(n.image, { ...conv, stride: bad }), `${sides("stride", 1)}${bad}`],
      [(n) => n.narrow(n.image, bad), `${whole("channels", 1, 3)}${bad}`],
      [(n) => n.maxPool2d(n.image, { ...pool, kernel: bad }), `${whole("kernel", 1, 65535)}${bad}`],
      [
        (n) => n.avgPool2d(n.image, { ...average, stride: bad }),
        `${whole("stride", 1, 65535)}${bad}`,
      ],
      [
        (n) => n.linear(n.globalAvgPool2d(n.image), { name: "l", out: bad }),
        `add linear l: ${whole("out", 1)}${bad}`,
      ],
    ],
  );
  cases.push(
    [(n) => n.conv2d(n.image, { ...conv, padding: -1 }), `${sides("padding", 0)}-1`],
    [(n) => n.maxPool2d(n.image, { ...pool, padding: 0.5 }), `${whole("padding", 0, 1)}0.5`],
    [(n) => n.stage(-1), `begin a stage: ${whole("stage", 0)}-1`],
    [(n) => n.narrow(n.image, 4), `${whole("channels", 1, 3)}4`],
    [(n) => n.relu(0), "Cannot find value 0: wanted one that a layer has made, below 0"],
    [(n) => n.add(n.image, 0.5), "Cannot find value 0.5"],
  );
  for (const [build, message] of cases) {
    assertThrows(() => network({ channels: 3 }, build), RangeError, message);
  }
  for (const bad of [0, -3, 2.5, NaN]) {
    const found = `is a whole number from 1 on, found ${bad}`;
    assertThrows(() => network({ channels: bad }, () => {}), RangeError, `channels ${found}`);
    assertThrows(() => model("resnet8", { classes: bad }), RangeError, `linear fc: out ${found}`);
    assertThrows(() => model("resnet8", { classes: 2, channels: bad }), RangeError, found);
    const options = { block: "basic", stem: [4], reduce: false, classes: 2 } as const;
    const build = (depths: number[], widths: number[]) => resnet({ ...options, depths, widths });
    assertThrows(() => build([1, bad], [4, 4]), RangeError, `depth ${found}`);
    assertThrows(() => build([1, 1], [4, bad]), RangeError, `out ${found}`);
    assertThrows(() => build([1, 1], [4]), RangeError, "found 2 depths and 1 widths");
  }
});
