import type { Mutant } from "./mutant.ts";

const COPIES_TEST = "tests/half_copies_test.ts";
const TILES_TEST = "tests/half_tiles_test.ts";
const WIDE_TEST = "tests/wide_test.ts";

/** Faults in how half floats are read, multiplied and stored. */
export const HALF_FLOATS: readonly Mutant[] = [
  {
    name: "each reading of weights copies all of them",
    file: "kernels/program/half_copies.ts",
    find: "const made = this.#copies.get(x);",
    replace: "const made: Tensor | undefined = undefined;",
    test: { file: COPIES_TEST, name: "a mixed step copies all weights" },
  },
  {
    name: "a copy of weights outlives a change of them",
    file: "kernels/program/half_copies.ts",
    find: "if (stale.includes(x.range?.of ?? x)) this.#copies.delete(x);",
    replace: "",
    test: { file: COPIES_TEST, name: "a copy in half floats is made anew" },
  },
  {
    name: "filters begin where copies of them are not aligned",
    file: "nn/parameters.ts",
    find: "spec.shape.length > 1 ? 2 * words : words",
    replace: "words",
    test: { file: COPIES_TEST, name: "a copy in half floats is made anew" },
  },
  {
    name: "gathered weights stay float32",
    file: "kernels/program/narrowed.ts",
    find: "marked.union(halves.difference(floats))",
    replace: "marked",
    test: { file: COPIES_TEST, name: "what is computed with copies" },
  },
  {
    name: "a sum of half floats leaves out its first product",
    file: "kernels/conv/tile_arithmetic.ts",
    find: "add: (sum, [[a, b], ...rest]) =>",
    replace: "add: (sum, [, [a, b], ...rest]) =>",
    test: { file: TILES_TEST, name: "tiles of half floats equal" },
  },
  {
    name: "tiles of half floats are for float32, too",
    file: "kernels/conv/half_tiles.ts",
    find: 'work.precision === "mixed" && ',
    replace: "",
    test: { file: TILES_TEST, name: "tiles of half floats are taken" },
  },
  {
    name: "both vec4 of a pair have the channels of the first",
    file: "kernels/wgsl/elementwise.ts",
    find: "(2u * i + ${k}u) % dims.channel_quads",
    replace: "(2u * i) % dims.channel_quads",
    test: { file: WIDE_TEST, name: "what works on half floats in pairs" },
  },
  {
    name: "an odd number of vec4 is taken in pairs",
    file: "kernels/program/assemble_trace.ts",
    find: "bulk.every(({ quads }) => quads % 2 === 0)",
    replace: "bulk.length > 0",
    test: { file: WIDE_TEST, name: "pairs of vec4 are for half floats" },
  },
];
