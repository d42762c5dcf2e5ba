import { type Mutant, optionTest } from "./mutant.ts";

const ALGORITHMS_TEST = "tests/conv_algorithms_test.ts";

/** Faults in the choice of algorithms, in what is said of adapters, and in the printing of shaders. */
export const KERNELS: readonly Mutant[] = [
  {
    name: "a measured choice of tile is not looked at",
    file: "kernels/conv/algorithm.ts",
    find: "if (plan) return plan;",
    replace: "",
    test: { file: ALGORITHMS_TEST, name: "choices go before estimates" },
  },
  {
    name: "the worst estimate is taken",
    file: "kernels/conv/algorithm.ts",
    find: "a.time - b.time",
    replace: "b.time - a.time",
    test: { file: ALGORITHMS_TEST, name: "choices go before estimates" },
  },
  {
    name: "the input gradient of images has no algorithm of its own",
    file: "kernels/conv/thin_product.ts",
    find: "g.kernelWidth > 1 &&",
    replace: "g.kernelWidth > 99 &&",
    test: { file: ALGORITHMS_TEST, name: "each algorithm is taken" },
  },
  {
    name: "OpenGL is not named",
    file: "kernels/gpu/adapter.ts",
    find: "info.subgroupMaxSize === 128",
    replace: "info.subgroupMaxSize === 127",
    test: { file: "tests/gpu_test.ts", name: "an adapter of Deno's over OpenGL" },
  },
  {
    name: "a missing adapter is not blamed on the variable",
    file: "cli/error_message.ts",
    find: "if (backend) return",
    replace: "if (!backend) return",
    test: { file: "tests/no_adapter_test.ts", name: "a missing adapter is blamed on nothing" },
  },
  {
    name: "wgsl prints the kernels of another preset",
    file: "cli/case_kernels.ts",
    find: "nullDevice(typicalAdapter(kind)), preset",
    replace: 'nullDevice(typicalAdapter("gpu"))',
    test: optionTest("wgsl", "preset"),
  },
  {
    name: "wgsl prints the first case",
    file: "cli/wgsl.ts",
    find: ": [options.case ?? 0];",
    replace: ": [0];",
    test: optionTest("wgsl", "case"),
  },
  {
    name: "wgsl prints no gradients",
    file: "cli/case_kernels.ts",
    find: 'if (op.vjp === "none") return forward;',
    replace: "return forward;",
    test: { file: "tests/wgsl_test.ts", name: "every case of every op" },
  },
];
