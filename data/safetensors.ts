import { isKey } from "./json.ts";
import { printable } from "./printable.ts";
import { isSizes, parseHeader, product } from "./safetensors_header.ts";

/** Element types that are read. `F16` and `BF16` become `Float32Array`. */
export type Dtype =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U32"
  | "U16"
  | "U8"
  | "BOOL";

/** The elements of a tensor in row-major order. */
export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/** A tensor of a file. */
export interface StoredTensor {
  /**
   * The element type in the file: a {@link Dtype}, or another, as `F8_E4M3`, whose `data` are the
   * bytes as they are.
   */
  readonly dtype: string;
  /** Sizes, outermost first; `[]` is a single number. */
  readonly shape: number[];
  /** As many elements as the product of `shape`. */
  readonly data: TensorData;
}

/** Whether values of a dtype are read as floats. */
export function isFloat(dtype: string): boolean {
  return /^(F64|F32|F16|BF16)$/.test(dtype);
}

/** What {@link parseSafetensors} returns. */
export interface Safetensors {
  /** In the order of the header. */
  readonly tensors: Map<string, StoredTensor>;
  /** The strings under `__metadata__`, `{}` where there are none. */
  readonly metadata: Record<string, string>;
}

/** A tensor to write. */
export interface TensorToStore {
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** As many elements as the product of `shape`; the kind of array gives the element type. */
  readonly data: TensorData;
}

interface Format {
  readonly bytes: number;
  read(buffer: ArrayBuffer): TensorData;
}

const FORMATS: Readonly<Record<Dtype, Format>> = {
  F64: { bytes: 8, read: (buffer) => new Float64Array(buffer) },
  F32: { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, read: (buffer) => Float32Array.from(new Uint16Array(buffer), fromHalf) },
  BF16: { bytes: 2, read: fromBrainFloats },
  I64: { bytes: 8, read: (buffer) => new BigInt64Array(buffer) },
  I32: { bytes: 4, read: (buffer) => new Int32Array(buffer) },
  I16: { bytes: 2, read: (buffer) => new Int16Array(buffer) },
  I8: { bytes: 1, read: (buffer) => new Int8Array(buffer) },
  U32: { bytes: 4, read: (buffer) => new Uint32Array(buffer) },
  U16: { bytes: 2, read: (buffer) => new Uint16Array(buffer) },
  U8: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
  BOOL: { bytes: 1, read: (buffer) => new Uint8Array(buffer) },
};

const ELEMENT_BYTES = new Map(Object.entries(FORMATS).map(([dtype, { bytes }]) => [dtype, bytes]));

function isDtype(dtype: string): dtype is Dtype {
  return ELEMENT_BYTES.has(dtype);
}

/** 1 sign, 5 exponent, 10 fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** A bfloat16 is the upper half of a float32. */
function fromBrainFloats(buffer: ArrayBuffer): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
}

/**
 * Reads the bytes of a safetensors file. The tensors are copies.
 *
 * ```ts
 * const bytes = encodeSafetensors([["w", { shape: [2], data: new Float32Array([1, 2]) }]]);
 * const { tensors } = parseSafetensors(bytes);
 * if (tensors.get("w")?.data[1] !== 2) throw new Error("not read back");
 * ```
 *
 * @param bytes The whole file.
 * @param name What error messages call it.
 * @throws {DataError} If it is cut off, its header is not understood, or the tensors do not fill
 * the data exactly.
 */
export function parseSafetensors(bytes: Uint8Array, name = "safetensors data"): Safetensors {
  const { entries, metadata, start } = parseHeader(bytes, ELEMENT_BYTES, printable(name, 300));
  const tensors = new Map<string, StoredTensor>();
  for (const { key, dtype, shape, begin, end } of entries) {
    // A copy, as views would have to be aligned.
    const copy = new Uint8Array(bytes.subarray(start + begin, start + end));
    const data = isDtype(dtype) ? FORMATS[dtype].read(copy.buffer) : copy;
    tensors.set(key, { dtype, shape, data });
  }
  return { tensors, metadata };
}

/**
 * The strings under `__metadata__` of a safetensors file, `{}` where there are none; tensors are not
 * read. Raises errors as {@link parseSafetensors} does.
 */
export function safetensorsMetadata(
  bytes: Uint8Array,
  name = "safetensors data",
): Record<string, string> {
  return parseHeader(bytes, ELEMENT_BYTES, printable(name, 300)).metadata;
}

/** The element type that an array is written as. */
function dtypeOf(data: TensorData): Dtype {
  if (data instanceof Float64Array) return "F64";
  if (data instanceof Float32Array) return "F32";
  if (data instanceof BigInt64Array) return "I64";
  if (data instanceof Int32Array) return "I32";
  if (data instanceof Int16Array) return "I16";
  if (data instanceof Int8Array) return "I8";
  if (data instanceof Uint32Array) return "U32";
  if (data instanceof Uint16Array) return "U16";
  return "U8";
}

/** Pieces, one behind the other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * The bytes of a safetensors file in pieces, to be written one behind the other: the header, and the
 * data of each tensor where they lie. {@link encodeSafetensors} joins them.
 *
 * @param tensors Names and tensors; a `Map` will do.
 * @param metadata Strings to keep with them.
 * @throws {TypeError} If a shape does not fit its data, or a name is taken twice or reserved.
 */
export function safetensorsPieces(
  tensors: Iterable<readonly [string, TensorToStore]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const fields: string[] = [];
  const wrong = Object.keys(metadata).find((key) => !isKey(key));
  if (wrong !== undefined) {
    throw new TypeError(
      `Cannot write the metadata "${wrong}", a name that is reserved: rename it.`,
    );
  }
  if (Object.keys(metadata).length > 0) fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  const chunks: TensorData[] = [];
  const seen = new Set(["__metadata__"]);
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    if (seen.has(name) || !isKey(name)) {
      throw new TypeError(
        `Cannot write the tensor "${name}" as names must be unique, and neither __metadata__ nor ` +
          `__proto__: rename it.`,
      );
    }
    seen.add(name);
    if (!isSizes(shape) || product(shape) !== data.length) {
      throw new TypeError(
        `Cannot write the tensor "${name}" as its shape is [${shape}]: its data has ${data.length} elements.`,
      );
    }
    const begin = end;
    end += data.byteLength;
    // By hand, as an object would move names that look like numbers to the front.
    fields.push(
      `${JSON.stringify(name)}:{"dtype":"${dtypeOf(data)}","shape":[${shape}],` +
        `"data_offsets":[${begin},${end}]}`,
    );
    chunks.push(data);
  }
  const text = new TextEncoder().encode(`{${fields.join(",")}}`);
  const header = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(text, 8);
  return [
    header,
    ...chunks.map((data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}

/**
 * Writes a safetensors file, tensor after tensor in the given order, so that the same input gives
 * the same bytes. The header is padded with spaces to a multiple of 8 bytes.
 *
 * @param tensors Names and tensors; a `Map` will do.
 * @param metadata Strings to keep with them.
 * @throws {TypeError} If a shape does not fit its data, or a name is taken twice or reserved.
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [string, TensorToStore]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return joined(safetensorsPieces(tensors, metadata));
}
