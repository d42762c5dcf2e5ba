import type { Mutant } from "./mutant.ts";

const LOOPS_TEST = "tests/loops_test.ts";
const ALIVE_TEST = "tests/alive_test.ts";
const STEP = {
  file: "tests/misuse_test.ts",
  name: "steps, learners, evaluations and gates refuse what they cannot use",
};

/** What would go on in silence, with wrong results, if it were not refused. */
export const REFUSALS: readonly Mutant[] = [
  {
    name: "loops that the adapter cuts short are run",
    file: "kernels/program/loops.ts",
    find: "if (found <= gpu.iterations) return;",
    replace: "if (found > 0) return;",
    test: { file: LOOPS_TEST, name: "a kernel with loops has to count them" },
  },
  {
    name: "rows of many logits count too few iterations",
    file: "kernels/ops/logit_rows.ts",
    find: "return loops * (",
    replace: "return 0.5 * loops * (",
    test: { file: LOOPS_TEST, name: "kernels make no more iterations than they say" },
  },
  {
    name: "rows of many logits are not shared",
    file: "kernels/ops/logit_rows.ts",
    find: "MANY_CLASSES = 4096",
    replace: "MANY_CLASSES = Infinity",
    test: {
      file: LOOPS_TEST,
      name: "long loops of cross entropy are right or refused on both presets",
    },
  },
  {
    name: "large windows of an average pool are walked by one invocation",
    file: "kernels/ops/avg_pool2d.ts",
    find: "LARGEST = 16",
    replace: "LARGEST = Infinity",
    test: {
      file: LOOPS_TEST,
      name: "long loops of avg pool2d are right or refused on both presets",
    },
  },
  {
    name: "what nothing has written to is read",
    file: "kernels/program/plan.ts",
    find: "  demandWritten(commands);\n",
    replace: "",
    test: { file: ALIVE_TEST, name: "a tensor that is read before anything is written to it" },
  },
  {
    name: "tensors of other traces are used",
    file: "kernels/program/trace.ts",
    find: "if (tensor.temporary) {",
    replace: "if (tensor.temporary) return;\n    if (tensor.temporary) {",
    test: {
      file: ALIVE_TEST,
      name: "tensors of a trace are read and written by its program alone",
    },
  },
  {
    name: "tensors of scopes that have ended are used",
    file: "kernels/program/trace.ts",
    find: "    this.gpu.storageOf(tensor, where);",
    replace: "",
    test: {
      file: ALIVE_TEST,
      name: "weights whose scope has ended are refused",
    },
  },
  {
    name: "programs run after the scope of their tensors has ended",
    file: "kernels/program/program.ts",
    find: "if (this.#gpu.owns(buffer)) continue;",
    replace: "if (buffer) continue;",
    test: { file: ALIVE_TEST, name: "a program is not run after its scope" },
  },
  {
    name: "labels that are no classes are trained on",
    file: "train/batch_check.ts",
    find: "labels[i] >= source.classes.length",
    replace: "labels[i] < 0",
    test: STEP,
  },
  {
    name: "crops beside the image are trained on",
    file: "train/batch_check.ts",
    find: "Math.min(x0, x1) < source && Math.max(x0, x1) > 0",
    replace: "x0 === x0",
    test: STEP,
  },
  {
    name: "a learning rate that is no number is taken",
    file: "data/number_check.ts",
    find: "isNumber && Number.isFinite(value) &&",
    replace: "isNumber && Number.isNaN(value) || isNumber &&",
    test: STEP,
  },
  {
    name: "the library takes options that do not go together",
    file: "library/resolve.ts",
    find: "?? conflict(found, {",
    replace: "?? conflict({}, {",
    test: {
      file: "tests/library_test.ts",
      name: "options that cannot be used are refused at once",
    },
  },
  {
    name: "NO_COLOR is not heeded",
    file: "cli/colour.ts",
    find: "stream.isTerminal() && !noColor",
    replace: "stream.isTerminal() && noColor !== null",
    test: { file: "tests/colour_test.ts", name: "a terminal has colours unless NO_COLOR is set" },
  },
];
