/** The element types a tensor may hold. */
export type ElementType = "f32" | "f16" | "u32";

/** Bytes of an element. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { f32: 4, f16: 2, u32: 4 };

/** Bytes to which ranges of a buffer are aligned, so that each can be bound on every adapter. */
export const ALIGNMENT = 256;

/** The place of a tensor: a range of a buffer. */
export interface Storage {
  /** The buffer, which may hold other tensors too. */
  readonly buffer: GPUBuffer;
  /** Bytes from the start of the buffer; a multiple of 256. */
  readonly offset: number;
}

/** A range of another tensor. */
export interface TensorRange {
  /** The tensor that is no range of another itself. */
  readonly of: Tensor;
  /** Elements from its start, padding included. */
  readonly start: number;
}

/**
 * The number of vec4 that hold `channels` values: the last dimension is padded to a multiple of
 * four.
 */
export function quads(channels: number): number {
  return Math.ceil(channels / 4);
}

/** The number of elements of a shape, without padding. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, d) => product * d, 1);
}

/** The number of elements of a shape whose last dimension is padded to a multiple of four. */
export function paddedElements(shape: readonly number[]): number {
  const last = shape.at(-1) ?? 1;
  return last === 0 ? 0 : elements(shape) / last * quads(last) * 4;
}

/**
 * An array on the GPU. Images are `[batch, height, width, channels]`, convolution weights
 * `[height, width, inputs, outputs]`, and the last dimension is padded to a multiple of four with
 * zeros, so that every row starts on a vec4 and a prefix of channels is a bound in a loop.
 *
 * A tensor of a scope has storage until the scope ends; a tensor of a trace is temporary, and has
 * storage from the time the trace is planned, which it shares with others.
 */
export class Tensor {
  /** The name in errors and GPU tools. */
  readonly name: string;
  /** Sizes, outermost first, without padding. */
  readonly shape: readonly number[];
  /** Number of vec4. */
  readonly quads: number;
  /** Whether it lives inside one program alone, that of the trace which made it. */
  readonly temporary: boolean;
  /** What it is a range of, if it is one. */
  readonly range?: TensorRange;
  /** Its place in a buffer; absent until a trace is planned, and when a scope has ended. */
  storage?: Storage;
  #type: ElementType;

  /** Raises a `TypeError` for a dimension that is not a positive whole number. */
  constructor(
    name: string,
    shape: readonly number[],
    type: ElementType = "f32",
    temporary: boolean = false,
    range?: TensorRange,
  ) {
    if (shape.some((d) => !Number.isInteger(d) || d < 1)) {
      throw new TypeError(
        `Cannot make tensor ${name}: dimensions are whole numbers from 1 on, found [${shape}]`,
      );
    }
    this.name = name;
    this.shape = shape;
    this.#type = type;
    this.temporary = temporary;
    if (range) this.range = range;
    this.quads = paddedElements(shape) / 4;
  }

  /** The type of its elements. */
  get type(): ElementType {
    return this.#type;
  }

  /** Bytes, padding included. */
  get bytes(): number {
    return this.quads * 4 * ELEMENT_BYTES[this.#type];
  }

  /** 32-bit words, padding included. */
  get words(): number {
    return this.bytes / 4;
  }

  /** Keeps numbers of single precision in 16 bits each, before there is memory for them. */
  narrow(): void {
    this.#type = "f16";
  }
}

/** Elements as they lie on the GPU. */
export type Elements =
  | Float32Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>;

/** So many elements of a type, from a byte of a buffer on. */
function elementsAt(type: ElementType, buffer: ArrayBuffer, offset: number, n: number): Elements {
  switch (type) {
    case "f32":
      return new Float32Array(buffer, offset, n);
    case "f16":
      return new Float16Array(buffer, offset, n);
    case "u32":
      return new Uint32Array(buffer, offset, n);
  }
}

/** As {@link elementsAt}, half floats widened. */
export function numbersAt(
  type: ElementType,
  buffer: ArrayBuffer,
  { offset, count }: { readonly offset: number; readonly count: number },
): Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> {
  const found = elementsAt(type, buffer, offset, count);
  return found instanceof Float32Array || found instanceof Uint32Array
    ? found
    : Float32Array.from(found);
}

function demandWhole(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] >>> 0 === values[i]) continue;
    throw new RangeError(
      `Cannot fill a tensor of type u32: wanted whole numbers from 0 to 2^32 - 1, found ` +
        `${values[i]} at ${i}`,
    );
  }
}

/** Lays `values` (row-major, unpadded) out as on the GPU, zeros in the padding. */
export function pad(
  values: ArrayLike<number>,
  shape: readonly number[],
  type: ElementType = "f32",
): Elements {
  const count = elements(shape);
  if (values.length !== count) {
    throw new TypeError(
      `Cannot fill a tensor of shape [${shape}]: it takes ${count} values, found ${values.length}`,
    );
  }
  if (type === "u32" && !(values instanceof Uint32Array)) demandWhole(values);
  const all = paddedElements(shape);
  const padded = elementsAt(type, new ArrayBuffer(all * ELEMENT_BYTES[type]), 0, all);
  const last = shape.at(-1) ?? 1;
  const row = quads(last) * 4;
  if (row === last) padded.set(values);
  else {
    for (let from = 0, to = 0; from < count; from += last, to += row) {
      for (let c = 0; c < last; c++) padded[to + c] = values[from + c];
    }
  }
  return padded;
}

/** Takes the padding off again: the inverse of {@link pad}. */
export function unpad<A extends Float32Array | Uint32Array>(
  padded: A,
  shape: readonly number[],
): A {
  const last = shape.at(-1) ?? 1;
  const row = quads(last) * 4;
  const count = elements(shape);
  if (row === last) return padded.slice(0, count) as A;
  const values = padded.slice(0, count) as A;
  for (let from = 0, to = 0; to < count; from += row, to += last) {
    for (let c = 0; c < last; c++) values[to + c] = padded[from + c];
  }
  return values;
}
