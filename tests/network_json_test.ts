import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { network } from "../nn/network.ts";
import { encodeNetwork, parseNetwork } from "../nn/network_json.ts";
import { model, MODEL_NAMES } from "../nn/families/mod.ts";
import { NETWORKS } from "./saved_networks.ts";

for (const [what, made] of Object.entries(NETWORKS)) {
  Deno.test(`a network ${what} is the same after JSON`, () => {
    assertEquals(parseNetwork(encodeNetwork(made)), made);
  });
}

Deno.test("every model is the same after JSON, of less than 70 bytes for a layer", () => {
  for (const name of MODEL_NAMES) {
    const made = model(name, { classes: 10 });
    const text = encodeNetwork(made);
    assertEquals(parseNetwork(text), made);
    assert(text.length < 70 * made.layers.length, `${name}: ${text.length}`);
  }
});

Deno.test("what follows from the rest is left out", () => {
  const made = network({ channels: 1 }, (n) => {
    const x = n.conv2d(n.image, { name: "a", out: 2, kernel: 3 });
    const y = n.conv2d(x, { name: "b", out: 2, kernel: 3, stride: 2, padding: 0 });
    n.relu(n.batchNorm(y, { name: "c", zero: true }));
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 3 });
  });
  assertEquals(JSON.parse(encodeNetwork(made)).layers, [
    { kind: "conv2d", name: "a", out: 2, kernel: 3 },
    { kind: "conv2d", name: "b", out: 2, kernel: 3, stride: 2, padding: 0 },
    { kind: "batchNorm", name: "c", zero: true },
    { kind: "relu" },
    { kind: "globalAvgPool2d", inputs: [0] },
    { kind: "linear", name: "fc", out: 3 },
  ]);
});

const conv = { kind: "conv2d", name: "conv1", out: 4, kernel: 3 };
const pool = { kind: "globalAvgPool2d" };
const fc = { kind: "linear", name: "fc", out: 2 };

const BROKEN: readonly (readonly [unknown, string])[] = [
  [
    [conv, { kind: "relu" }],
    "the last layer gives the logits and has to be linear or globalAvgPool2d, found relu",
  ],
  [
    [conv, { ...pool, keepImage: true }],
    "linear or globalAvgPool2d, found globalAvgPool2d that keeps an image",
  ],
  [[], "has to be linear or globalAvgPool2d, found no layer"],
  [[7, pool, fc], "wanted layer 0 to have a kind out of conv2d, batchNorm,"],
  [[{ kind: "mish" }, pool, fc], 'found "mish"'],
  [[{ kind: "toString" }], 'found "toString"'],
  [
    [{ ...conv, kernel: 0 }, pool, fc],
    "(conv2d conv1) to have kernel, a whole number from 1 to 8, or [height, width] of at most 64 " +
    "taps, found 0",
  ],
  [[{ ...conv, out: "4" }, pool, fc], 'to have out, a whole number from 1 on, found "4"'],
  [[{ ...conv, out: undefined }, pool, fc], "a whole number from 1 on, found none"],
  [
    [{ ...conv, stride: 1.5 }, pool, fc],
    "stride, a whole number from 1 to 65535, or [height, width], found 1.5",
  ],
  [
    [{ ...conv, padding: -1 }, pool, fc],
    "padding, a whole number from 0 to 65535, or [height, width], found -1",
  ],
  [[{ ...conv, stage: true }, pool, fc], "stage, a whole number from 0 on, found true"],
  [[{ ...conv, keptTaps: "10" }, pool, fc], 'keptTaps, 9 ones and zeros, found "10"'],
  [[{ ...conv, mode: 2 }, pool, fc], "to have only kind, inputs, name, out"],
  [[{ ...conv, name: "" }, pool, fc], '(conv2d) to have name, a text that is not empty, found ""'],
  [[conv, { ...conv, out: 2 }, pool, fc], "layer 1 (conv2d conv1) to have a name that no layer"],
  [[{ ...conv, inputs: [0] }, pool, fc], "to have 1 input from -1 to -1, found [0]"],
  [[conv, { kind: "relu", inputs: [-2] }, pool, fc], "1 input from -1 to 0, found [-2]"],
  [[conv, { kind: "add", inputs: [0] }, pool, fc], "2 inputs from -1 to 0, found [0]"],
  [[conv, { kind: "add" }, pool, fc], "2 inputs from -1 to 0, found none"],
  [[conv, { kind: "add", inputs: [-1, 0] }, pool, fc], "inputs of equal channels, found [3,4]"],
  [[conv, pool, { kind: "add", inputs: [0, 1] }, fc], "inputs that are all images or all flat"],
  [[conv, { kind: "narrow", channels: 5 }, pool, fc], "channels, a whole number from 1 to 4"],
  [[{ kind: "maxPool2d", kernel: 2, stride: 2, padding: 2 }, pool, fc], "from 0 to 1, found 2"],
  [[{ kind: "avgPool2d", kernel: 2, stride: 2, ceilMode: 1 }, pool, fc], "ceilMode, true or false"],
  [
    [{ kind: "avgPool2d", kernel: 3, stride: 1, ceilMode: true, padding: 2 }, pool, fc],
    "padding, a whole number from 0 to 1, found 2",
  ],
  [[conv, { kind: "dropout", rate: 1 }, pool, fc], "rate, a number from 0 to below 1, found 1"],
  [[conv, { kind: "dropPath" }, pool, fc], "rate, a number from 0 to below 1, found none"],
  [
    [conv, { kind: "channelShuffle", groups: 3 }, pool, fc],
    "groups, a whole number that divides its 4 channels, found 3",
  ],
  [[conv, { kind: "upsample2d", factor: 0 }, pool, fc], "factor, a whole number from 1 to 64"],
  [[conv, { kind: "batchNorm", name: "bn", eps: 0 }, pool, fc], "eps, a finite number above 0"],
  [[conv, fc], "an input that globalAvgPool2d has made flat"],
  [[pool, conv, pool, fc], "layer 1 (conv2d conv1) to have an input that is still an image"],
];

Deno.test("a network that is none is refused, with the layer that is wrong", () => {
  const parse = (value: unknown) => () => parseNetwork(JSON.stringify(value), "it");
  assertEquals(parseNetwork(JSON.stringify({ channels: 3, layers: [conv, pool, fc] })).channels, 3);
  for (const [layers, says] of BROKEN) {
    const { message } = assertThrows(parse({ channels: 3, layers }), TypeError);
    assert(message.startsWith("Cannot read it: "), message);
    assertStringIncludes(message, says);
    assertEquals(message.split("\n").length, 1);
  }
  for (const other of [null, 7, [], { layers: [] }, { channels: 0, layers: [] }, { channels: 3 }]) {
    assertThrows(parse(other), TypeError, "Cannot read it: wanted channels, a whole number");
  }
  assertThrows(() => parseNetwork("{"), TypeError, "Cannot read the network: wanted JSON, found {");
});
