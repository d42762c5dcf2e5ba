// What is not read of ONNX is refused, with the node and the reason.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { Random } from "../data/random.ts";
import { readOnnx } from "../export/onnx_read/read_onnx.ts";
import { type AttributeValue, GraphFile, raw } from "./onnx_graph_file.ts";

/** The message for a file that is refused. */
function refused(bytes: Uint8Array): string {
  return assertThrows(() => readOnnx(bytes, "net.onnx"), DataError).message;
}

/** The message for a graph up to an image of four channels. */
function refusal(graph: (g: GraphFile) => string, sizes?: readonly (number | string)[]): string {
  const g = new GraphFile(sizes);
  return refused(g.bytes(g.classifier(graph(g), 4)));
}

const FILTERS = [4, 3, 3, 3];

/** A node called "it" on the value of a convolution. */
function onImage(
  op: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  more: (g: GraphFile) => readonly string[] = () => [],
): (g: GraphFile) => string {
  return (g) => g.node(op, [g.conv(g.image, "a", FILTERS), ...more(g)], attributes, { name: "it" });
}

function conv(dims: readonly number[], attributes: Readonly<Record<string, AttributeValue>> = {}) {
  return (g: GraphFile): string =>
    g.node("Conv", [g.image, g.weights("w", dims)], attributes, { name: "it" });
}

/** Graphs with a node called "it", and why it is refused. */
const REFUSED: readonly (readonly [(g: GraphFile) => string, string])[] = [
  [
    onImage("Einsum"),
    "Einsum is no operator that is read, as Add, AveragePool, BatchNormalization",
  ],
  [onImage("Relu", { fast: 1 }), "has an attribute fast that is not read"],
  [conv(FILTERS, { pads: [0, 0, 1, 1] }), "wanted as much padding on either side, found 0 above"],
  [
    conv(FILTERS, { auto_pad: "SAME_UPPER", strides: [2, 2] }),
    "found 1 above and 1 below, 0 at the",
  ],
  [conv(FILTERS, { auto_pad: "ALL" }), "wanted NOTSET, VALID, SAME_UPPER or SAME_LOWER"],
  [conv(FILTERS, { pads: [0, 0] }), "wanted four numbers from 0 on as its pads, found 0, 0"],
  [conv(FILTERS, { pads: [-1, 0, -1, 0] }), "wanted four numbers from 0 on as its pads"],
  [conv(FILTERS, { strides: [0, 1] }), "wanted two numbers from 1 on as its strides, found 0, 1"],
  [conv(FILTERS, { strides: 2 }), "wanted whole numbers as its attribute strides, found another"],
  [conv(FILTERS, { kernel_shape: [3, 1] }), "wanted weights of 3x1 taps, found 3x3"],
  [conv([4, 2, 3, 3]), "wanted weights for 3 channels in 1 groups, found 4x2x3x3"],
  [conv([4, 1, 3, 3], { group: 3 }), "wanted weights for 3 channels in 3 groups, found 4x1x3x3"],
  [conv([4, 3, 3]), "wanted weights of filters x channels x height x width, found 4x3x3"],
  [conv([4, 3, 10, 3]), "wanted an image of a window or more, found 9 x 8 pixels"],
  [conv([4, 3, 9, 8]), "kernel"],
  [onImage("Clip"), "wanted bounds of 0 and 6, found -Infinity and Infinity"],
  [onImage("HardSigmoid"), "wanted 1/6 as its alpha and 1/2 as its beta, found 0.2 and 0.5"],
  [onImage("Gelu", { approximate: "tanh" }), "wanted none as its approximate, found tanh"],
  [onImage("Cast", { to: 10 }), "wanted float32 all the way, found a Cast to another type"],
  [
    onImage("MaxPool", { kernel_shape: [2, 3] }),
    "wanted square windows, found 2x3 with strides 1 and 1",
  ],
  [onImage("MaxPool", { kernel_shape: [2, 2], dilations: [2, 2] }), "wanted 1 as its dilations"],
  [onImage("MaxPool"), "wanted a kernel_shape, found none"],
  [
    onImage("AveragePool", { kernel_shape: [2, 2], pads: [1, 1, 0, 0] }),
    "wanted symmetric padding, found 1, 1, 0, 0",
  ],
  [
    onImage("ReduceMean", { axes: [1] }),
    "wanted the mean over height and width, found that over c",
  ],
  [onImage("Transpose", { perm: [1, 0, 2, 3] }), "wanted channels put behind height and width"],
  [onImage("Reshape", {}, (g) => [g.wholes([0, 2, -1])]), "wanted a reshape to rows"],
  [onImage("Reshape", {}, (g) => [g.wholes([4, -1])]), "leaves the number of images, found one of"],
  [onImage("Unsqueeze", {}, (g) => [g.wholes([0])]), "wanted a height and a width for rows"],
  [onImage("Squeeze", {}, (g) => [g.wholes([2])]), "wanted height and width of a single pixel"],
  [
    onImage("Pad", { mode: "reflect" }, (g) => [g.wholes([0, 0, 1, 1, 0, 0, 1, 1])]),
    "wanted zeros, found reflect",
  ],
  [
    onImage("Pad", {}, (g) => [g.wholes([0, 1, 0, 0, 0, 0, 0, 0])]),
    "wanted zeros around height and width",
  ],
  [
    onImage("Slice", {}, (g) => [g.wholes([1]), g.wholes([3]), g.wholes([2])]),
    "wanted an axis of channels, found axis 2 of batch x 4 x 7 x 6",
  ],
  [onImage("Concat", { axis: 2 }, (g) => [g.image]), "wanted an axis of channels, found axis 2"],
  [
    onImage("Concat", { axis: 1 }, (g) => [g.image]),
    "wanted inputs of equal sides, found batch x 4",
  ],
  [
    onImage("Add", {}, (g) => [g.image]),
    "wanted inputs of equal sizes, found batch x 4 x 7 x 6 and",
  ],
  [
    onImage("Add", {}, (g) => [g.weights("c", [6])]),
    "wanted a sum with a number for each of 4 channels, found 6",
  ],
  [onImage("Sub", {}, (g) => [g.number(1)]), "wanted a constant here only as the normalisation"],
  [onImage("Mul", {}, (g) => [g.weights("c", [4, 7, 6])]), "with a number for each of 4 channels"],
  [
    onImage("Resize", { mode: "linear" }, (g) => [
      "",
      g.weights("scales", [4], { data: Float32Array.of(1, 1, 2, 2) }),
    ]),
    "wanted nearest as its mode, found linear",
  ],
  [
    onImage("Resize", { mode: "nearest" }, (g) => [
      "",
      g.weights("scales", [4], { data: Float32Array.of(1, 1, 1.5, 1.5) }),
    ]),
    "wanted a whole enlargement, the same of height and width, found 1.5 and 1.5",
  ],
  [
    onImage("LayerNormalization", { axis: 1 }, (g) => [g.weights("s", [4])]),
    "wanted a norm over the channels alone",
  ],
  [
    onImage(
      "BatchNormalization",
      { training_mode: 1 },
      (g) => Array.from("abcd", (name) => g.weights(`n.${name}`, [4])),
    ),
    "wanted a model for evaluation, found one for training",
  ],
  [
    onImage(
      "BatchNormalization",
      {},
      (g) => Array.from("abcd", (name) => g.weights(`n.${name}`, [5])),
    ),
    "wanted 4 numbers as input 2, found 5",
  ],
  [
    (g) => {
      const scaled = g.conv(g.node("Div", [g.image, g.number(255)]), "a", FILTERS);
      const other = g.node("Conv", [g.image, g.weights("b", FILTERS)], {}, { name: "it" });
      return g.node("Add", [scaled, other]);
    },
    "wanted the image as other nodes take it, found another scale of it",
  ],
  [
    (g) => {
      const padded = g.node("Pad", [g.image, g.wholes([0, 0, 1, 1, 0, 0, 1, 1])]);
      return g.node("MaxPool", [padded], { kernel_shape: [2, 2] }, { name: "it" });
    },
    "wanted a Conv after a Pad, found this",
  ],
];

