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
    name: "what is kept of concatenated values lies at the start of each",
    file: "nn/compress/small_builder.ts",
    find: "list.map((c) => start + c)",
    replace: "list.map((c) => c)",
    test: { file: LAYERS_TEST, name: "what is kept of a concatenation" },
  },
  {
    name: "values that are tied are cut to the shortest, whatever it has",
    file: "nn/compress/small_builder.ts",
    find: "shortest.filter((c) => sets.every((set) => set.has(c)))",
    replace: "shortest",
    test: { file: "tests/cut_test.ts", name: "values that have kept nothing in common" },
  },
  {
    name: "channels that are added are chosen apart",
    file: "nn/compress/channel_classes.ts",
    find: "      unions.merge(a, b);\n",
    replace: "",
    test: { file: "tests/cut_test.ts", name: "channels that are added go together" },
  },
  {
    name: "weights are cut out of the first rows, whichever are kept",
    file: "nn/compress/cut_parameters.ts",
    find: "(rows ? rows[r] : r)",
    replace: "r",
    test: { file: "tests/cut_test.ts", name: "cut weights have the numbers of the base network" },
  },
  {
    name: "gradients of cut weights go to the first rows",
    file: "kernels/ops/select.ts",
    find: "let into = (first + rows[w])",
    replace: "let into = (first + w)",
    test: {
      file: "tests/ops_test.ts",
      name: "select equals its float64 reference, and so does its gradient, on its whole grid",
    },
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
  {
    name: "the first filters are kept where a half of a value is left without any",
    file: "nn/compress/compressed_filters.ts",
    find: "if (leavesNone(classes, kept)) {",
    replace: "if (false) {",
    test: { file: "tests/adjoin_test.ts", name: "units of ShuffleNet V2" },
  },
  {
    name: "a compression cuts what cannot be parted",
    file: "nn/compress/compressed_filters.ts",
    find: "if (count === 1) return 1;",
    replace: "",
    test: { file: "tests/adjoin_test.ts", name: "what goes together as a whole" },
  },
];
