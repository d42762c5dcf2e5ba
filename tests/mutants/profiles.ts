import type { Mutant } from "./mutant.ts";

const TEST = "tests/profile_test.ts";
const TOUCHED = { file: TEST, name: "what a run touches is counted" };
const COMPUTED = { file: TEST, name: "every algorithm of a convolution says what it computes" };

/** Faults in what kernels are said to compute and move. */
export const PROFILES: readonly Mutant[] = [
  {
    name: "what is updated is counted once",
    file: "kernels/program/cost.ts",
    find: '=== "update" ? 2 : 1',
    replace: '=== "update" ? 1 : 1',
    test: TOUCHED,
  },
  {
    name: "a slice counts as the whole filter",
    file: "kernels/conv/gemm.ts",
    find: "touched: { w: usedOfFilter(g) },",
    replace: "",
    test: TOUCHED,
  },
  {
    name: "weight gradients say nothing of what they compute",
    file: "kernels/conv/weight_gradient_parts.ts",
    find: "flops: flopsOf(g),",
    replace: "",
    test: COMPUTED,
  },
  {
    name: "passes count from where they say that they begin",
    file: "kernels/program/pass_times.ts",
    find: "Math.max(begin, last)",
    replace: "begin",
    test: { file: TEST, name: "a pass takes from the end of those before" },
  },
  {
    name: "the farther roof limits",
    file: "bench/profile.ts",
    find: "computing > moving",
    replace: "computing < moving",
    test: { file: TEST, name: "a kernel is limited by the nearer roof" },
  },
];
