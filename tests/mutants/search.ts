import { type Mutant, optionTest } from "./mutant.ts";

/** The numbers of a search. */
export const SEARCH: readonly Mutant[] = [
  {
    name: "--widths-only is ignored",
    file: "cli/actions.ts",
    find: "train: !widthsOnly",
    replace: "train: true",
    test: optionTest("search", "widths-only"),
  },
  {
    name: "--from-scratch is ignored",
    file: "train/search.ts",
    find: "= fromScratch ?",
    replace: "= false ?",
    test: optionTest("search", "from-scratch"),
  },
  {
    name: "--seeds is ignored",
    file: "train/compare/plan.ts",
    find: "{ length: seeds }",
    replace: "{ length: 1 }",
    test: optionTest("compare", "seeds"),
  },
  {
    name: "--divisors is ignored",
    file: "train/search.ts",
    find: "{ trunk, maskFrom, divisors }",
    replace: "{ trunk, maskFrom, divisors: [1, 2, 4, 8] }",
    test: optionTest("search", "divisors"),
  },
  {
    name: "--budget-params is taken for multiply-accumulates",
    file: "train/search.ts",
    find: "search.groups, { budgeted, image }",
    replace: 'search.groups, { budgeted: "macs", image }',
    test: optionTest("search", "budget-params"),
  },
  {
    name: "--search-epochs is ignored",
    file: "train/search.ts",
    find: "widths: undefined, epochs }",
    replace: "widths: undefined }",
    test: optionTest("search", "search-epochs"),
  },
  {
    name: "--search-lr is ignored",
    file: "train/gates.ts",
    find: "prepare({ lr, momentum: 0.9 })",
    replace: "prepare({ lr: 0.05, momentum: 0.9 })",
    test: optionTest("search", "search-lr"),
  },
  {
    name: "--temperature is ignored",
    file: "train/gates.ts",
    find: "from * (to / from) ** t",
    replace: "5 * (to / 5) ** t",
    test: optionTest("search", "temperature"),
  },
  {
    name: "--end-temperature is ignored",
    file: "train/gates.ts",
    find: "from * (to / from) ** t",
    replace: "from * (0.5 / from) ** t",
    test: optionTest("search", "end-temperature"),
  },
  {
    name: "inputs of grouped convolutions and of sums are not gated",
    file: "nn/compress/width_gates.ts",
    find: "return apart ? [{ input, gate: gateFor(wanted) }] : [];",
    replace: "return [];",
    test: { file: "tests/search_test.ts", name: "so they do where groups have whole channels" },
  },
  {
    name: "no gate is behind what shifts a channel",
    file: "nn/compress/width_gates.ts",
    find: '!(rules[i] === "own" || shifts(layer))',
    replace: 'rules[i] !== "own"',
    test: { file: "tests/search_test.ts", name: "so they do on graphs of all kinds" },
  },
  {
    name: "channels that layer norms mix are chosen",
    file: "nn/compress/width_places.ts",
    find: "options.unmixed ? mixed(network, classes) : []",
    replace: "[]",
    test: { file: "tests/search_test.ts", name: "so they do on graphs of all kinds" },
  },
  {
    name: "a choice can leave a value without channels",
    file: "nn/compress/width_places.ts",
    find: "if (!more.length) return found;",
    replace: "return found;",
    test: {
      file: "tests/width_groups_test.ts",
      name: "on graphs of all kinds of layers choices cost",
    },
  },
  {
    name: "grouped convolutions cost nothing in a search",
    file: "nn/compress/width_cost.ts",
    find: 'budgeted === "macs" ? macs * pixels : singles',
    replace: 'budgeted === "macs" ? 0 : singles',
    test: {
      file: "tests/width_groups_test.ts",
      name: "on graphs of all kinds of layers choices cost",
    },
  },
];
