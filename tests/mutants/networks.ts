import type { Mutant } from "./mutant.ts";

const LAYERS_TEST = "tests/layers_test.ts";

/** Networks that are taken although they should be refused, and counts of another meaning. */
export const NETWORKS: readonly Mutant[] = [
  {
    name: "unknown options of layers pass",
    file: "nn/read_layer.ts",
    find: "if (unknown === undefined) return;",
    replace: "if (unknown !== null) return;",
    test: { file: LAYERS_TEST, name: "an option that there is not" },
  },
  {
    name: "a linear layer on an image passes",
    file: "nn/read_layer.ts",
    find: 'kind.takes === "features" && flat.includes(false)',
    replace: 'kind.takes === "features" && flat.length > 1',
    test: { file: LAYERS_TEST, name: "a linear layer on an image" },
  },
  {
    name: "a masked convolution before a concatenation passes",
    file: "nn/compress/adjoin.ts",
    find: "if (!inputs.some(isNarrower)) return;",
    replace: "if (!inputs.every(isNarrower)) return;",
    test: { file: LAYERS_TEST, name: "what is concatenated has to be whole" },
  },
  {
    name: "sums of unequal sides pass",
    file: "nn/count.ts",
    find: "if (other) {",
    replace: "if (other && others.length > 1) {",
    test: { file: LAYERS_TEST, name: "a value of different sides is refused" },
  },
  {
    name: "a checkpoint is written unchecked",
    file: "export/checkpoint.ts",
    find: "  checkSaved(network, state, info);\n",
    replace: "",
    test: { file: LAYERS_TEST, name: "what a file cannot have is not written" },
  },
  {
    name: "params are without the classifier",
    file: "nn/count.ts",
    find: "    params,\n    backboneParams",
    replace: "    params: params - classifierParams,\n    backboneParams",
    test: { file: LAYERS_TEST, name: "parameters are counted as they are made" },
  },
  {
    name: "widths are looked up among what objects have of themselves",
    file: "nn/compress/adjoin.ts",
    find: "values && Object.hasOwn(values, name) ? values[name]",
    replace: "values ? values[name]",
    test: { file: LAYERS_TEST, name: "layers may have the names that objects have" },
  },
];
