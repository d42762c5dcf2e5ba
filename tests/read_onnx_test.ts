// Operators of ONNX, one after the other: read as layers, they give what onnxruntime gives.
import { assert, assertEquals } from "@std/assert";
import { GraphFile } from "./onnx_graph_file.ts";
import { compared } from "./onnx_parity.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read");

/** A graph up to an image of four channels, and the layers that are to be made of it. */
interface Case {
  /** Makes the image. */
  readonly graph: (g: GraphFile) => string;
  /** Kinds of layers, but for the classifier behind them. */
  readonly kinds: readonly string[];
  /** Channels of the image. Default: 4. */
  readonly channels?: number;
  /** Operator sets. Default: 11, 17 and 21 where the graph is the same. */
  readonly opsets?: readonly number[];
  readonly sizes?: readonly (number | string)[];
}

const FILTERS = [4, 3, 3, 3];

/** A convolution, and an operator on its value. */
function after(
  op: string,
  attributes: Parameters<GraphFile["node"]>[2] = {},
  more: (g: GraphFile) => readonly string[] = () => [],
): (g: GraphFile) => string {
  return (g) => g.node(op, [g.conv(g.image, "a", FILTERS), ...more(g)], attributes);
}

const float = (value: number) => ({ float: value });

/** `(x - mean) / √(variance + eps)` over an axis, times weights and plus others. */
function layerNorm(
  g: GraphFile,
  x: string,
  axes: readonly number[],
  dims: readonly number[],
): string {
  const centred = g.node("Sub", [x, g.node("ReduceMean", [x], { axes })]);
  const square = g.node("Pow", [centred, g.number(2)]);
  const variance = g.node("ReduceMean", [square], { axes });
  const root = g.node("Sqrt", [g.node("Add", [variance, g.number(1e-6)])]);
  const scaled = g.node("Mul", [g.node("Div", [centred, root]), g.weights("ln.weight", dims)]);
  return g.node("Add", [scaled, g.weights("ln.bias", dims)]);
}

function gelu(g: GraphFile, x: string): string {
  const erf = g.node("Erf", [g.node("Div", [x, g.number(Math.SQRT2)])]);
  const sum = g.node("Add", [erf, g.number(1)]);
  return g.node("Mul", [g.node("Mul", [x, sum]), g.number(0.5)]);
}

