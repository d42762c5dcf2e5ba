import type { Mutant } from "./mutant.ts";

const STATE_TEST = "tests/network_state_test.ts";

/** Numbers that come out wrong by little, or rarely. */
export const ARITHMETIC: readonly Mutant[] = [
  {
    name: "adamw corrects its second moment one step late",
    file: "train/learner.ts",
    find: "o.beta2 ** this.#steps",
    replace: "o.beta2 ** Math.max(1, this.#steps - 1)",
    test: { file: "tests/learner_test.ts", name: "adamw's moments are corrected" },
  },
  {
    name: "running statistics have another momentum",
    file: "nn/layers/batch_norm.ts",
    find: "MOMENTUM = 0.1",
    replace: "MOMENTUM = 0.2",
    test: { file: STATE_TEST, name: "a step moves running statistics a tenth of the way" },
  },
  {
    name: "norms marked zero start at 1",
    file: "nn/layers/batch_norm.ts",
    find: "zero ? 0 : 1",
    replace: "zero ? 1 : 1",
    test: { file: STATE_TEST, name: "norms start at scale 1" },
  },
  {
    name: "of equals the last is the maximum of a pool",
    file: "kernels/ops/max_pool2d.ts",
    find: "(value > best)",
    replace: "(value >= best)",
    test: { file: "tests/ops_test.ts", name: "of equal values in a window" },
  },
  {
    name: "extraction ignores kept taps",
    file: "nn/compress/adjoined_state.ts",
    find: "kindOf(layer).stored?.(layer, part, own) ?? own",
    replace: "own",
    test: { file: STATE_TEST, name: "a filter that is cut out has zeros" },
  },
  {
    name: "taps above 32 are those below",
    file: "kernels/wgsl/geometry.ts",
    find: "bits(32)",
    replace: "bits(0)",
    test: { file: "tests/ops_test.ts", name: "a masked conv2d keeps the very taps" },
  },
  {
    name: "folding leaves eps out",
    file: "nn/layers/batch_norm.ts",
    find: "Math.sqrt(variance[o] + eps)",
    replace: "Math.sqrt(variance[o])",
    test: { file: STATE_TEST, name: "a folded norm divides by the root" },
  },
  {
    name: "a tape never clears",
    file: "nn/tape.ts",
    find: "if (first && !gradient.complete)",
    replace: "if (false)",
    test: { file: "tests/tape_test.ts", name: "the gradient of a slice leaves zeros" },
  },
  {
    name: "a kernel's input and output share a buffer",
    file: "kernels/program/plan.ts",
    find: "apart.part(writes, [...reads, ",
    replace: "apart.part(writes, [",
    test: { file: "tests/plan_test.ts", name: "what a kernel reads and what it writes" },
  },
  {
    name: "a kernel's input and output share a texture",
    file: "kernels/program/plan.ts",
    find: "apart.part([stored], [...loads, ",
    replace: "apart.part([stored], [",
    test: { file: "tests/plan_test.ts", name: "what a kernel loads and what it stores" },
  },
  {
    name: "a kernel's input and output share memory",
    file: "kernels/program/plan.ts",
    find: "life.first <= last && first <= life.last",
    replace: "life.first < last && first < life.last",
    test: { file: "tests/plan_test.ts", name: "a result that nobody reads" },
  },
  {
    name: "batch norm's dx lacks the mean of the gradient",
    file: "kernels/ops/normalize.ts",
    find: "let offset = scale * dbias(c) / dims.pixels - rest(c) * slope;",
    replace: "let offset = -rest(c) * slope;",
    test: {
      file: "tests/ops_test.ts",
      name: "batch norm equals its float64 reference, and so does its gradient, on its whole grid",
    },
  },
  {
    name: "batch norm's dx lacks what flows through the variance",
    file: "kernels/ops/normalize.ts",
    find: "let slope = scale * inverse * dweight(c) / dims.pixels;",
    replace: "let slope = vec4f();",
    test: {
      file: "tests/ops_test.ts",
      name: "batch norm equals its float64 reference, and so does its gradient, on its whole grid",
    },
  },
  {
    name: "batch norm's dx lacks the rest of the mean",
    file: "kernels/ops/normalize.ts",
    find: "dims.pixels - rest(c) * slope;",
    replace: "dims.pixels;",
    test: {
      file: "tests/ops_test.ts",
      name: "batch norm equals its float64 reference, and so does its gradient, on its whole grid",
    },
  },
];
