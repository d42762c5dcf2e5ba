// How much memory code asks for in arrays of numbers.

/** What was asked for since {@link Meter.reset}. */
export interface Meter extends Disposable {
  /** Bytes of the largest array. */
  readonly largest: number;
  /** Bytes of all arrays. */
  readonly sum: number;
  reset(): void;
}

/** Raised in place of arrays that are larger than any file here could be the reason of. */
export class TooLargeError extends Error {
  override readonly name: string = "TooLargeError";
}

/** Bytes of an array that is not made. */
const MOST = 2 ** 30;

const NAMES = [
  ...["ArrayBuffer", "Uint8Array", "Int8Array", "Uint8ClampedArray", "Uint16Array", "Int16Array"],
  ...["Uint32Array", "Int32Array", "Float16Array", "Float32Array", "Float64Array"],
  ...["BigInt64Array", "BigUint64Array"],
];

/** Counts what is asked for in arrays until it is disposed of. */
export function meterAllocations(): Meter {
  let largest = 0;
  let sum = 0;
  const count = (bytes: number) => {
    if (bytes > MOST) throw new TooLargeError(`an array of ${bytes} bytes`);
    largest = Math.max(largest, bytes);
    sum += bytes;
  };
  const restore = NAMES.map((name) => {
    const original = Reflect.get(globalThis, name);
    const unit: number = original.BYTES_PER_ELEMENT ?? 1;
    const counted = new Proxy(original, {
      construct(target, args, newTarget) {
        const [first] = args;
        if (typeof first === "number") count(first * unit);
        const made = Reflect.construct(target, args, newTarget);
        // Those of a buffer share it.
        const shares = first instanceof ArrayBuffer || first instanceof SharedArrayBuffer;
        if (typeof first !== "number" && !shares) count(made.byteLength);
        return made;
      },
    });
    const put = (constructor: unknown) => {
      Reflect.set(globalThis, name, constructor);
      // From here slice(), map() and the like take it.
      Object.defineProperty(original.prototype, "constructor", {
        value: constructor,
        configurable: true,
        writable: true,
      });
    };
    put(counted);
    return () => put(original);
  });
  return {
    get largest() {
      return largest;
    },
    get sum() {
      return sum;
    },
    reset: () => largest = sum = 0,
    [Symbol.dispose]: () => restore.forEach((put) => put()),
  };
}
