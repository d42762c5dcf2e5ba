// Kinds of layers: what each of them is held to, wherever it comes from.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { Random } from "../data/random.ts";
import { elements } from "../kernels/gpu/tensor.ts";
import { encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { adjoin, type AdjoinOptions, widthsOf } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs, extract } from "../nn/compress/adjoined_state.ts";
import { pruneByMagnitude } from "../nn/compress/prune.ts";
import { chosenWidths, widthGroups, type WidthOptions } from "../nn/compress/width_groups.ts";
import { uniformWidths } from "../nn/compress/width_uniform.ts";
import { count, sizesOf } from "../nn/count.ts";
import { KIND_NAMES, KINDS, type Layer } from "../nn/layers/mod.ts";
import type { LayerKind } from "../nn/layers/layer.ts";
import { channelsOf, type Network, network, type NetworkBuilder } from "../nn/network.ts";
import { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
import { model, type ModelOptions, resnet } from "../nn/families/mod.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { lacks } from "./permissions.ts";
import { checkpointOf, NETWORKS } from "./saved_networks.ts";

const image = { height: 8, width: 8 };

/** A network of a convolution, what `build` makes of it, and a classifier. */
function around(build: (n: NetworkBuilder, x: number) => number): Network {
  return network({ channels: 3 }, (n) => {
    const x = build(n, n.conv2d(n.image, { name: "first", out: 4, kernel: 3 }));
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
  });
}

Deno.test("every kind is in a network that is saved, exported and run in other tests", () => {
  const used = new Set(
    Object.values(NETWORKS).flatMap(({ layers }) => layers.map(({ kind }) => kind)),
  );
  assertEquals([...used].sort(), [...KIND_NAMES].sort());
  for (const [name, { kind }] of Object.entries<LayerKind>(KINDS)) assertEquals(kind, name);
});

Deno.test("the module for PyTorch knows every kind", { ignore: lacks("read") }, async () => {
  const path = new URL("../examples/pytorch/adjoin_model.py", import.meta.url);
  const known = (await Deno.readTextFile(path)).matchAll(/^ {4}"(\w+)": Kind\(/gm);
  assertEquals([...known].map(([, kind]) => kind).sort(), [...KIND_NAMES].sort());
});

Deno.test("parameters are counted as they are made, for every network", () => {
  for (const made of Object.values(NETWORKS)) {
    const sum = networkSpecs(made).parameters.reduce((all, { shape }) => all + elements(shape), 0);
    const found = count(made, { height: 29, width: 23 });
    assertEquals(found.params, sum);
    assertEquals(found.params, found.backboneParams + found.classifierParams);
  }
});

Deno.test("classifierParams are those of the last layer alone", () => {
  const made = network({ channels: 3 }, (n) => {
    const hidden = n.linear(n.globalAvgPool2d(n.image), { name: "hidden", out: 5 });
    n.linear(hidden, { name: "fc", out: 2 });
  });
  assertEquals(count(made, image), {
    params: 32,
    backboneParams: 20,
    classifierParams: 12,
    macs: 25,
  });
});

// What is given as options by users who write no types.
const options = (given: object) => given as never;

const REFUSED: readonly [string, (n: NetworkBuilder, x: number) => number, string][] = [
  [
    "an option that there is not",
    (n, x) => n.conv2d(x, options({ name: "c", out: 4, kernel: 3, group: 2 })),
    "Cannot add conv2d c: wanted only name, out, kernel, stride, dilation, padding, groups, bias, " +
    'stage, keptTaps, found "group"',
  ],
  [
    "options of a kind that has none",
    (n, x) => n.maxPool2d(x, options({ kernel: 2, stride: 2, padding: 0, note: "mine" })),
    'Cannot add maxPool2d: wanted only kernel, stride, padding, ceilMode, found "note"',
  ],
  [
    "inputs among the options",
    (n, x) => n.batchNorm(x, options({ name: "bn", inputs: [-1] })),
    'Cannot add batchNorm bn: wanted only name, zero, eps, found "inputs"',
  ],
  [
    "a kernel of too many taps",
    (n, x) => n.conv2d(x, { name: "c", out: 4, kernel: 9 }),
    "Cannot add conv2d c: kernel is a whole number from 1 to 8, or [height, width] of at most " +
    "64 taps, found 9",
  ],
  [
    "a name that is no text",
    (n, x) => n.conv2d(x, options({ name: 7, out: 4, kernel: 3 })),
    "Cannot add conv2d: name is a text that is not empty, found 7",
  ],
  [
    "a flag that is none",
    (n, x) => n.batchNorm(x, options({ name: "bn", zero: 1 })),
    "Cannot add batchNorm bn: zero is true or false, found 1",
  ],
  [
    "a linear layer on an image",
    (n, x) => n.linear(x, { name: "early", out: 4 }),
    "Cannot add linear early: wanted an input that globalAvgPool2d has made flat, found 0; put " +
    "globalAvgPool2d before it",
  ],
  [
    "a linear layer on the network's input",
    (n) => n.linear(n.image, { name: "early", out: 4 }),
    "Cannot add linear early: wanted an input that globalAvgPool2d has made flat",
  ],
  [
    "a convolution on a row of features",
    (n, x) =>
      n.conv2d(n.linear(n.globalAvgPool2d(x), { name: "middle", out: 4 }), {
        name: "late",
        out: 4,
        kernel: 1,
      }),
    "Cannot add conv2d late: wanted an input that is still an image, found 2",
  ],
  [
    "a second pooling",
    (n, x) => n.globalAvgPool2d(n.globalAvgPool2d(x)),
    "Cannot add globalAvgPool2d: wanted an input that is still an image",
  ],
  [
    "a sum of an image and a row",
    (n, x) => n.add(x, n.globalAvgPool2d(x)),
    "Cannot add add: wanted inputs that are all images or all flat",
  ],
  [
    "a concatenation of one value",
    (n, x) => n.concat([x]),
    "Cannot add concat: wanted two or more inputs from -1 to 0, found [0]",
  ],
];

for (const [what, build, message] of REFUSED) {
  Deno.test(`network() refuses ${what}`, () => {
    const { message: found } = assertThrows(() => around(build), Error);
    assertEquals(found.slice(0, message.length), message);
  });
}

Deno.test("a value of different sides is refused where the size of images is known", () => {
  const made = around((n, x) =>
    n.add(x, n.avgPool2d(x, { kernel: 1, stride: 2, ceilMode: false }))
  );
  const says =
    "Cannot run layer 2 (add) on images of 8x8: wanted inputs of equal sides, found 8x8 and 4x4";
  assertThrows(() => count(made, image), TypeError, says);
  const small = around((n, x) => n.maxPool2d(x, { kernel: 16, stride: 1, padding: 0 }));
  assertThrows(() => sizesOf(small, image), RangeError, "it leaves nothing of its input of 8x8");
  const padded = around((n, x) => n.conv2d(x, { name: "c", out: 1, kernel: 1, padding: 65_535 }));
  assertThrows(() => count(padded, image), RangeError, "wanted a value of less than 2^31 numbers");
});

Deno.test("a network made by hand is held to the same as one that is built", () => {
  const made = around((n, x) => n.relu(x));
  const change = (i: number, fields: object): Network => ({
    ...made,
    layers: made.layers.map((layer, k) => k === i ? { ...layer, ...fields } as Layer : layer),
  });
  const uses = [channelsOf, networkSpecs, encodeNetwork, (net: Network) => count(net, image)];
  for (const use of uses) {
    const refused = (net: Network, says: string) =>
      assertThrows(() => use(net), TypeError, `Cannot use the network: wanted layer ${says}`);
    refused(change(0, { mode: 2 }), "0 (conv2d first) to have only kind, inputs, in, name, out");
    refused(change(0, { stride: undefined }), "0 (conv2d first) to have stride, a whole number");
    refused(
      change(0, { in: 4 }),
      "0 (conv2d first) to have in, the 3 channels of its input, found 4",
    );
    refused(change(1, { kind: "mish" }), "1 (mish) to have a kind out of conv2d");
    refused(change(1, { kind: "constructor" }), "1 (constructor) to have a kind out of conv2d");
    refused(change(1, { inputs: [1] }), "1 (relu) to have 1 input from -1 to 0, found [1]");
    refused(change(3, { inputs: [1] }), "3 (linear fc) to have an input that globalAvgPool2d");
    refused(change(3, { name: "first" }), "3 (linear first) to have a name that no layer before");
  }
  assertEquals(channelsOf(change(0, { stage: 1 })), [4, 4, 4, 2]);
});

Deno.test("options that there are not, and choices that are none, are refused", () => {
  const net = model("resnet8", { classes: 2 });
  const cases: readonly [() => unknown, string][] = [
    [
      () => adjoin(net, options({ compression: 2, alpha: 2 })),
      "Cannot adjoin: wanted options out of compression, roundTo, trunk, maskFrom, maskingFactor, random, " +
      'widths, keptTaps, found "alpha"',
    ],
    [
      () => adjoin(net, options({ compression: 2, trunk: "nonsense" })),
      'Cannot adjoin: trunk is shared or separate, found "nonsense"',
    ],
    [
      () => widthGroups(net, options({ tie: "all" })),
      'Cannot search widths: tie is sums or stages, found "all"',
    ],
    [() => widthGroups(net, options({ divisor: [1, 2] })), 'scores, found "divisor"'],
    [() => model("resnet8", options({ classes: 2, stem: "big" })), 'authors or cifar, found "big"'],
    [
      () => model("resnet8", options({ classes: 2, variant: "timm" })),
      'Cannot build model resnet8: variant is xresnet or torchvision, found "timm"',
    ],
    [() => model("resnet8", { classes: 2, depth: 3 } as ModelOptions), 'dropPath, found "depth"'],
    [
      () =>
        resnet(
          options({
            block: "wide",
            depths: [1],
            widths: [4],
            stem: [4],
            reduce: false,
            classes: 2,
          }),
        ),
      'Cannot build a ResNet: block is basic or bottleneck, found "wide"',
    ],
    [() => network(options({ channels: 3, classes: 2 }), () => {}), 'channels, found "classes"'],
  ];
  for (const [make, says] of cases) assertThrows(make, Error, says);
});

const NAMES = ["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"];

Deno.test("layers may have the names that objects have of themselves", () => {
  const net = network({ channels: 3 }, (n) => {
    let x = n.image;
    for (const name of NAMES) x = n.conv2d(x, { name, out: 8, kernel: 1 });
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
  });
  const maskFrom = (): boolean => true;
  const whole = adjoin(net, { compression: 2, maskFrom });
  const widths = widthsOf(whole);
  const entries = Object.entries<unknown>(widths);
  assertEquals(entries, NAMES.map((name) => [name, 4]));
  assertEquals(adjoin(net, { compression: 1, maskFrom, widths }).small, whole.small);
  // As a file of widths gives it.
  const [own] = JSON.parse('[{"__proto__":3,"toString":5}]');
  const taken = widthsOf(adjoin(net, { compression: 1, maskFrom, widths: own }));
  assertEquals(Object.entries<unknown>(taken).flat(), [
    ...["constructor", 8, "toString", 5, "valueOf", 8, "hasOwnProperty", 8],
    ...["__proto__", 3],
  ]);
  const groups = widthGroups(net, { maskFrom });
  assertEquals(
    Object.entries<unknown>(chosenWidths(net, groups, NAMES.map(() => 1))),
    entries,
  );
  const uniform = uniformWidths(net, { maskFrom }, { budget: 0.5, budgeted: "params", image });
  assertEquals(Object.keys(uniform), NAMES);
  assertEquals(parseNetwork(encodeNetwork(whole.small)), whole.small);
  const state = initialize(networkSpecs(net), net, () => 1);
  const cut = extract(whole, state);
  assertEquals(cut.get("__proto__.weight")?.length, 16);
  const info = { ...checkpointOf(net), classes: ["a", "b"], image: [8, 8, 3] as const };
  const read = parseCheckpoint(encodeCheckpoint(whole.small, cut, info), "it");
  assertEquals(read.state, cut);
  assertEquals(pruneByMagnitude(whole, state).state.size, cut.size);
});

/** A concatenation in stage 1 of values of stage 0 and 1, and a convolution of stage 2. */
const joined = network({ channels: 3 }, (n) => {
  n.stage(0);
  const x = n.batchNorm(n.conv2d(n.image, { name: "stem", out: 5, kernel: 3 }), { name: "bn" });
  n.stage(1);
  const y = n.relu(n.concat([x, n.conv2d(x, { name: "more", out: 6, kernel: 1 })]));
  n.stage(2);
  const z = n.batchNorm(n.conv2d(y, { name: "late", out: 8, kernel: 3 }), { name: "late.bn" });
  n.linear(n.globalAvgPool2d(n.concat([z, n.maxPool2d(z, { kernel: 3, stride: 1, padding: 1 })])), {
    name: "fc",
    out: 2,
  });
});

/** Without the second concatenation. */
const joinedOnce = network({ channels: 3 }, (n) => {
  n.stage(1);
  const x = n.conv2d(n.image, { name: "stem", out: 5, kernel: 3 });
  const y = n.relu(n.concat([x, n.image]));
  n.stage(2);
  n.linear(n.globalAvgPool2d(n.conv2d(y, { name: "late", out: 8, kernel: 3 })), {
    name: "fc",
    out: 2,
  });
});

Deno.test("a concatenation counts the channels of all its inputs", () => {
  assertEquals(channelsOf(joined), [5, 5, 6, 11, 11, 8, 8, 8, 16, 16, 2]);
  const { macs, params } = count(joined, image);
  assertEquals(macs, 64 * (9 * 3 * 5 + 5 * 6 + 9 * 11 * 8) + 32);
  assertEquals(params, 9 * 3 * 5 + 5 * 6 + 9 * 11 * 8 + 32 + 2 + 2 * (5 + 8));
});

Deno.test("what is kept of a concatenation lies behind one another", () => {
  const masked: AdjoinOptions = { compression: 2 };
  const searched: WidthOptions = {};
  const pair = adjoin(joined, masked);
  assertEquals(channelsOf(pair.small), [5, 5, 6, 11, 11, 4, 4, 4, 8, 8, 2]);
  assertEquals(pair.kept[8].to, [0, 1, 2, 3, 8, 9, 10, 11]);
  assertEquals(pair.kept[10].from, [0, 1, 2, 3, 8, 9, 10, 11]);
  const twice = { whole: 0, parts: [{ group: 0, widths: [16, 8, 4] }] };
  assertEquals(widthGroups(joined, searched).extents[8], twice);
  const { small } = adjoin(joinedOnce, masked);
  assertEquals(channelsOf(small), [5, 8, 8, 4, 4, 2]);
  assertEquals(widthGroups(joinedOnce, searched).extents[3].parts[0].widths, [8, 4, 2]);
});

Deno.test("the small network of one with a concatenation is cut and pruned", () => {
  const pair = adjoin(joinedOnce, { compression: 2 });
  const random = new Random(3, "state");
  const specs = adjoinedSpecs(pair);
  const state = initialize(specs, pair.base, () => random.normal());
  const late = state.get("late.weight")!;
  const cut = extract(pair, state).get("late.weight")!;
  assertEquals(cut.length, 9 * 8 * 4);
  cut.forEach((w, i) => assertEquals(w, late[Math.floor(i / 4) * 8 + i % 4]));
  assertEquals(pruneByMagnitude(pair, state).state.get("late.weight")?.length, 9 * 8 * 4);
});

Deno.test("extraction leaves zeros at taps that are not kept, above the 32nd too", () => {
  const net = network({ channels: 2 }, (n) => {
    n.stage(2);
    const x = n.conv2d(n.image, { name: "wide", out: 3, kernel: 7 });
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
  });
  const kept = Array.from({ length: 49 }, (_, tap) => ![3, 31, 32, 40, 48].includes(tap));
  const pair = adjoin(net, { compression: 1, keptTaps: { wide: kept } });
  const state = initialize(networkSpecs(net), net, () => 1);
  const found = extract(pair, state).get("wide.weight")!;
  found.forEach((w, i) => assertEquals(w !== 0, kept[Math.floor(i / 6)], `${i}`));
  const { network: _, ...info } = checkpointOf(net);
  const saved = { ...info, classes: ["a", "b"], image: [8, 8, 2] as const };
  const normalization = { mean: [0, 0], std: [1, 1] };
  // The file of the small network has them too, whatever its weights are.
  const read = parseCheckpoint(
    encodeCheckpoint(pair.small, state, { ...saved, normalization }),
    "it",
  );
  assertEquals(read.state.get("wide.weight"), found);
});

Deno.test("what a file cannot have is not written", () => {
  const { network: net, state, ...info } = checkpointOf(NETWORKS["of bottlenecks, cut"]);
  const norm = [...state.keys()].find((name) => name.endsWith("running_var"))!;
  const other = { mean: [0], std: [1] };
  const says = (made: object, values: object, wanted: string): void => {
    const changed = new Map([...state, ...Object.entries<Float32Array>(options(values))]);
    assertThrows(
      () => encodeCheckpoint(net, changed, { ...info, ...made }),
      TypeError,
      `Cannot save the network: wanted ${wanted}`,
    );
  };
  says({ classes: ["a"] }, {}, "a network that tells 1 classes of images with 3 channels apart");
  says({ classes: [1] }, {}, "names as classes, found [1]");
  says({ image: [0, 2, 3] }, {}, "height, width and channels as image, found [0,2,3]");
  says({ image: [9, 9, 1], normalization: other }, {}, "a network that tells 4 classes");
  says({ normalization: other }, {}, "a number for each of 3 channels as mean, found [0]");
  says({ top1: 2 }, {}, "a fraction as top1, found 2");
  says(
    { which: "both" },
    {},
    'base, small or the name of one of several small networks as which, found "both"',
  );
  says({}, { "fc.bias": new Float32Array(4).fill(NaN) }, "numbers as fc.bias, found NaN");
  says({}, { "fc.bias": new Float32Array(3) }, "4 numbers as fc.bias, found 3");
  const negative = state.get(norm)!.map(() => -1);
  says({}, { [norm]: negative }, `variances from 0 on as ${norm}, found -1`);
});

Deno.test("a network in a file that cannot be built is refused with the file's name", () => {
  const { network: net, state, ...info } = checkpointOf(NETWORKS["of pools with gaps"]);
  const bytes = encodeCheckpoint(net, state, info);
  const text = new TextDecoder("latin1").decode(bytes);
  const layers = JSON.stringify(encodeNetwork(net)).slice(1, -1);
  const withNetwork = (json: string): Uint8Array => {
    const quoted = JSON.stringify(json).slice(1, -1);
    const [length] = new BigUint64Array(bytes.slice(0, 8).buffer);
    const header = text.slice(8, 8 + Number(length)).replace(layers, () => quoted);
    const encoded = Uint8Array.from(header, (c) => c.charCodeAt(0));
    const size = new Uint8Array(new BigUint64Array([BigInt(encoded.length)]).buffer);
    return new Uint8Array([...size, ...encoded, ...bytes.slice(8 + Number(length))]);
  };
  const fc = { kind: "linear", name: "fc", out: 4 };
  const pool = { kind: "globalAvgPool2d" };
  const shrink = { kind: "avgPool2d", kernel: 2, stride: 2, ceilMode: false };
  const broken: readonly [unknown, string][] = [
    [{ channels: 3, layers: [fc] }, "wanted layer 0 (linear fc) to have an input that global"],
    [{ channels: 3, layers: [shrink, { kind: "add", inputs: [-1, 0] }, pool, fc] }, "equal sides"],
    [{ channels: 3, layers: [...Array(9).fill(shrink), pool, fc] }, "leaves nothing of its input"],
    [{ channels: 3, layers: [pool, fc], extra: 1 }, 'only channels and layers, found "extra"'],
    [{ channels: 3, layers: [{ kind: "\u001b[31m" }] }, 'found "\\u001b[31m"'],
    [{
      channels: 3,
      layers: [{ kind: "maxPool2d", kernel: 2 ** 52, stride: 1, padding: 2 ** 51 }, pool, fc],
    }, "(maxPool2d)"],
  ];
  assertEquals(parseCheckpoint(withNetwork(encodeNetwork(net)), "it").network, net);
  for (const [json, says] of broken) {
    const read = () => parseCheckpoint(withNetwork(JSON.stringify(json)), "it.safetensors");
    const { message } = assertThrows(read, DataError, "it.safetensors");
    assert(message.includes(says), message);
  }
});