Deno.test("what is not read is refused by its node, with the reason", () => {
  for (const [graph, reason] of REFUSED) {
    const message = refusal(graph);
    assert(/^Cannot read net\.onnx: node it \(\w+\): /.test(message), message);
    assert(message.includes(reason), `${message}\nwanted ${reason}`);
    assert(!message.includes("\n"), message);
  }
});

Deno.test("an operator of another domain, or on constants alone, is refused", () => {
  const other = refusal((g) =>
    g.node("Relu", [g.conv(g.image, "a", FILTERS)], {}, { name: "it", domain: "com.microsoft" })
  );
  assert(
    other.includes("node it (Relu): wanted an operator of ONNX itself, found one of com"),
    other,
  );
  const constant = refusal((g) => {
    const sum = g.node("Relu", [g.weights("c", [4, 1, 1])], {}, { name: "it" });
    return g.node("Mul", [g.conv(g.image, "a", FILTERS), sum]);
  });
  assert(constant.includes("node it (Relu): wanted an input that depends on the image"), constant);
});

/** A file whose graph is changed before it is written. */
function changed(change: (g: GraphFile) => void, sizes?: readonly (number | string)[]): string {
  const g = new GraphFile(sizes);
  const output = g.classifier(g.conv(g.image, "a", FILTERS), 4);
  change(g);
  return refused(g.bytes(output));
}

