import { type Mutant, optionTest } from "./mutant.ts";

const METHODS_TEST = "tests/compare_methods_test.ts";

/** Methods of comparisons, and their runs. */
export const COMPARISONS: readonly Mutant[] = [
  {
    name: "--methods is ignored",
    file: "cli/options.ts",
    find: "values.methods?.includes(name) ?? true",
    replace: "true || name",
    test: optionTest("compare", "methods"),
  },
  {
    name: "--prune-by is ignored",
    file: "train/compare/compare.ts",
    find: "const { read, find, pruneBy = ",
    replace: "const pruneBy = { read: 0 }.read ? 'l1' : 'l2'; const { read, find, pruneBy: _ = ",
    test: optionTest("compare", "prune-by"),
  },
  {
    name: "what a method starts from is not trained",
    file: "train/compare/methods.ts",
    find: "for (const needed of method.needs ?? []) add(needed);",
    replace: "",
    test: { file: METHODS_TEST, name: "methods are trained in one order" },
  },
  {
    name: "options of methods that are not compared are taken",
    file: "cli/options.ts",
    find: "if (of.some((method) => methods.includes(method))) continue;",
    replace: "if (of.length) continue;",
    test: { file: METHODS_TEST, name: "options of methods that are not compared" },
  },
  {
    name: "runs that have ended are trained again",
    file: "train/compare/plan.ts",
    find: "return this.#ended.has(folderOf(name, seed));",
    replace: "return this.#ended.has(name + seed);",
    test: { file: METHODS_TEST, name: "none is trained again" },
  },
  {
    name: "the run of a state that has ended is trained again",
    file: "train/compare/compare.ts",
    find: "if (from && await isOver(from, ended)) plan.endOf(from);",
    replace: "await isOver;",
    test: { file: METHODS_TEST, name: "none is trained again" },
  },
  {
    name: "methods that are added take the place of others",
    file: "cli/resumed_options.ts",
    find: "const values = { ...read, ...grown };",
    replace: "const values = { ...grown, ...read };",
    test: { file: METHODS_TEST, name: "none is trained again" },
  },
  {
    name: "runs that have ended count as work that is left",
    file: "train/compare/plan.ts",
    find: ".filter(({ method, seed }) => !this.hasEnded(method, seed));",
    replace: ".filter(({ method }) => method);",
    test: { file: METHODS_TEST, name: "the work that is left" },
  },
  {
    name: "all runs go at the last pace",
    file: "train/estimate.ts",
    find: "if (this.of !== undefined) this.#named.set(`${this.of} ${stage}`, pace);",
    replace: "",
    test: { file: "tests/estimate_test.ts", name: "runs go at the pace of one of their name" },
  },
  {
    name: "small networks are said to cost as much as the base network",
    file: "cli/report/compare_table.ts",
    find: "row[budgeted] / base[budgeted]",
    replace: "row[budgeted] / row[budgeted]",
    test: { file: "tests/compare_test.ts", name: "the mean and the deviation" },
  },
];
