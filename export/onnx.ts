import { messageOf } from "../data/message_of.ts";
import { DataError } from "../data/error.ts";
import { printable } from "../data/printable.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { type CheckpointInfo, encodeInfo, type Metadata, parseInfo } from "./metadata.ts";
import type { Attribute } from "../nn/layers/onnx_step.ts";
import { VERSION } from "./version.ts";
import {
  INPUT,
  type OnnxData,
  type OnnxGraph,
  onnxGraph,
  type OnnxNode,
  type OnnxTensor,
  OUTPUT,
} from "./onnx_graph.ts";
import {
  ATTRIBUTE,
  type AttributeMessage,
  decodeMetadata,
  ELEMENT,
  encodeModel,
  type EntryMessage,
  type NodeMessage,
  type TensorMessage,
  type ValueInfoMessage,
} from "./onnx_schema.ts";

/** The operator set, and the version of the format that came with it. */
export const OPSET = 17;
export const IR_VERSION = 8;

/**
 * The range of a network's input: `pixels` from 0 to 255, which it normalises itself, or `normalized` ones,
 * (pixel / 255 - mean) / std.
 */
export type InputRange = "pixels" | "normalized";

/** The description in an ONNX file besides its graph. */
export interface OnnxInfo extends CheckpointInfo {
  /** The range of its input. */
  readonly range: InputRange;
}

/** A network as the bytes of an ONNX file. */
export interface OnnxFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of weights and biases, those of norms in the convolutions. */
  readonly parameterBytes: number;
}

function attributeMessage(name: string, value: Attribute): AttributeMessage {
  if (typeof value === "number") return { name, type: ATTRIBUTE.INT, i: value };
  if ("float" in value) return { name, type: ATTRIBUTE.FLOAT, f: value.float };
  return { name, type: ATTRIBUTE.INTS, ints: value };
}

function elementOf(data: OnnxData): number {
  if (data instanceof Float32Array) return ELEMENT.float32;
  if (data instanceof Float16Array) return ELEMENT.float16;
  if (data instanceof Int32Array) return ELEMENT.int32;
  if (data instanceof Int8Array) return ELEMENT.int8;
  if (data instanceof Uint8Array) return ELEMENT.uint8;
  return ELEMENT.int64;
}

/** A constant of a graph. */
export function tensorMessage(name: string, { shape, data }: OnnxTensor): TensorMessage {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: shape, dataType: elementOf(data), rawData };
}

/** A node of a graph. */
export function nodeMessage({ name, op, inputs, attributes }: OnnxNode): NodeMessage {
  return {
    name,
    opType: op,
    input: inputs,
    output: [name],
    attribute: Object.entries(attributes).map(([key, value]) => attributeMessage(key, value)),
  };
}

/** A tensor of float32, of any number of images. */
function valueInfo(name: string, sizes: readonly number[], docString: string): ValueInfoMessage {
  const dim = [{ dimParam: "batch" }, ...sizes.map((size) => ({ dimValue: size }))];
  return { name, docString, type: { tensorType: { elemType: ELEMENT.float32, shape: { dim } } } };
}

const RANGES: Readonly<Record<InputRange, string>> = {
  pixels: "pixels from 0 to 255; the graph normalises them",
  normalized: "(pixel / 255 - mean) / std of pixels from 0 to 255, with mean and std of each " +
    "channel as in the metadata",
};

/** What the graph of a network is made with. */
export interface OnnxOptions {
  /** Whether the graph takes pixels from 0 to 255 and normalises them. */
  readonly includeNormalization: boolean;
}

/** A graph, and what its file says of it. */
export interface GraphFile extends OnnxOptions {
  readonly graph: OnnxGraph;
  readonly info: CheckpointInfo;
  /** More of its metadata. */
  readonly metadata?: Metadata;
  /** Values that it gives besides its logits, by the names of their nodes. */
  readonly values?: readonly string[];
}

/**
 * The graph of a network: batch norms folded into the convolutions before them, pixels normalised
 * where it is to.
 */
export function graphOf(
  { network, state, image: [height, width], normalization }: Checkpoint,
  { includeNormalization }: OnnxOptions,
): OnnxGraph {
  const image = { height, width };
  return onnxGraph({ network, state, image, ...includeNormalization && { normalization } });
}

/** A graph as the bytes of an ONNX file. */
export function encodeGraph(
  { graph: { nodes, constants }, info, includeNormalization, metadata = {}, values = [] }:
    GraphFile,
): OnnxFile {
  const [height, width, channels] = info.image;
  const range: InputRange = includeNormalization ? "pixels" : "normalized";
  const own = { ...encodeInfo(info), input: INPUT, output: OUTPUT, layout: "NCHW", range };
  const bytes = encodeModel({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: "", version: OPSET }],
    producerName: "adjoin",
    producerVersion: VERSION,
    docString: `The ${info.which} network of an adjoined pair, arXiv 2006.05624.`,
    metadataProps: Object.entries({ ...own, ...metadata }).map(([key, value]) => ({ key, value })),
    graph: {
      name: info.which,
      node: nodes.map(nodeMessage),
      initializer: [...constants].map(([name, tensor]) => tensorMessage(name, tensor)),
      input: [valueInfo(INPUT, [channels, height, width], RANGES[range])],
      output: [
        valueInfo(OUTPUT, [info.classes.length], "one for each class, before softmax"),
        ...values.map((name) => ({
          name,
          docString: "",
          type: { tensorType: { elemType: ELEMENT.float32 } },
        })),
      ],
    },
  });
  const parameterBytes = [...constants.values()].reduce(
    (sum, { data }) => sum + (data instanceof BigInt64Array ? 0 : data.byteLength),
    0,
  );
  return { bytes, parameterBytes };
}

/**
 * A network as ONNX of operator set 17: `image` `[batch, channels, height, width]` to `logits`
 * `[batch, classes]`, float32, batch norms folded into the convolutions before them.
 */
export function encodeOnnx(checkpoint: Checkpoint, options: OnnxOptions): OnnxFile {
  const { network: _, state: __, ...info } = checkpoint;
  return encodeGraph({ graph: graphOf(checkpoint, options), info, ...options });
}

/**
 * The description in an ONNX file of {@link encodeOnnx}. Raises a {@link DataError} for any other.
 */
export function parseOnnxInfo(bytes: Uint8Array, fileName: string): OnnxInfo {
  const file = printable(fileName, 300);
  let entries: readonly EntryMessage[];
  try {
    entries = decodeMetadata(bytes);
  } catch (cause) {
    const reason = printable(messageOf(cause));
    throw new DataError(`Cannot load ${file}: wanted an ONNX model, found ${reason}`, { cause });
  }
  const keys = new Set<string>();
  for (const { key } of entries) {
    if (keys.has(key)) {
      throw new DataError(
        `Cannot load ${file}: its metadata have the key "${printable(key)}" twice`,
      );
    }
    keys.add(key);
  }
  const metadata = Object.fromEntries(entries.map(({ key, value }) => [key, value]));
  const { range } = metadata;
  if (range === undefined) {
    throw new DataError(
      `Cannot load ${file}: wanted an ONNX model exported by adjoin, found one without its ` +
        `metadata, which say what pixels it takes; export it anew, with a converter that keeps ` +
        `metadata`,
    );
  }
  if (range !== "pixels" && range !== "normalized") {
    throw new DataError(
      `Cannot load ${file}: wanted pixels or normalized as range in its metadata, found ` +
        (printable(range) || '""'),
    );
  }
  return { ...parseInfo(metadata, file), range };
}
