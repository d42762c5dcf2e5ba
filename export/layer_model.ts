import type { TimedLayers } from "../nn/compress/layer_works.ts";
import type { Layer } from "../nn/layers/mod.ts";
import { shapesOf } from "../nn/network.ts";
import { initialize, nameOf, networkSpecs } from "../nn/state.ts";
import { IR_VERSION, nodeMessage, OPSET, tensorMessage } from "./onnx.ts";
import { INPUT, onnxGraph } from "./onnx_graph.ts";
import { ELEMENT, encodeModel, type ValueInfoMessage } from "./onnx_schema.ts";

/** The output of a model of {@link layerModel} that is read. */
export const SHAPE = "shape";

function value(name: string, type: number, sizes: readonly (number | string)[]): ValueInfoMessage {
  const dim = sizes.map((size) =>
    typeof size === "number" ? { dimValue: size } : { dimParam: size }
  );
  return { name, docString: "", type: { tensorType: { elemType: type, shape: { dim } } } };
}

/** Layers beside each other, so many times all but the first `before`, each with its own weights. */
function copied({ network: { layers }, before }: TimedLayers, copies: number): Layer[] {
  const own = layers.length - before;
  const copy = (layer: Layer, k: number): Layer => {
    const inputs = layer.inputs.map((v) => v < before ? v : v + k * own);
    const name = nameOf(layer);
    // The same kind of layer.
    return { ...layer, inputs, ...name && { name: `${name}_${k}` } } as Layer;
  };
  return [
    ...layers.slice(0, before),
    ...Array.from({ length: copies }, (_, k) => layers.slice(before).map((l) => copy(l, k))).flat(),
  ];
}

/**
 * An ONNX model of so many copies of layers, all applied to `image` `[1, channels, height, width]`.
 * All their values are outputs, so that none is left out; {@link SHAPE} is one more that costs nothing
 * to make and to read. `random` draws weights from [0, 1).
 */
export function layerModel(
  timed: TimedLayers,
  { copies, random }: { copies: number; random: () => number },
): Uint8Array<ArrayBuffer> {
  const { image, network: { channels } } = timed;
  const layers = copied(timed, copies);
  const network = { channels, layers };
  const state = initialize(networkSpecs(network), network, () => 2 * random() - 1);
  const { nodes, constants } = onnxGraph({ network, state, image });
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const last = timed.network.layers.length - 1;
  const flat = last >= 0 && shapesOf(timed.network)[last].flat;
  const dims = flat ? ["images", "features"] : ["images", "channels", "height", "width"];
  const outputs = nodes.filter(({ name }) => !read.has(name) && copies > 0);
  return encodeModel({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: "", version: OPSET }],
    producerName: "",
    producerVersion: "",
    docString: "",
    metadataProps: [],
    graph: {
      name: "layers",
      node: [
        ...nodes.map(nodeMessage),
        { name: SHAPE, opType: "Shape", input: [INPUT], output: [SHAPE], attribute: [] },
      ],
      initializer: [...constants].map(([name, tensor]) => tensorMessage(name, tensor)),
      input: [value(INPUT, ELEMENT.float32, [1, channels, image.height, image.width])],
      output: [
        ...outputs.map(({ name }) => value(name, ELEMENT.float32, dims)),
        value(SHAPE, ELEMENT.int64, [4]),
      ],
    },
  });
}
