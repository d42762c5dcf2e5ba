// Mutations of files that know nothing of their formats.
import type { Random } from "../../data/random.ts";

/** Values of a byte at which readers go wrong. */
const BYTES = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d, 0x5c, 0x1f, 0x8b];

/** Numbers at which readers of fields of 8 bytes go wrong; smaller fields take their low bytes. */
const WORDS = [
  ...[0n, 1n, 7n, 8n, 0x7fn, 0xffn, 0x7fffn, 0xffffn, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n, 100_000_000n, 100_000_001n],
];

/** One of some values. */
export function oneOf<T>(random: Random, values: readonly T[]): T {
  return values[random.integer(values.length)];
}

/** Bytes with `count` of them from `at` on replaced by others. */
export function spliced(
  bytes: Uint8Array,
  at: number,
  count: number,
  inserted: Uint8Array = new Uint8Array(),
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(bytes.length - count + inserted.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(bytes.subarray(at + count), at + inserted.length);
  return result;
}

/** A part of some bytes: where it begins, and its length, mostly small. */
function part(bytes: Uint8Array, random: Random): [number, number] {
  const at = random.integer(bytes.length + 1);
  const most = random.integer(4) ? Math.min(16, bytes.length - at) : bytes.length - at;
  return [at, random.integer(most + 1)];
}

function noise(count: number, random: Random): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.bits() & 255);
}

/** A mutation of some bytes; `other` is another file of the kind. */
type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

function changed(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  if (copy.length > 0) change(copy);
  return copy;
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flip: (bytes, random) =>
    changed(bytes, (copy) => {
      for (let n = 1 + random.integer(4); n > 0; n--) {
        copy[random.integer(copy.length)] ^= 1 << random.integer(8);
      }
    }),
  byte: (bytes, random) =>
    changed(bytes, (copy) => copy[random.integer(copy.length)] = oneOf(random, BYTES)),
  word: (bytes, random) =>
    changed(bytes, (copy) => {
      const size = Math.min(oneOf(random, [2, 4, 8]), copy.length);
      // Fields with sizes are at the beginning of most formats.
      const end = random.integer(2) ? Math.min(copy.length, 32) : copy.length;
      const at = random.integer(Math.max(end - size, 0) + 1);
      const word = oneOf(random, WORDS);
      const little = random.integer(2) === 0;
      for (let i = 0; i < size; i++) {
        copy[at + (little ? i : size - 1 - i)] = Number((word >> BigInt(8 * i)) & 255n);
      }
    }),
  truncate: (bytes, random) => bytes.slice(0, random.integer(bytes.length + 1)),
  behead: (bytes, random) => bytes.slice(random.integer(Math.min(bytes.length, 16) + 1)),
  append: (bytes, random) =>
    spliced(bytes, bytes.length, 0, random.integer(2) ? new Uint8Array(7) : noise(9, random)),
  insert: (bytes, random) =>
    spliced(bytes, random.integer(bytes.length + 1), 0, noise(1 + random.integer(8), random)),
  remove: (bytes, random) => spliced(bytes, ...part(bytes, random)),
  repeat: (bytes, random) => {
    const [at, count] = part(bytes, random);
    return spliced(bytes, at, 0, bytes.subarray(at, at + count));
  },
  exchange: (bytes, random, other) => {
    const [from, count] = part(other, random);
    const at = random.integer(bytes.length + 1);
    const room = Math.min(count, bytes.length - at);
    return spliced(bytes, at, room, other.subarray(from, from + count));
  },
  join: (bytes, random, other) =>
    spliced(
      bytes.slice(0, random.integer(bytes.length + 1)),
      0,
      0,
      other.subarray(0, random.integer(other.length + 1)),
    ),
  cross: (bytes, random, other) => {
    const at = random.integer(bytes.length + 1);
    return spliced(bytes, at, bytes.length - at, other.subarray(Math.min(at, other.length)));
  },
};

const ALL = Object.values(MUTATIONS);

/** How often a file is mutated: mostly once, as more are refused before they are looked at. */
export function timesMutated(random: Random): number {
  return random.integer(3) ? 1 : 1 + random.integer(4);
}

/** A file with one mutation or a few: bits, bytes, numbers, parts, parts of another file. */
export function mutatedBytes(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let result = bytes;
  for (let n = timesMutated(random); n > 0; n--) {
    result = oneOf(random, ALL)(result, random, other);
  }
  return result;
}
