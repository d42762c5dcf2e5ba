// Ends of graphs of ONNX: what makes the logits is read as last layers, with the logits of onnxruntime.
import { assert, assertEquals } from "@std/assert";
import { GraphFile } from "./onnx_graph_file.ts";
import { compared } from "./onnx_parity.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read");
const FILTERS = [4, 3, 3, 3];

/** Ends of graphs: what makes the logits of an image of four channels. */
const ENDS: Readonly<
  Record<string, readonly [(g: GraphFile, x: string) => string, readonly string[]]>
> = {
  "Flatten of a whole image, as in VGG": [
    (g, x) => {
      const hidden = g.linear(g.node("Flatten", [x]), "classifier.0", 4 * 7 * 6, 5);
      const relu = g.node("Relu", [hidden]);
      return g.linear(relu, "classifier.3", 5, 4);
    },
    ["conv2d", "relu", "globalAvgPool2d", "linear"],
  ],
  "Flatten of a whole image to logits": [
    (g, x) => g.linear(g.node("Reshape", [x, g.wholes([-1, 168])]), "fc", 168, 4),
    ["conv2d", "globalAvgPool2d"],
  ],
  "ReduceMean that leaves rows, and MatMul": [
    (g, x) => {
      const rows = g.node("ReduceMean", [x], { axes: [2, 3], keepdims: 0 });
      return g.node("MatMul", [rows, g.weights("fc.weight", [4, 4])]);
    },
    ["globalAvgPool2d", "linear"],
  ],
  "Squeeze, a norm of rows, and Softmax": [
    (g, x) => {
      const pooled = g.node("GlobalAveragePool", [x]);
      const rows = g.node("Squeeze", [pooled, g.wholes([2, 3])]);
      const row = g.linear(g.norm(rows, "bn", 4), "fc", 4, 4);
      return g.node("Identity", [row]);
    },
    ["globalAvgPool2d", "batchNorm", "linear"],
  ],
  "a pool at the end, as in SqueezeNet": [
    (g, x) => g.node("Flatten", [g.node("GlobalAveragePool", [g.node("Relu", [x])])]),
    ["relu", "globalAvgPool2d"],
  ],
};

for (const [what, [end, kinds]] of Object.entries(ENDS)) {
  Deno.test(`logits of ${what} are read`, { ignore }, async () => {
    const g = new GraphFile();
    const { network, distance } = await compared(g.bytes(end(g, g.conv(g.image, "a", FILTERS))));
    assertEquals(network.layers.slice(1).map(({ kind }) => kind), kinds);
    assert(distance < 1e-4, `${distance}`);
  });
}
