import { MESSAGES } from "../onnx_schema.ts";
import { decode, many, one, type Schema } from "../protobuf.ts";

/** `TensorProto`; its numbers are in one of the lists, or little-endian in `rawData`. */
export interface ReadTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly int64Data: readonly number[];
  readonly rawData: Uint8Array;
  /** 1 where its numbers lie in another file. */
  readonly dataLocation: number;
}

/** `AttributeProto`, without graphs. */
export interface ReadAttribute {
  readonly name: string;
  readonly type: number;
  readonly f: number;
  readonly i: number;
  readonly s: Uint8Array;
  readonly t: ReadTensor | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

/** `NodeProto`. */
export interface ReadNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly ReadAttribute[];
}

/** `ValueInfoProto`. */
export interface ReadValueInfo {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly { readonly dimValue: number }[] } | null;
    } | null;
  } | null;
}

/** `ModelProto`, as far as it says what a network is. */
export interface ReadModel {
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: {
    readonly node: readonly ReadNode[];
    readonly initializer: readonly ReadTensor[];
    readonly input: readonly ReadValueInfo[];
    readonly output: readonly ReadValueInfo[];
  } | null;
}

/** Messages of onnx.proto with the fields that a network is read from. */
export const READ: Schema = {
  ...MESSAGES,
  Node: { ...MESSAGES.Node, domain: one("string", 7) },
  Attribute: {
    ...MESSAGES.Attribute,
    s: one("bytes", 4),
    t: one("Tensor", 5),
    floats: many("float", 7),
  },
  Tensor: {
    ...MESSAGES.Tensor,
    floatData: many("float", 4),
    int32Data: many("int32", 5),
    int64Data: many("int64", 7),
    dataLocation: one("int32", 14),
  },
};

/** The model in bytes, with what is missing as 0, empty or null. Raises an `Error` for others. */
export function readModel(bytes: Uint8Array): ReadModel {
  // The schema above has these fields.
  return decode(READ, "Model", bytes) as Record<string, unknown> & ReadModel;
}
