import type { Mutant } from "./mutant.ts";

const FOLDERS_TEST = "tests/class_folders_test.ts";
const PICTURES = "data/sets/picture_folder.ts";
const LAYOUT = "data/sets/class_folders.ts";
const NORMALIZATION = "data/picture_normalization.ts";
const COMMAND_TEST = "tests/data_command_test.ts";

const links = {
  file: FOLDERS_TEST,
  name: "links are followed, loops are not, and no picture is counted twice through one",
};
const entries = {
  file: FOLDERS_TEST,
  name: "hidden entries are passed over without a word, others with one",
};
const sample = {
  file: FOLDERS_TEST,
  name: "pictures are normalised by a seeded sample, each with one weight",
};
const copies = {
  file: COMMAND_TEST,
  name: "data names broken pictures, copies, leaks and copies under two classes",
};

/** Pictures in folders that are found wrongly, and a check of them that finds less. */
export const PICTURE_SETS: readonly Mutant[] = [
  {
    name: "links to folders above are followed",
    file: PICTURES,
    find: "if (holds || this.#read.has(real))",
    replace: "if (this.#read.has(real))",
    test: links,
  },
  {
    name: "folders are read again through links",
    file: PICTURES,
    find: "if (holds || this.#read.has(real))",
    replace: "if (holds)",
    test: links,
  },
  {
    name: "links are followed before folders that are none",
    file: PICTURES,
    find: "if (info.isSymbolicLink()) walk.addLink({ path, label, inside: real });",
    replace: "if (info.isSymbolicLink()) await walk.folder({ path, real: path, label });",
    test: links,
  },
  {
    name: "names of the Finder and of Windows are taken for files",
    file: PICTURES,
    find: 'return name.startsWith(".") || LEFT_BEHIND',
    replace: "return LEFT_BEHIND",
    test: entries,
  },
  {
    name: "files without an ending are no pictures",
    file: PICTURES,
    find: "return pictureKind(head.subarray(0, bytesRead)) !== undefined;",
    replace: "return false;",
    test: entries,
  },
  {
    name: "classes are sorted by UTF-16 units",
    file: "data/sets/code_points.ts",
    find: "if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1;",
    replace: "",
    test: { file: FOLDERS_TEST, name: "classes are sorted by code point, as Python sorts them" },
  },
  {
    name: "a class that only one side has is trained on",
    file: LAYOUT,
    find: "await checkSameClasses(layout, classes, asked);",
    replace: "",
    test: {
      file: FOLDERS_TEST,
      name: "a class that only one side has is named, and so is one without pictures",
    },
  },
  {
    name: "test goes before val",
    file: LAYOUT,
    find: '["val", "valid", "validation", "test"]',
    replace: '["test", "val", "valid", "validation"]',
    test: { file: FOLDERS_TEST, name: "val goes before test, which is said" },
  },
  {
    name: "pictures are validated on as they are trained on",
    file: "data/sets/picture_halves.ts",
    find: 'part === "train" ? prepare.train : prepare.validation',
    replace: "prepare.train",
    test: {
      file: FOLDERS_TEST,
      name: "openDataset() gives pictures, each half prepared in its own way",
    },
  },
  {
    name: "the first pictures are measured instead of a sample",
    file: NORMALIZATION,
    find: "if (length > MOST_MEASURED) ",
    replace: "if (length < 0) ",
    test: sample,
  },
  {
    name: "large pictures weigh more in the normalisation",
    file: NORMALIZATION,
    find: "mean[c] += sum / count;",
    replace: "mean[c] += sum / 2;",
    test: sample,
  },
  {
    name: "missing pictures of the Pets are left out",
    file: "data/sets/pets.ts",
    find: "if (missing.length) {",
    replace: "if (missing.length > entries.length) {",
    test: { file: "tests/pets_test.ts", name: "what is wrong with the Pets is named" },
  },
  {
    name: "folders of any classes are CIFAR",
    file: "data/sets/cifar.ts",
    find: "if (length === wanted) return found;",
    replace: "return found;",
    test: { file: "tests/cifar_folders_test.ts", name: "folders of other classes are no CIFAR" },
  },
  {
    name: "copies on one side are told as leaks",
    file: "cli/check/duplicates.ts",
    find: 'count(group, "side") > 1',
    replace: 'count(group, "side") > 0',
    test: copies,
  },
  {
    name: "copies under two classes are not told",
    file: "cli/check/duplicates.ts",
    find: 'count(group, "label") > 1',
    replace: 'count(group, "label") > 2',
    test: copies,
  },
  {
    name: "a check of broken pictures ends well",
    file: "cli/commands/data.ts",
    find: "if (stop) throw stop;",
    replace: "",
    test: {
      file: COMMAND_TEST,
      name: "data ends as a run would: with the sentence, after what it found",
    },
  },
];
