import { HASH, hash } from "./hash.ts";

/** The types of the numbers that kernels take to drop parts of a value. */
export const DROP_DIMS = { stream: "u32", rest: "u32", scale: "f32" } as const;

/**
 * `key()`: 32 bits that differ from step to step and from stream to stream; `kept(i, key)`: whether
 * the i-th part stays, out of the seed and the step in `noise`.
 */
export const DROPPING = /* wgsl */ `
${HASH}
fn key() -> u32 { return hash(dims.stream + hash(noise[1] + hash(noise[0]))); }
fn kept(i: u32, key: u32) -> bool { return (hash(i + key) >> 8u) < dims.rest; }`;

/** The share of parts that are dropped, and which of many draws of a step this is. */
export interface Dropping {
  /** The share that is dropped, from 0 to below 1. */
  readonly rate: number;
  /** Tells the draws of one step apart, 0 to 2^32 - 1. */
  readonly stream: number;
}

/** Parts that are kept, out of 2^24. */
function restOf(rate: number): number {
  return Math.round((1 - rate) * 2 ** 24);
}

/** The numbers of {@link DROP_DIMS}. */
export function dropDims({ rate, stream }: Dropping): Record<keyof typeof DROP_DIMS, number> {
  return { stream, rest: restOf(rate), scale: 1 / (1 - rate) };
}

/** Whether the i-th part is kept, as {@link DROPPING} has it. */
export function keeps(
  { rate, stream }: Dropping,
  [seed, step]: ArrayLike<number> & Iterable<number>,
): (i: number) => boolean {
  const key = hash((stream + hash((step + hash(seed)) >>> 0)) >>> 0);
  const rest = restOf(rate);
  return (i) => hash((i + key) >>> 0) >>> 8 < rest;
}

/** Raises errors for a rate, a stream, or a seed and a step that are none. */
export function checkDropping(
  name: string,
  noise: { readonly shape: readonly number[] },
  { rate, stream }: Dropping,
): void {
  if (String(noise?.shape) !== "2") {
    throw new TypeError(
      `Cannot apply ${name}: wanted a seed and a step [2], of type u32, found ` +
        (noise ? `[${noise.shape}]` : "none"),
    );
  }
  if (!(rate >= 0 && rate < 1)) {
    throw new RangeError(`Cannot apply ${name}: wanted a rate from 0 to below 1, found ${rate}`);
  }
  if (stream >>> 0 !== stream) {
    throw new RangeError(
      `Cannot apply ${name}: wanted a stream from 0 to 2^32 - 1, found ${stream}`,
    );
  }
}
