import type { Mutant } from "./mutant.ts";

/** A test of files that are made to mislead. */
function trick(name: string): Mutant["test"] {
  return { file: "tests/file_tricks_test.ts", name };
}

/** What would be read out of files that are damaged, or made to mislead. */
export const FILES: readonly Mutant[] = [
  {
    name: "of a key that occurs twice the last counts",
    file: "data/json.ts",
    find: "if (keys?.has(key))",
    replace: "if (keys?.has(key + key))",
    test: trick("a key that JSON has twice is refused by its name in every file"),
  },
  {
    name: "__proto__ is a key",
    file: "data/json.ts",
    find: "if (key === RESERVED)",
    replace: "if (key === RESERVED.slice(1))",
    test: trick("__proto__ is refused as a key, and constructor is nothing but a name"),
  },
  {
    name: "classes may be paths",
    file: "data/unfit_name.ts",
    find: "pattern.test(name))?.[1]",
    replace: 'pattern.test("" + name.length))?.[1]',
    test: trick("classes that are called as paths are refused by their names"),
  },
  {
    name: "shapes without end are taken",
    file: "data/safetensors_header.ts",
    find: "if (!isCountable(shape))",
    replace: "if (!isCountable([]))",
    test: trick("shapes that are too large for any file are refused"),
  },
  {
    name: "room is taken for what a packed file promises",
    file: "data/byte_source.ts",
    find: "FIRST_ROOM = 1 << 20",
    replace: "FIRST_ROOM = 1 << 30",
    test: trick("a packed file that promises more than it holds takes no memory for it"),
  },
  {
    name: "fields of config.json have any value",
    file: "cli/run/images_config.ts",
    find: 'checkNumber("read it", field, value, range);',
    replace: 'checkNumber("read it", field, Number(value ?? 0), {});',
    test: trick("fields of other kinds are refused by their names"),
  },
  {
    name: "a pipe is read as config.json",
    file: "cli/run/holds_run.ts",
    find: "if (!isFile || size > LONGEST_TEXT) return false;",
    replace: "if (!isFile || size > LONGEST_TEXT) return true;",
    test: trick("a folder whose config.json is a pipe or of gigabytes is none of a run"),
  },
  {
    name: "a checkpoint with NaN is gone on from",
    file: "train/resume/training_state.ts",
    find: "  checkValues(values, refuse);\n",
    replace: "",
    test: trick("checkpoints of a run with fields or values that no run has are refused"),
  },
  {
    name: "whole numbers are taken for weights, which become zeros",
    file: "train/resume/snapshots.ts",
    find: "      if (!other) continue;",
    replace: "      if (!other || other) continue;",
    test: {
      file: "tests/snapshots_test.ts",
      name: "a snapshot is put back, and one of another run is refused by what it lacks",
    },
  },
  {
    name: "a reader of mutated files may raise any error",
    file: "tests/torture/examine.ts",
    find: "if (!(error instanceof DataError))",
    replace: "if (!(error instanceof Error))",
    test: {
      file: "tests/mutated_files_test.ts",
      name: "readers that are slow, take too much or raise other errors are found",
    },
  },
];
