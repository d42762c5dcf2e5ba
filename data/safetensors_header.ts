import { messageOf } from "./message_of.ts";
import { DataError } from "./error.ts";
import { hexOf, otherFormat } from "./file_format.ts";
import { isRecord, parseJson, wrongKey } from "./json.ts";
import { printable, printableJson } from "./printable.ts";

/** Bytes that a header has at most, as in the format's own reader. */
const LONGEST = 100_000_000;

/** What a JSON object begins with. */
const BRACE = "{".charCodeAt(0);

/** What a header says of one tensor. */
export interface Entry {
  /** Its name. */
  readonly key: string;
  /** Its element type, a short word. */
  readonly dtype: string;
  /** Sizes, outermost first. */
  readonly shape: number[];
  /** Where its bytes begin, counted from the first byte after the header. */
  readonly begin: number;
  /** Where they end. */
  readonly end: number;
}

/** What a header says. */
export interface Header {
  /** In the order of the header. */
  readonly entries: readonly Entry[];
  /** The strings under `__metadata__`, `{}` where there are none. */
  readonly metadata: Record<string, string>;
  /** Where the data begin in the file. */
  readonly start: number;
}

/** Bytes of an element, by type; sizes of tensors of other types are not checked. */
export type ElementBytes = ReadonlyMap<string, number>;

/** Whether a value is a list of sizes. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);
}

/** The number of elements of a shape. */
export function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Whether the sizes of a shape, zeros aside, multiply to a number that is exact. */
function isCountable(shape: readonly number[]): boolean {
  return Number.isSafeInteger(product(shape.filter((size) => size > 0)));
}

/** Elements of a type that is not known which a byte holds at most: those of one bit. */
const MOST_IN_A_BYTE = 8;

/** The error for a file that does not have the framing: a length that fits, then a JSON object. */
function notSafetensors(bytes: Uint8Array, name: string): DataError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? 0n : view.getBigUint64(0, true);
  // A file that is cut off begins as a whole one does.
  const other = bytes[8] === BRACE && length <= LONGEST ? undefined : otherFormat(bytes);
  if (other) {
    const cure = other.weightsCure ?? other.cure;
    return new DataError(
      `Cannot read ${name}: wanted safetensors, found ${other.name}${cure ? `; ${cure}` : ""}.`,
    );
  }
  if (bytes.length < 8) {
    return new DataError(
      `Cannot read ${name} as its first 8 bytes hold the header's length: it has ${bytes.length} bytes.`,
    );
  }
  if (length > BigInt(bytes.length - 8)) {
    return new DataError(
      `Cannot read ${name} as its header takes ${length} bytes: only ${bytes.length - 8} follow.`,
    );
  }
  return new DataError(
    `Cannot read ${name} as its header must be a JSON object: found ${
      hexOf(bytes.subarray(8), 8) || "nothing"
    }.`,
  );
}

/** The bytes of the header, and where the tensors begin. */
function headerBytes(bytes: Uint8Array, name: string): [Uint8Array, number] {
  // The framing comes first: a length may have any low bytes, as those of a zip or a pickle.
  if (bytes.length < 9 || bytes[8] !== BRACE) throw notSafetensors(bytes, name);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) throw notSafetensors(bytes, name);
  if (length > BigInt(LONGEST)) {
    throw new DataError(
      `Cannot read ${name} as its header takes ${length} bytes: wanted at most ${LONGEST}.`,
    );
  }
  const start = 8 + Number(length);
  return [bytes.subarray(8, start), start];
}

function parseObject(bytes: Uint8Array, name: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const key = wrongKey(error);
    if (key) throw new DataError(`Cannot read ${name} as its header has ${key}.`);
    const reason = messageOf(error);
    throw new DataError(
      `Cannot read ${name} as its header must be JSON: ${printable(reason, 200)}.`,
    );
  }
  if (!isRecord(header)) {
    throw new DataError(
      `Cannot read ${name} as its header must be a JSON object: found ${printableJson(header)}.`,
    );
  }
  return header;
}

function parseMetadata(value: unknown, name: string): Record<string, string> {
  const entries: [string, string][] = [];
  if (!isRecord(value)) {
    throw new DataError(
      `Cannot read ${name} as __metadata__ must map strings to strings: found ${
        printableJson(value)
      }.`,
    );
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw new DataError(
        `Cannot read ${name} as the metadata "${printable(key)}" must be a string: found ${
          printableJson(text)
        }.`,
      );
    }
    entries.push([key, text]);
  }
  return Object.fromEntries(entries);
}

/** Words that a later version of the format may have as element types. */
const DTYPE = /^[A-Z][A-Z0-9_]{0,15}$/;

interface EntryOptions {
  readonly sizes: ElementBytes;
  /** Bytes of data in the file. */
  readonly available: number;
  readonly name: string;
}

function parseEntry(
  key: string,
  value: unknown,
  { sizes, available, name }: EntryOptions,
): Entry {
  const fail = (wanted: string, found: unknown): never => {
    throw new DataError(
      `Cannot read ${name} as the tensor "${printable(key)}" must have ${wanted}: found ${
        printableJson(found)
      }.`,
    );
  };
  if (!isRecord(value)) return fail("a dtype, a shape and data_offsets", value);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !DTYPE.test(dtype)) {
    return fail(`a dtype such as ${[...sizes.keys()].join(", ")}`, dtype);
  }
  if (!isSizes(shape)) return fail("a shape of whole numbers", shape);
  if (!isCountable(shape)) return fail("a shape of fewer than 2^53 elements", shape);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail("data_offsets of the form [begin, end]", offsets);
  }
  const [begin, end] = offsets;
  if (end > available) return fail(`data_offsets within the ${available} bytes of data`, offsets);
  const element = sizes.get(dtype);
  const count = product(shape);
  const what = `${dtype} ${printableJson(shape)}`;
  if (element === undefined && count > MOST_IN_A_BYTE * (end - begin)) {
    return fail(`${Math.ceil(count / MOST_IN_A_BYTE)} bytes or more for ${what}`, end - begin);
  }
  if (element !== undefined && end - begin !== count * element) {
    return fail(`${count * element} bytes for ${what}`, end - begin);
  }
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
        `Cannot read ${name} as the tensor "${
          printable(key)
        }" ${problem}: it must begin at byte ${reached}, and begins at ${begin}.`,
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
 * Reads the header of a safetensors file, after its framing: 8 bytes of length, then as many bytes
 * of JSON. Raises a {@link DataError} for a file of another format, by its name, for one that is cut
 * off, and for tensors that do not fill the data exactly.
 *
 * @param bytes The whole file.
 * @param sizes Bytes of an element, by type.
 * @param name What error messages call the file.
 */
export function parseHeader(bytes: Uint8Array, sizes: ElementBytes, name: string): Header {
  const [json, start] = headerBytes(bytes, name);
  const available = bytes.length - start;
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [key, value] of Object.entries(parseObject(json, name))) {
    if (key === "__metadata__") metadata = parseMetadata(value, name);
    else entries.push(parseEntry(key, value, { sizes, available, name }));
  }
  checkLayout(entries, available, name);
  return { entries, metadata, start };
}
