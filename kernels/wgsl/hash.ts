/** WGSL of `hash(v)`, 32 bits out of 32: PCG-RXS-M-XS (O'Neill 2014). */
export const HASH: string = /* wgsl */ `
fn hash(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}
`;

/** The hash of {@link HASH}, of a whole number from 0 to 2^32 - 1. */
export function hash(v: number): number {
  const state = (Math.imul(v, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
