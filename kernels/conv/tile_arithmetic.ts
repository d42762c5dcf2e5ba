import type { Element } from "./staged.ts";

/**
 * What a tile multiplies with: how its operands lie in workgroup memory, and how products become
 * sums of float32.
 */
export interface TileArithmetic {
  /** The element of the arrays in workgroup memory. */
  readonly element: Element;
  /** How operands are read from memory. */
  readonly read: "bulk" | "half";
  /** Terms of a sum that are multiplied at a time. */
  readonly terms: number;
  /** What the names of its kernels begin and those of its tiles are told apart with. */
  readonly prefix: string;
  /** WGSL that adds products, each of a number and of a vec4 of `element`, to `sum`, a `vec4f`. */
  add(sum: string, products: readonly Product[]): string;
  /** WGSL for a vec4 of `element` of four numbers. */
  vector(numbers: readonly string[]): string;
}

/** WGSL of a number and of a vec4 that it is multiplied with. */
export type Product = readonly [number: string, vec4: string];

/** float32 throughout. */
export const FLOATS: TileArithmetic = {
  element: "vec4f",
  read: "bulk",
  terms: 1,
  prefix: "",
  add: (sum, products) =>
    products.map(([a, b]) => `${sum} = fma(vec4f(${a}), ${b}, ${sum});`).join(" "),
  vector: (numbers) => `vec4f(${numbers.join(", ")})`,
};

/**
 * Half floats, of which eight products at a time are added up as such, two in an instruction; these
 * are added to sums of float32.
 *
 * How far off that is, in the mean: let each rounding to a half float be off by δ = 2^-11 / √3 =
 * 2.8e-4 of the value. Of N independent terms of variance 1, the k-th partial sum of n terms has the
 * variance k, so that n roundings add δ² (1 + … + n) = δ² n (n + 1) / 2, and N/n such sums N δ² (n +
 * 1) / 2; the sum itself has the variance N. It is thus off by δ √((n + 1) / 2) of its norm: 6.0e-4
 * for n = 8, with products that are rounded before they are added (WGSL allows that) 6.5e-4. With
 * the weights and the result rounded as well, δ each, that is 7.6e-4, a quarter of the 3e-3 that ops
 * in half floats are held to. Where all terms have one sign, the partial sums grow with k instead of
 * √k, and the sum with N instead of √N: off by δ √(n / 3) √(n / N) of it, less still from N = n on.
 * The bound is n 2^-11 Σ |a b|. A sum beyond 65,504 is infinite, in a gradient too: the scale of the
 * loss goes down then.
 */
export const HALVES: TileArithmetic = {
  element: "vec4<f16>",
  read: "half",
  terms: 8,
  prefix: "half ",
  add: (sum, [[a, b], ...rest]) =>
    `{ var h = ${a} * ${b}; ${
      rest.map(([a, b]) => `h = fma(vec4<f16>(${a}), ${b}, h);`).join(" ")
    } ${sum} += vec4f(h); }`,
  vector: (numbers) => `vec4<f16>(${numbers.join(", ")})`,
};
