import { decode, encode, many, one, type Schema } from "./protobuf.ts";

/** Element types of tensors. */
export const ELEMENT = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  float16: 10,
} as const;

/** Kinds of attributes. */
export const ATTRIBUTE = { FLOAT: 1, INT: 2, INTS: 7 } as const;

/** `StringStringEntryProto`. */
export interface EntryMessage {
  readonly key: string;
  readonly value: string;
}

/** `AttributeProto`, as far as it is used. */
export interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly ints?: readonly number[];
}

/** `NodeProto`. */
export interface NodeMessage {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeMessage[];
}

/** `TensorProto`; `rawData` is little-endian. */
export interface TensorMessage {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly rawData: Uint8Array;
}

/** `ValueInfoProto` of a tensor. */
export interface ValueInfoMessage {
  readonly name: string;
  readonly docString: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      /** Left out where any shape will do. */
      readonly shape?: {
        readonly dim: readonly ({ readonly dimValue: number } | { readonly dimParam: string })[];
      };
    };
  };
}

/** `ModelProto`, as far as it is used. */
export interface ModelMessage {
  readonly irVersion: number;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly producerName: string;
  readonly producerVersion: string;
  readonly docString: string;
  readonly metadataProps: readonly EntryMessage[];
  readonly graph: {
    readonly name: string;
    readonly node: readonly NodeMessage[];
    readonly initializer: readonly TensorMessage[];
    readonly input: readonly ValueInfoMessage[];
    readonly output: readonly ValueInfoMessage[];
  };
}

/** Messages of onnx.proto with the numbers of their fields; what is not written is left out. */
export const MESSAGES: Schema = {
  Model: {
    irVersion: one("int64", 1),
    producerName: one("string", 2),
    producerVersion: one("string", 3),
    docString: one("string", 6),
    graph: one("Graph", 7),
    opsetImport: many("OperatorSet", 8),
    metadataProps: many("Entry", 14),
  },
  OperatorSet: { domain: one("string", 1), version: one("int64", 2) },
  Entry: { key: one("string", 1), value: one("string", 2) },
  Graph: {
    node: many("Node", 1),
    name: one("string", 2),
    initializer: many("Tensor", 5),
    input: many("ValueInfo", 11),
    output: many("ValueInfo", 12),
  },
  Node: {
    input: many("string", 1),
    output: many("string", 2),
    name: one("string", 3),
    opType: one("string", 4),
    attribute: many("Attribute", 5),
  },
  Attribute: {
    name: one("string", 1),
    f: one("float", 2),
    i: one("int64", 3),
    ints: many("int64", 8),
    type: one("int32", 20),
  },
  Tensor: {
    dims: many("int64", 1),
    dataType: one("int32", 2),
    name: one("string", 8),
    rawData: one("bytes", 9),
  },
  ValueInfo: { name: one("string", 1), type: one("Type", 2), docString: one("string", 3) },
  Type: { tensorType: one("TensorType", 1) },
  TensorType: { elemType: one("int32", 1), shape: one("Shape", 2) },
  Shape: { dim: many("Dimension", 1) },
  Dimension: { dimValue: one("int64", 1), dimParam: one("string", 2) },
};

/** A model of which the graph is passed over. */
const DESCRIPTION: Schema = {
  Model: { metadataProps: MESSAGES.Model.metadataProps },
  Entry: MESSAGES.Entry,
};

/** The bytes of a model. */
export function encodeModel(model: ModelMessage): Uint8Array<ArrayBuffer> {
  return encode(MESSAGES, "Model", model);
}

/** The model in bytes, with what is missing left out. Raises an `Error` for bytes that are none. */
export function decodeModel(bytes: Uint8Array): ModelMessage {
  // The schema above has these fields.
  return decode(MESSAGES, "Model", bytes, true) as Record<string, unknown> & ModelMessage;
}

/** A model's metadata. Raises an `Error` for bytes that are none. */
export function decodeMetadata(bytes: Uint8Array): EntryMessage[] {
  // The schema above has these fields.
  const { metadataProps } = decode(DESCRIPTION, "Model", bytes) as {
    readonly metadataProps: EntryMessage[];
  };
  return metadataProps;
}
