// Protocol Buffers as ONNX and TensorBoard files have them: https://protobuf.dev/programming-guides/encoding/.

/** The types of fields that are no messages. */
const SCALARS = ["int32", "int64", "float", "double", "string", "bytes"] as const;

/** One of them. */
type Scalar = typeof SCALARS[number];

/** A field of a message: its number, and its type, which may be another message of the schema. */
export interface Field {
  readonly id: number;
  readonly type: string;
  /** Whether it is a list. */
  readonly rule?: "repeated";
}

/** Fields of a message by name. */
export type Fields = Readonly<Record<string, Field>>;

/** Messages by name. */
export type Schema = Readonly<Record<string, Fields>>;

/** A field. */
export const one = (type: string, id: number): Field => ({ type, id });

/** A field that is a list. */
export const many = (type: string, id: number): Field => ({ type, id, rule: "repeated" });

/** A message by the names of its fields. */
type Message = Readonly<Record<string, unknown>>;

function isScalar(type: string): type is Scalar {
  return SCALARS.some((scalar) => scalar === type);
}

/** How the bytes of a field are laid out: a varint, four bytes, or as many as are told first. */
const WIRE = { varint: 0, eight: 1, counted: 2, four: 5 } as const;

function wireOf(type: string): number {
  return type === "int32" || type === "int64"
    ? WIRE.varint
    : type === "float"
    ? WIRE.four
    : type === "double"
    ? WIRE.eight
    : WIRE.counted;
}

/** Lists of numbers are packed: one count of bytes for all of them. */
function isPacked({ type, rule }: Field): boolean {
  return rule === "repeated" && wireOf(type) !== WIRE.counted;
}

const TEXT = new TextEncoder();

/** Bytes that are put together from pieces. */
class Writer {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  bytes(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** Seven bits a byte, the lowest first; negative numbers as 64 bits in two's complement. */
  varint(value: number): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(Math.trunc(value) || 0));
    do {
      const more = rest > 127n ? 128 : 0;
      bytes.push(Number(rest & 127n) | more);
      rest >>= 7n;
    } while (rest > 0n);
    this.bytes(Uint8Array.from(bytes));
  }

  float(value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.bytes(bytes);
  }

  double(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.bytes(bytes);
  }

  /** A count of bytes, and the bytes. */
  counted(piece: Uint8Array): void {
    this.varint(piece.length);
    this.bytes(piece);
  }

  /** A count of bytes, and the bytes of another; nothing is copied. */
  nested(other: Writer): void {
    this.varint(other.#length);
    this.#pieces.push(...other.#pieces);
    this.#length += other.#length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

function writeValue(writer: Writer, schema: Schema, type: string, value: unknown): void {
  switch (type) {
    case "int32":
    case "int64":
      return writer.varint(Number(value));
    case "float":
      return writer.float(Number(value));
    case "double":
      return writer.double(Number(value));
    case "string":
      return writer.counted(TEXT.encode(String(value)));
    case "bytes":
      return writer.counted(value as Uint8Array);
  }
  const message = new Writer();
  writeMessage(message, schema, type, value as Message);
  writer.nested(message);
}

function writeMessage(writer: Writer, schema: Schema, name: string, message: Message): void {
  const fields = Object.entries(schema[name]).sort(([, a], [, b]) => a.id - b.id);
  for (const [key, field] of fields) {
    const value = message[key];
    if (value === undefined || value === null) continue;
    const { id, type } = field;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (isPacked(field)) {
      if (!list.length) continue;
      const packed = new Writer();
      for (const one of list) writeValue(packed, schema, type, one);
      writer.varint(8 * id + WIRE.counted);
      writer.nested(packed);
      continue;
    }
    for (const one of list) {
      writer.varint(8 * id + wireOf(type));
      writeValue(writer, schema, type, one);
    }
  }
}

/** The bytes of a message; fields that it does not have are left out. */
export function encode<M extends object>(
  schema: Schema,
  name: string,
  message: M,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writeMessage(writer, schema, name, Object.fromEntries(Object.entries(message)));
  return writer.finish();
}

/** Reads bytes from the first to the last. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** Where the next `count` bytes begin, and passes them by. */
  #pass(count: number): number {
    const from = this.at;
    const { length } = this.#bytes;
    if (count > length - from) {
      throw new Error(`${count} bytes from byte ${from} on, of ${length}`);
    }
    this.at = from + count;
    return from;
  }

  /** A whole number from 0 on. */
  varint(): number {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 10; i++) {
      const byte = this.#bytes[this.#pass(1)];
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) break;
    }
    return value;
  }

  /** A whole number, of 64 bits in two's complement where it is negative. */
  signed(): number {
    const from = this.at;
    const value = this.varint();
    if (this.at - from < 10) return value;
    const bits = this.#bytes.subarray(from, this.at)
      .reduce((sum, byte, i) => sum | BigInt(byte & 127) << BigInt(7 * i), 0n);
    return Number(BigInt.asIntN(64, bits));
  }

  float(): number {
    return this.#view.getFloat32(this.#pass(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#pass(8), true);
  }

  counted(): Uint8Array {
    const count = this.varint();
    const from = this.#pass(count);
    return this.#bytes.subarray(from, from + count);
  }

  /** Passes by a value of which nothing is wanted. */
  skip(wire: number): void {
    if (wire === WIRE.varint) this.varint();
    else if (wire === WIRE.eight) this.#pass(8);
    else if (wire === WIRE.counted) this.counted();
    else if (wire === WIRE.four) this.#pass(4);
    else throw new Error(`the unknown wire type ${wire} before byte ${this.at}`);
  }
}

const WORDS = new TextDecoder();

/** What a field is where it is missing. */
const EMPTY: Readonly<Record<Scalar, () => unknown>> = {
  int32: () => 0,
  int64: () => 0,
  float: () => 0,
  double: () => 0,
  string: () => "",
  bytes: () => new Uint8Array(),
};

function readValue(reader: Reader, schema: Schema, type: string, sparse: boolean): unknown {
  switch (type) {
    case "int32":
    case "int64":
      return reader.signed();
    case "float":
      return reader.float();
    case "double":
      return reader.double();
    case "string":
      return WORDS.decode(reader.counted());
    case "bytes":
      return reader.counted();
  }
  return decode(schema, type, reader.counted(), sparse);
}

/**
 * The message in bytes. Lists that are missing are empty, other fields 0, empty or, where they are
 * messages, null; `sparse` leaves these out. Those that the schema does not have are passed by. Raises an
 * `Error` for bytes that are none.
 */
export function decode(
  schema: Schema,
  name: string,
  bytes: Uint8Array,
  sparse = false,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const lists = new Map<number, unknown[]>();
  const fields = new Map<number, readonly [string, Field]>();
  for (const [key, field] of Object.entries(schema[name])) {
    const { id, type, rule } = field;
    fields.set(id, [key, field]);
    if (rule) lists.set(id, []);
    if (rule || !sparse) found[key] = lists.get(id) ?? (isScalar(type) ? EMPTY[type]() : null);
  }
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const [id, wire] = [Math.floor(tag / 8), tag % 8];
    const [key, field] = fields.get(id) ?? [];
    const list = lists.get(id);
    if (key !== undefined && field && wire === wireOf(field.type)) {
      const value = readValue(reader, schema, field.type, sparse);
      if (list) list.push(value);
      else found[key] = value;
    } else if (list && field && isPacked(field) && wire === WIRE.counted) {
      const packed = new Reader(reader.counted());
      while (!packed.isAtEnd) list.push(readValue(packed, schema, field.type, sparse));
    } else reader.skip(wire);
  }
  return found;
}
