import type { Mutant } from "./mutant.ts";

const TEST = "tests/importance_test.ts";

/** Filters that are kept although others matter more, and norms that are not estimated. */
export const IMPORTANCE: readonly Mutant[] = [
  {
    name: "convolutions of larger weights decide which filters are kept",
    file: "nn/compress/importance.ts",
    find: "mean > 0 ? norms.map((norm) => norm / mean) : norms",
    replace: "mean > 0 ? norms : norms",
    test: { file: TEST, name: "filters that are added" },
  },
  {
    name: "a gain of the loss by a filter counts as no matter",
    file: "nn/compress/importance.ts",
    find: "return sums.map(Math.abs);",
    replace: "return sums;",
    test: { file: TEST, name: "taylor scores" },
  },
  {
    name: "statistics are moved, and not estimated",
    file: "train/norm_statistics.ts",
    find: "momentum: 1,",
    replace: "momentum: 0.1,",
    test: { file: TEST, name: "estimated statistics" },
  },
  {
    name: "a search keeps the first filters of given weights",
    file: "train/search.ts",
    find: ", scores: ranks }",
    replace: " }",
    test: { file: "tests/importance_run_test.ts", name: "a search keeps the filters that matter" },
  },
  {
    name: "a search that goes on forgets the order of filters",
    file: "train/resume/saving.ts",
    find: "        ...this.#job.ranks && { ranks: this.#job.ranks },\n",
    replace: "",
    test: { file: "tests/importance_run_test.ts", name: "a search keeps the filters that matter" },
  },
  {
    name: "filters that no norm scales count as nothing",
    file: "nn/compress/importance.ts",
    find: "norms[c] > 0 ? found : magnitude[c]",
    replace: "found",
    test: { file: TEST, name: "by norms, filters that none scales" },
  },
  {
    name: "a run that goes on keeps the first filters",
    file: "cli/run/open_run.ts",
    find: "{ ...options, importance, widths }",
    replace: "{ ...options, importance }",
    test: { file: "tests/importance_run_test.ts", name: "a run that chose its filters" },
  },
];
