import type { Mutant } from "./mutant.ts";

const ERRORS = "kernels/gpu/device_errors.ts";
const ERRORS_TEST = "tests/device_errors_test.ts";
const RECOVERY_TEST = "tests/recovery_test.ts";
const PARTS_TEST = "tests/parts_test.ts";

/** Faults in what is made of a lost device and of memory that runs out. */
export const DEVICES: readonly Mutant[] = [
  {
    name: "memory that runs out is a refusal of work",
    file: ERRORS,
    find: "    if (full) throw full;\n",
    replace: "",
    test: { file: ERRORS_TEST, name: "memory that the device does not have is told by name" },
  },
  {
    name: "the last allocation is blamed for the memory",
    file: ERRORS,
    find: "this.#full ??=",
    replace: "this.#full =",
    test: { file: ERRORS_TEST, name: "memory that the device does not have is told by name" },
  },
  {
    name: "a lost device is not waited for",
    file: ERRORS,
    find: "await Promise.race([this.#toLose, late]);",
    replace: "await Promise.race([late, Promise.resolve()]);",
    test: { file: ERRORS_TEST, name: "error scopes that a lost device does not have" },
  },
  {
    name: "a lost device is lost once",
    file: ERRORS,
    find: "if (this.#lost !== undefined) throw new DeviceLostError(this.#lost);\n    if (refused",
    replace: "if (this.#lost !== undefined) {\n      const lost = this.#lost;\n" +
      "      this.#lost = undefined;\n      throw new DeviceLostError(lost);\n    }\n    if (refused",
    test: { file: ERRORS_TEST, name: "a lost device is told by its own error when" },
  },
  {
    name: "a run whose device is lost starts again",
    file: "train/recovery.ts",
    find: "const last = await keeper.last() ?? from;",
    replace: "const last = from;",
    test: { file: RECOVERY_TEST, name: "a run goes on from its last checkpoint" },
  },
  {
    name: "losses are counted from the beginning of the run",
    file: "train/recovery.ts",
    find: "if (placeOf(last) !== placeOf(state)) attempts = 0;",
    replace: "",
    test: { file: RECOVERY_TEST, name: "a run that keeps no new checkpoint is given up" },
  },
  {
    name: "parts of a batch are of several sizes",
    file: "train/parts.ts",
    find: "if (batchSize % more) continue;",
    replace: "",
    test: { file: PARTS_TEST, name: "auto takes the fewest parts that fit" },
  },
];
