// Activations, products, layer norms and layer scales as layers: what they refuse, cost, and leave
// of a small network.
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs } from "../nn/compress/adjoined_state.ts";
import { count, sizesOf } from "../nn/count.ts";
import { type Network, network, type NetworkBuilder } from "../nn/network.ts";
import { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { distancesOf } from "./graph_check.ts";

const image = { height: 9, width: 7 };

function around(build: (n: NetworkBuilder, x: number) => number): Network {
  return network({ channels: 3 }, (n) => {
    const x = build(n, n.conv2d(n.image, { name: "first", out: 8, kernel: 3 }));
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 3 });
  });
}

// What is given as options by users who write no types.
const options = (given: object) => given as never;

const REFUSED: readonly [(n: NetworkBuilder, x: number) => number, string][] = [
  [
    (n, x) => n.multiply(x, n.image),
    "Cannot add multiply: wanted inputs of equal channels, found [8,3]",
  ],
  [
    (n, x) => n.multiply(x, n.globalAvgPool2d(x)),
    "Cannot add multiply: wanted inputs that are all images or all flat",
  ],
  [
    (n, x) => n.leakyRelu(x, { slope: -0.1 }),
    "Cannot add leakyRelu: slope is a finite number from 0 on, found -0.1",
  ],
  [
    (n, x) => n.layerNorm(x, { name: "norm", eps: 0 }),
    "Cannot add layerNorm norm: eps is a finite number above 0, found 0",
  ],
  [
    (n, x) => n.scale(x, { name: "s", initial: Infinity }),
    "Cannot add scale s: initial is a finite number, found",
  ],
  [(n, x) => n.scale(x, options({})), "Cannot add scale: name is a text that is not empty"],
];

Deno.test("products of unlike values, and slopes and eps that are none, are refused", () => {
  for (const [build, says] of REFUSED) assertThrows(() => around(build), Error, says);
});

/** A block of ConvNeXt, and a gate of squeeze-and-excitation by the largest of each channel. */
const mixed = around((n, x) => {
  const normed = n.layerNorm(x, { name: "norm" });
  const wide = n.gelu(n.conv2d(normed, { name: "wide", out: 12, kernel: 1, stage: 1 }));
  const back = n.conv2d(wide, { name: "back", out: 8, kernel: 1, stage: 1 });
  x = n.add(x, n.scale(back, { name: "block", initial: 0.25 }));
  const pooled = n.maxPool2d(x, { kernel: 7, stride: 7, padding: 0 });
  const reduced = n.hardSwish(n.conv2d(pooled, { name: "reduced", out: 4, kernel: 1, stage: 1 }));
  const gate = n.conv2d(reduced, { name: "gate", out: 8, kernel: 1, stage: 1 });
  return n.multiply(n.silu(x), n.sigmoid(gate));
});

Deno.test("an image of one pixel is spread over the other factor, in either order", () => {
  const last = mixed.layers.findIndex(({ kind }) => kind === "multiply");
  assertEquals(sizesOf(mixed, image)[last], image);
  const turned = around((n, x) =>
    n.multiply(n.maxPool2d(x, { kernel: 7, stride: 7, padding: 0 }), x)
  );
  assertEquals(sizesOf(turned, image)[2], image);
  const says =
    "Cannot run layer 2 (multiply) on images of 16x9: wanted inputs of equal sides, or " +
    "of one pixel, found 2x1 and 16x9";
  assertThrows(() => sizesOf(turned, { height: 16, width: 9 }), TypeError, says);
  const sum = around((n, x) => n.add(n.maxPool2d(x, { kernel: 7, stride: 7, padding: 0 }), x));
  assertThrows(() => sizesOf(sum, image), TypeError, "equal sides, found 1x1 and 9x7");
});

Deno.test("layer norms have two parameters a channel, layer scales one that starts as told", () => {
  const without = around((n, x) => n.relu(x));
  const normed = around((n, x) => n.layerNorm(x, { name: "norm" }));
  const scaled = around((n, x) => n.scale(x, { name: "block" }));
  const [plain, two, one] = [without, normed, scaled].map((net) => count(net, image));
  assertEquals([two.params - plain.params, one.params - plain.params], [16, 8]);
  assertEquals([two.macs, one.macs], [plain.macs, plain.macs]);
  const first = (net: Network, name: string): number[] => [
    ...new Set(initialize(networkSpecs(net), net, () => 0).get(name)),
  ];
  assertEquals(first(mixed, "block.gamma"), [0.25]);
  assertEquals(first(scaled, "block.gamma"), [Math.fround(1e-6)]);
  assertEquals([first(mixed, "norm.weight"), first(mixed, "norm.bias")], [[1], [0]]);
});

Deno.test("files say of these layers what does not follow, and read it again", () => {
  const net = around((n, x) => {
    const y = n.leakyRelu(n.leakyRelu(x), { slope: 0.2 });
    return n.layerNorm(n.scale(n.layerNorm(y, { name: "a" }), { name: "s" }), {
      name: "b",
      eps: 0.5,
    });
  });
  const text = encodeNetwork(net);
  assertEquals(parseNetwork(text), net);
  for (const part of ['{"kind":"leakyRelu"}', '{"kind":"leakyRelu","slope":0.2}']) {
    assert(text.includes(part), text);
  }
  assert(text.includes('{"kind":"layerNorm","name":"a"}'), text);
  assert(text.includes('{"kind":"layerNorm","name":"b","eps":0.5}'), text);
});

Deno.test("a block of ConvNeXt and a gate are cut as they are measured, with right gradients", async () => {
  const filters = { first: [1, 2, 4, 7], back: [1, 2, 4, 7], gate: [1, 2, 4, 7] };
  const gpu = await Gpu.open();
  for (
    const pair of [
      adjoin(mixed, { compression: 2, maskFrom: () => true }),
      adjoin(mixed, {
        compression: 1,
        maskFrom: () => true,
        widths: { ...filters, wide: [0, 5, 11] },
      }),
    ]
  ) {
    const own = adjoinedSpecs(pair).parameters.map(({ name }) => name).filter((name) =>
      /\bnorm\./.test(name)
    );
    assertEquals(own.length, 4, "a layer norm for each network");
    const { extracted, logits, slope } = await distancesOf(gpu, pair, 5);
    assert(extracted < 1e-5 && logits < 1e-4, `${extracted}, ${logits}`);
    assertAlmostEquals(slope, 0, 1e-3);
  }
  gpu.destroy();
});
