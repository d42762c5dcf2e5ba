import type { ReadTensor } from "./message.ts";

/** The number of images, which is any. */
export const BATCH = "batch";

/** A number of a constant; the number of images is not known. */
export type Size = number | typeof BATCH;

/** A tensor that does not depend on the image. */
export interface Constant {
  readonly kind: "constant";
  /** Sizes, outermost first. */
  readonly shape: readonly number[];
  /** Its numbers, row-major: weights. */
  readonly floats?: Float32Array;
  /** Its numbers, row-major: sizes, axes and the like. */
  readonly sizes?: readonly Size[];
  /** The name that the file has for it, if any. */
  readonly name?: string;
}

/** Names of ONNX's element types, by number. */
const ELEMENTS: readonly string[] = [
  ...["no type", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string"],
  ...["bool", "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16"],
];

const FLOAT32 = 1;
const INT32 = 6;
const INT64 = 7;
const BOOL = 9;

/** An element type in words. */
export function elementName(type: number): string {
  return ELEMENTS[type] ?? `type ${type}`;
}

/** Whether an element type is the one that networks are read from. */
export function isFloat32(type: number): boolean {
  return type === FLOAT32;
}

/** The numbers in the bytes of a tensor, which need not be aligned. */
function rawNumbers({ dataType, rawData }: ReadTensor): Float32Array | readonly number[] {
  const { buffer } = Uint8Array.from(rawData);
  switch (dataType) {
    case FLOAT32:
      return new Float32Array(buffer);
    case INT32:
      return [...new Int32Array(buffer)];
    case INT64:
      return [...new BigInt64Array(buffer)].map(Number);
    default:
      return [...rawData];
  }
}

const BYTES: Readonly<Record<number, number>> = { [FLOAT32]: 4, [INT32]: 4, [INT64]: 8, [BOOL]: 1 };

function listedNumbers(tensor: ReadTensor): Float32Array | readonly number[] {
  switch (tensor.dataType) {
    case FLOAT32:
      return Float32Array.from(tensor.floatData);
    case INT64:
      return tensor.int64Data;
    default:
      return tensor.int32Data;
  }
}

/**
 * A tensor as a constant. Tells `refuse` what is wrong with one of other types, with its numbers in
 * another file, or whose numbers are not as many as its sizes say.
 */
export function readTensor(tensor: ReadTensor, refuse: (reason: string) => never): Constant {
  const { dims, dataType, rawData, dataLocation, name } = tensor;
  if (dataLocation !== 0) {
    return refuse(
      "wanted its numbers in the file, found them in another one; save the model with " +
        "save_as_external_data=False",
    );
  }
  const bytes = BYTES[dataType];
  if (bytes === undefined) {
    return refuse(`wanted float32, int32 or int64, found ${elementName(dataType)}`);
  }
  const count = dims.reduce((product, size) => product * size, 1);
  const sizes = dims.length ? dims.join("x") : "a single number";
  if (!dims.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    return refuse(`wanted sizes from 0 on, found ${sizes}`);
  }
  if (rawData.length > 0 && rawData.length !== count * bytes) {
    return refuse(`wanted ${count * bytes} bytes for ${sizes}, found ${rawData.length}`);
  }
  const numbers = rawData.length ? rawNumbers(tensor) : listedNumbers(tensor);
  if (numbers.length !== count) {
    return refuse(`wanted ${count} numbers for ${sizes}, found ${numbers.length}`);
  }
  return {
    kind: "constant",
    shape: dims,
    ...numbers instanceof Float32Array ? { floats: numbers } : { sizes: numbers },
    ...name === "" ? {} : { name },
  };
}

/** A constant of whole numbers. */
export function sizesConstant(sizes: readonly Size[], shape?: readonly number[]): Constant {
  return { kind: "constant", shape: shape ?? [sizes.length], sizes };
}

/** The numbers of a constant as a list. */
export function numbersOf({ floats, sizes }: Constant): readonly Size[] {
  return sizes ?? [...floats ?? []];
}
