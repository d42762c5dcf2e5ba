import { DataError } from "./error.ts";

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
  /** The element type in the file. */
  readonly dtype: Dtype;
  /** Sizes, outermost first; `[]` is a single number. */
  readonly shape: number[];
  /** As many elements as the product of `shape`. */
  readonly data: TensorData;
}

/** Whether values of a dtype are floats, of whatever width. */
export function isFloat(dtype: Dtype): boolean {
  return /^B?F\d+$/.test(dtype);
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === "string" && Object.hasOwn(FORMATS, value);
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** The header and where the tensors begin. */
function parseHeader(bytes: Uint8Array, name: string): [Record<string, unknown>, number] {
  if (bytes.length < 8) {
    throw new DataError(
      `Cannot read ${name} as its first 8 bytes hold the header's length: it has ${bytes.length} bytes.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    throw new DataError(
      `Cannot read ${name} as its header takes ${length} bytes: only ${bytes.length - 8} follow.`,
    );
  }
  const start = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`Cannot read ${name} as its header must be JSON: ${reason}.`);
  }
  if (!isRecord(header)) {
    throw new DataError(
      `Cannot read ${name} as its header must be a JSON object: found ${JSON.stringify(header)}.`,
    );
  }
  return [header, start];
}

function parseMetadata(value: unknown, name: string): Record<string, string> {
  const entries: [string, string][] = [];
  if (!isRecord(value)) {
    throw new DataError(
      `Cannot read ${name} as __metadata__ must map strings to strings: found ${
        JSON.stringify(value)
      }.`,
    );
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw new DataError(
        `Cannot read ${name} as the metadata "${key}" must be a string: found ${
          JSON.stringify(text)
        }.`,
      );
    }
    entries.push([key, text]);
  }
  return Object.fromEntries(entries);
}

interface Entry {
  readonly key: string;
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

function parseEntry(key: string, value: unknown, available: number, name: string): Entry {
  const fail = (wanted: string, found: unknown): never => {
    throw new DataError(
      `Cannot read ${name} as the tensor "${key}" must have ${wanted}: found ${
        JSON.stringify(found)
      }.`,
    );
  };
  if (!isRecord(value)) return fail("a dtype, a shape and data_offsets", value);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) return fail(`a dtype out of ${Object.keys(FORMATS).join(", ")}`, dtype);
  if (!isSizes(shape)) return fail("a shape of whole numbers", shape);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail("data_offsets of the form [begin, end]", offsets);
  }
  const [begin, end] = offsets;
  if (end > available) return fail(`data_offsets within the ${available} bytes of data`, offsets);
  const size = product(shape) * FORMATS[dtype].bytes;
  if (end - begin !== size) return fail(`${size} bytes for ${dtype} [${shape}]`, end - begin);
  return { key, dtype, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkLayout(entries: readonly Entry[], available: number, name: string): void {
  let reached = 0;
  for (
    const { key, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)
  ) {
    if (begin !== reached) {
      const problem = begin < reached ? "overlaps the one before it" : "leaves a hole before it";
      throw new DataError(
        `Cannot read ${name} as the tensor "${key}" ${problem}: it must begin at byte ${reached}, and begins at ${begin}.`,
      );
    }
    reached = end;
  }
  if (reached !== available) {
    throw new DataError(
      `Cannot read ${name} as its tensors take ${reached} bytes of data: it has ${available}.`,
    );
  }
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
  const [header, start] = parseHeader(bytes, name);
  const available = bytes.length - start;
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [key, value] of Object.entries(header)) {
    if (key === "__metadata__") metadata = parseMetadata(value, name);
    else entries.push(parseEntry(key, value, available, name));
  }
  checkLayout(entries, available, name);
  const tensors = new Map<string, StoredTensor>();
  for (const { key, dtype, shape, begin, end } of entries) {
    // A copy, as views would have to be aligned.
    const copy = new Uint8Array(bytes.subarray(start + begin, start + end));
    tensors.set(key, { dtype, shape, data: FORMATS[dtype].read(copy.buffer) });
  }
  return { tensors, metadata };
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
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`"__metadata__":${JSON.stringify(metadata)}`);
  const chunks: TensorData[] = [];
  const seen = new Set(["__metadata__"]);
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    if (seen.has(name)) {
      throw new TypeError(
        `Cannot write the tensor "${name}" as names must be unique and not __metadata__: rename it.`,
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
  let header = new TextEncoder().encode(`{${fields.join(",")}}`);
  if (header.length % 8 > 0) {
    const padded = new Uint8Array(Math.ceil(header.length / 8) * 8).fill(0x20);
    padded.set(header);
    header = padded;
  }
  const bytes = new Uint8Array(8 + header.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const chunk of chunks) {
    bytes.set(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength), at);
    at += chunk.byteLength;
  }
  return bytes;
}