Deno.test("tensors of other types, sizes or places are refused by name", () => {
  const with_ = (tensor: object) =>
    changed((g) => Object.assign(g.initializers[0], { ...tensor, name: "a.weight" }));
  const bytes = raw(new Float32Array(4 * 27));
  const reasons: readonly (readonly [object, string])[] = [
    [{ dataType: 10 }, "wanted float32, int32 or int64, found float16"],
    [{ dataType: 11 }, "found float64"],
    [{ dataType: 99 }, "found type 99"],
    [{ dims: [4, 3, 3, 4] }, "wanted 576 bytes for 4x3x3x4, found 432"],
    [{ dims: [2 ** 40, 2 ** 40] }, "found 432"],
    [{ dims: [-1, 3] }, "wanted sizes from 0 on, found -1x3"],
    [{ rawData: bytes.subarray(1) }, "found 431"],
    [{ rawData: new Uint8Array() }, "wanted 108 numbers for 4x3x3x3, found 0"],
    [{ dataLocation: 1 }, "wanted its numbers in the file, found them in another one"],
  ];
  for (const [tensor, reason] of reasons) {
    const message = with_(tensor);
    assert(message.includes("node a_node (Conv): initializer a.weight: "), message);
    assert(message.includes(reason), `${message}\nwanted ${reason}`);
  }
});

Deno.test("graphs that are none are refused", () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      changed((g) => Object.assign(g.nodes[0], { input: ["Flatten_1_out", "a.weight"] })),
      "node a_node (Conv) reads Flatten_1_out, which nothing before it makes",
    ],
    [
      changed((g) => Object.assign(g.nodes[0], { input: ["image", "b.weight"] })),
      "node a_node (Conv) reads b.weight, which nothing before it makes",
    ],
    [
      changed((g) => Object.assign(g.nodes[1], { output: ["a_node_out"] })),
      "makes a_node_out, a name that is taken before it",
    ],
    [changed((g) => g.initializers.push(g.initializers[0])), "has two initializers named a.weight"],
    [changed(() => {}, ["batch", 3, "height", 8]), "wanted an input with a height and a width"],
    [changed(() => {}, ["batch", 3, 2 ** 40, 8]), "wanted images of less than 65536 channels"],
    [
      changed(() => {}, [1, 3, 8]),
      "wanted an input of [batch, channels, height, width], found [1,",
    ],
    [changed(() => {}, ["batch", "any", 9, 8]), "found [any, any, 9, 8] in image"],
  ];
  for (const [message, reason] of cases) {
    assert(message.startsWith("Cannot read net.onnx: "), message);
    assert(message.includes(reason), `${message}\nwanted ${reason}`);
  }
});

Deno.test("other operator sets, and models without one input and one output, are refused", () => {
  const g = new GraphFile();
  const output = g.classifier(g.conv(g.image, "a", FILTERS), 4);
  const of = (change: object): string => refused(g.bytes(output, { change }));
  const set = "wanted an operator set from 11 to 21, found";
  assert(of({ opsetImport: [{ domain: "", version: 10 }] }).includes(`${set} 10`));
  assert(of({ opsetImport: [{ domain: "", version: 22 }] }).includes(`${set} 22`));
  assert(of({ opsetImport: [{ domain: "ai.onnx.ml", version: 17 }] }).includes(`${set} none`));
  assert(of({ graph: undefined }).includes("found one without a graph"));
  const { graph } = { graph: { node: [], initializer: [], input: [], output: [] } };
  assert(of({ graph }).includes("wanted one input, found none"));
  assert(refused(g.bytes(output, { elements: 10 })).includes("of float32, found float16 in image"));
});

Deno.test("bytes that are no model are refused", () => {
  const g = new GraphFile();
  const bytes = g.bytes(g.classifier(g.conv(g.image, "a", FILTERS), 4));
  for (let end = 0; end < bytes.length; end += 7) {
    assert(refused(bytes.subarray(0, end)).startsWith("Cannot read net.onnx: "));
  }
  refused(new TextEncoder().encode("not a model"));
  const random = new Random(3, "bytes");
  for (let i = 0; i < 300; i++) {
    const other = bytes.slice();
    other[random.integer(other.length)] ^= 1 << random.integer(8);
    try {
      readOnnx(other, "net.onnx");
    } catch (error) {
      assert(error instanceof DataError, `${error}`);
    }
  }
});

Deno.test("values that are too large are refused before they are made", () => {
  const message = refusal((g) => {
    let x = g.conv(g.image, "a", FILTERS);
    for (let i = 0; i < 60; i++) x = g.node("Concat", [x, x], { axis: 1 });
    return x;
  });
  assert(message.includes("wanted less than 2^31 numbers for an image, found batch x"), message);
});

Deno.test("a long chain of nodes is read", () => {
  const g = new GraphFile();
  let x = g.conv(g.image, "a", FILTERS);
  for (let i = 0; i < 5000; i++) x = g.node("Identity", [x]);
  assertEquals(readOnnx(g.bytes(g.classifier(x, 4)), "it").network.layers.length, 3);
});