const CASES: Readonly<Record<string, Case>> = {
  "Conv with strides, pads and a bias": {
    graph: (g) =>
      g.conv(g.image, "a", FILTERS, { strides: [2, 2], pads: [1, 1, 1, 1] }, { bias: true }),
    kinds: ["conv2d"],
  },
  "Conv of rectangles, with strides and pads of two sizes": {
    graph: (g) => g.conv(g.image, "a", [4, 3, 1, 5], { strides: [1, 2], pads: [0, 2, 0, 2] }),
    kinds: ["conv2d"],
  },
  "Conv with dilations": {
    graph: (g) => g.conv(g.image, "a", FILTERS, { dilations: [2, 1], pads: [2, 1, 2, 1] }),
    kinds: ["conv2d"],
  },
  "Conv in groups, and of each channel by itself": {
    graph: (g) => {
      const x = g.conv(g.image, "a", [6, 3, 1, 1]);
      const y = g.conv(x, "b", [4, 3, 3, 3], { group: 2, pads: [1, 1, 1, 1] });
      return g.conv(y, "c", [4, 1, 3, 3], { group: 4, kernel_shape: [3, 3] });
    },
    kinds: ["conv2d", "conv2d", "conv2d"],
  },
  "Conv with auto_pad, as long as that is symmetric": {
    graph: (g) => {
      const x = g.conv(g.image, "a", FILTERS, { auto_pad: "SAME_UPPER" });
      return g.conv(x, "b", [4, 4, 3, 3], { auto_pad: "VALID", strides: [2, 2] });
    },
    kinds: ["conv2d", "conv2d"],
  },
  "Conv, and a bias added after it": {
    graph: (g) => g.node("Add", [g.conv(g.image, "a", FILTERS), g.weights("b", [1, 4, 1, 1])]),
    kinds: ["conv2d"],
  },
  "Pad before Conv": {
    graph: (g) => {
      const padded = g.node("Pad", [g.image, g.wholes([0, 0, 1, 2, 0, 0, 1, 2])]);
      return g.conv(padded, "a", FILTERS, { pads: [1, 0, 1, 0] });
    },
    kinds: ["conv2d"],
  },
  "Pad by nothing": {
    graph: (g) => g.conv(g.node("Pad", [g.image, g.wholes(Array(8).fill(0))]), "a", FILTERS),
    kinds: ["conv2d"],
  },
  "BatchNormalization": {
    graph: (g) => g.norm(g.conv(g.image, "a", FILTERS), "n", 4, 1e-3),
    kinds: ["conv2d", "batchNorm"],
  },
  "Relu": { graph: after("Relu"), kinds: ["conv2d", "relu"] },
  "Clip from 0 to 6": {
    graph: after("Clip", {}, (g) => [g.number(0), g.number(6)]),
    kinds: ["conv2d", "relu6"],
  },
  "LeakyRelu": { graph: after("LeakyRelu", { alpha: float(0.2) }), kinds: ["conv2d", "leakyRelu"] },
  "Sigmoid": { graph: after("Sigmoid"), kinds: ["conv2d", "sigmoid"] },
  "HardSigmoid": {
    graph: after("HardSigmoid", { alpha: float(1 / 6) }),
    kinds: ["conv2d", "hardSigmoid"],
  },
  "HardSigmoid, written out": {
    graph: (g) => {
      const x = g.conv(g.image, "a", FILTERS);
      const sum = g.node("Add", [x, g.number(3)]);
      return g.node("Div", [g.node("Clip", [sum, g.number(0), g.number(6)]), g.number(6)]);
    },
    kinds: ["conv2d", "hardSigmoid"],
  },
  "HardSwish": { graph: after("HardSwish"), kinds: ["conv2d", "hardSwish"], opsets: [14, 21] },
  "HardSwish as a product": {
    graph: (g) => {
      const x = g.conv(g.image, "a", FILTERS);
      return g.node("Mul", [x, g.node("HardSigmoid", [x], { alpha: float(1 / 6) })]);
    },
    kinds: ["conv2d", "hardSwish"],
  },
  "HardSwish, written out": {
    graph: (g) => {
      const x = g.conv(g.image, "a", FILTERS);
      const clip = g.node("Clip", [g.node("Add", [g.number(3), x]), g.number(0), g.number(6)]);
      return g.node("Div", [g.node("Mul", [x, clip]), g.number(6)]);
    },
    kinds: ["conv2d", "hardSwish"],
  },
  "Sigmoid and Mul": {
    graph: (g) => {
      const x = g.conv(g.image, "a", FILTERS);
      return g.node("Mul", [g.node("Sigmoid", [x]), x]);
    },
    kinds: ["conv2d", "silu"],
  },
  "Erf within a Gelu": {
    graph: (g) => gelu(g, g.conv(g.image, "a", FILTERS)),
    kinds: ["conv2d", "gelu"],
  },
  "Gelu": { graph: after("Gelu"), kinds: ["conv2d", "gelu"], opsets: [20] },
  "Add": {
    graph: (g) => g.node("Add", [g.conv(g.image, "a", FILTERS), g.conv(g.image, "b", FILTERS)]),
    kinds: ["conv2d", "conv2d", "add"],
  },
  "Mul with one number for each channel of each image": {
    graph: (g) => {
      const x = g.conv(g.image, "a", FILTERS);
      const gate = g.conv(g.node("GlobalAveragePool", [x]), "b", [4, 4, 1, 1]);
      return g.node("Mul", [g.node("Sigmoid", [gate]), x]);
    },
    kinds: ["conv2d", "globalAvgPool2d", "conv2d", "sigmoid", "multiply"],
  },
  "Mul with rows that become an image": {
    graph: (g) => {
      const x = g.conv(g.image, "a", FILTERS);
      const rows = g.node("Flatten", [g.node("GlobalAveragePool", [x])]);
      const gate = g.node("Sigmoid", [g.linear(rows, "b", 4, 4)]);
      return g.node("Mul", [x, g.node("Reshape", [gate, g.wholes([0, 4, 1, 1])])]);
    },
    kinds: ["conv2d", "globalAvgPool2d", "conv2d", "sigmoid", "multiply"],
  },
  "Mul with a constant": {
    graph: after("Mul", {}, (g) => [g.weights("block.gamma", [4, 1, 1])]),
    kinds: ["conv2d", "scale"],
  },
  "Concat": {
    graph: (g) => g.node("Concat", [g.image, g.conv(g.image, "a", [1, 3, 1, 1])], { axis: 1 }),
    kinds: ["conv2d", "concat"],
  },
  "MaxPool": {
    graph: after("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
    kinds: ["conv2d", "maxPool2d"],
  },
  "MaxPool that hangs over": {
    graph: (g) =>
      g.node("MaxPool", [g.image], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    kinds: ["maxPool2d"],
    channels: 3,
  },
  "AveragePool whose padding counts, or not": {
    graph: (g) => {
      const window = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] };
      const x = g.node("AveragePool", [g.image], { ...window, count_include_pad: 1 });
      return g.node("AveragePool", [x], window);
    },
    kinds: ["avgPool2d", "avgPool2d"],
    channels: 3,
  },
  "AveragePool with more padding on one side": {
    graph: (g) =>
      g.node("AveragePool", [g.image], {
        kernel_shape: [2, 2],
        strides: [2, 2],
        pads: [0, 0, 1, 0],
      }),
    kinds: ["avgPool2d"],
    channels: 3,
  },
  "ReduceMean over height and width, which are kept": {
    graph: after("ReduceMean", { axes: [2, 3] }),
    kinds: ["conv2d", "globalAvgPool2d"],
    opsets: [11, 17],
  },
  "ReduceMean over axes that are an input": {
    graph: after("ReduceMean", {}, (g) => [g.wholes([3, -2])]),
    kinds: ["conv2d", "globalAvgPool2d"],
    opsets: [18, 21],
  },
  "Pad before AveragePool, whose zeros count": {
    graph: (g) => {
      const padded = g.node("Pad", [g.image, g.wholes([0, 0, 1, 1, 0, 0, 1, 1])]);
      const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 0, 1] };
      return g.node("AveragePool", [padded], window);
    },
    kinds: ["avgPool2d"],
    channels: 3,
  },
  "LayerNormalization over channels": {
    graph: (g) => {
      const x = g.node("Transpose", [g.conv(g.image, "a", FILTERS)], { perm: [0, 2, 3, 1] });
      const numbers = [g.weights("ln.weight", [4]), g.weights("ln.bias", [4])];
      const y = g.node("LayerNormalization", [x, ...numbers], { axis: -1, epsilon: float(1e-3) });
      return g.node("Transpose", [y], { perm: [0, 3, 1, 2] });
    },
    kinds: ["conv2d", "layerNorm"],
    opsets: [17, 21],
  },
  "a layer norm, written out over the last axis, and MatMul with a bias": {
    graph: (g) => {
      const x = g.node("Transpose", [g.conv(g.image, "a", FILTERS)], { perm: [0, 2, 3, 1] });
      const y = layerNorm(g, x, [-1], [4]);
      const wide = g.node("MatMul", [y, g.weights("onnx::MatMul_7", [4, 5])]);
      const biased = g.node("Add", [g.weights("mlp.bias", [5]), wide]);
      const narrow = g.node("MatMul", [gelu(g, biased), g.weights("onnx::MatMul_9", [5, 4])]);
      return g.node("Transpose", [narrow], { perm: [0, 3, 1, 2] });
    },
    kinds: ["conv2d", "layerNorm", "conv2d", "gelu", "conv2d"],
    opsets: [11, 17],
  },
  "a layer norm, written out over channels before the pixels": {
    graph: (g) => layerNorm(g, g.conv(g.image, "a", FILTERS), [1], [4, 1, 1]),
    kinds: ["conv2d", "layerNorm"],
    opsets: [11, 17],
  },
  "a shuffle of channels": {
    graph: (g) => {
      const x = g.conv(g.image, "a", [6, 3, 1, 1]);
      const grouped = g.node("Reshape", [x, g.wholes([-1, 3, 2, 9, 8])]);
      const shuffled = g.node("Transpose", [grouped], { perm: [0, 2, 1, 3, 4] });
      return g.node("Reshape", [shuffled, g.wholes([0, 6, 9, 8])]);
    },
    kinds: ["conv2d", "channelShuffle"],
    channels: 6,
  },
  "a shuffle whose sizes are computed": {
    graph: (g) => {
      const x = g.conv(g.image, "a", [6, 3, 1, 1]);
      const shape = g.node("Shape", [x]);
      const size = (i: number) => g.node("Gather", [shape, g.wholes(i)]);
      const list = (name: string) => g.node("Unsqueeze", [name, g.wholes([0])]);
      const per = g.node("Div", [size(1), g.wholes(2)]);
      const sizes = [size(0), g.wholes(2), per, size(2), size(3)].map(list);
      const grouped = g.node("Reshape", [x, g.node("Concat", sizes, { axis: 0 })]);
      const shuffled = g.node("Transpose", [grouped], { perm: [0, 2, 1, 3, 4] });
      const back = [size(0), g.wholes(-1), size(2), size(3)].map(list);
      return g.node("Reshape", [shuffled, g.node("Concat", back, { axis: 0 })]);
    },
    kinds: ["conv2d", "channelShuffle"],
    channels: 6,
    opsets: [13, 21],
  },
  "Slice of the first channels, and of others": {
    graph: (g) => {
      const slice = (from: number, to: number) =>
        g.node("Slice", [x, g.wholes([from]), g.wholes([to]), g.wholes([1])]);
      const x = g.conv(g.image, "a", [6, 3, 1, 1]);
      return g.node("Add", [slice(0, 2), slice(-2, 2 ** 31)]);
    },
    kinds: ["conv2d", "narrow", "select", "add"],
    channels: 2,
  },
  "Split": {
    graph: (g) => {
      const x = g.conv(g.image, "a", [6, 3, 1, 1]);
      const first = g.node("Split", [x, g.wholes([2, 4])], { axis: 1 }, { name: "s", outputs: 2 });
      return g.node("Concat", ["s_out1", first], { axis: 1 });
    },
    kinds: ["conv2d", "narrow", "select", "concat"],
    channels: 6,
    opsets: [13, 21],
  },
  "Gather of channels": {
    graph: after("Gather", { axis: 1 }, (g) => [g.wholes([2, 0, -1])]),
    kinds: ["conv2d", "select"],
    channels: 3,
  },
  "Resize to the nearest": {
    graph: (g) => {
      const scales = g.weights("scales", [4], { data: Float32Array.of(1, 1, 2, 2) });
      const attributes = {
        ...{ mode: "nearest", nearest_mode: "floor" },
        coordinate_transformation_mode: "asymmetric",
      };
      return g.node(
        "Resize",
        [g.conv(g.image, "a", FILTERS), g.weights("roi", [0]), scales],
        attributes,
      );
    },
    kinds: ["conv2d", "upsample2d"],
  },
  "Resize to sizes, with rounding": {
    graph: (g) => {
      const sizes = g.node("Concat", [
        g.node("Slice", [g.node("Shape", [g.image]), g.wholes([0]), g.wholes([2])]),
        g.wholes([27, 24]),
      ], { axis: 0 });
      return g.node("Resize", [g.image, "", "", sizes], { mode: "nearest" });
    },
    kinds: ["upsample2d"],
    channels: 3,
    opsets: [13, 17],
  },
  "Dropout, Identity and Cast": {
    graph: (g) => {
      const x = g.node("Identity", [g.conv(g.image, "a", FILTERS)]);
      return g.node("Dropout", [g.node("Cast", [x], { to: 1 }), g.number(0.2)]);
    },
    kinds: ["conv2d", "dropout"],
    opsets: [12, 17],
  },
};

/** Kinds of the layers before the classifier. */
function before(layers: readonly { readonly kind: string }[]): string[] {
  return layers.slice(0, -2).map(({ kind }) => kind);
}

for (
  const [what, { graph, kinds, channels = 4, opsets = [11, 17, 21], sizes }] of Object.entries(
    CASES,
  )
) {
  Deno.test(`onnxruntime and the network read of ${what} give the same`, { ignore }, async () => {
    for (const opset of opsets) {
      const g = new GraphFile(sizes, opset);
      const { network, distance } = await compared(g.bytes(g.classifier(graph(g), channels)));
      assertEquals(before(network.layers), kinds, `operator set ${opset}`);
      assert(distance < 1e-4, `${distance}, operator set ${opset}`);
    }
  });
}
