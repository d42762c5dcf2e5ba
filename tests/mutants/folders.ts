import type { Mutant } from "./mutant.ts";

const WHOLE = "cli/run/whole_file.ts";
const REPLACING = "cli/run/replacing.ts";
const REPLACED = {
  file: "tests/replacing_test.ts",
  name: "wherever replacing a run ends, one whole run is there",
};

/** What would be lost of users' files, or mixed up of two runs. */
export const FOLDERS: readonly Mutant[] = [
  {
    name: "files are not synced before they are renamed",
    file: WHOLE,
    find: "  await file.sync();\n}\n\n/** Fills",
    replace: "}\n\n/** Fills",
    test: {
      file: "tests/whole_file_test.ts",
      name: "a file is on the disk before it has its name",
    },
  },
  {
    name: "temporary files have a name that a user may have",
    file: WHOLE,
    find: "const temporary = temporaryIn(dirname(path));\n  try",
    replace: "const temporary = `${path}.tmp`;\n  try",
    test: { file: "tests/whole_file_test.ts", name: "no link is written through" },
  },
  {
    name: "a replaced run counts as half replaced for ever",
    file: REPLACING,
    find: "    Deno.removeSync(`${from}/config.json`);\n",
    replace: "",
    test: REPLACED,
  },
  {
    name: "the files of a new run are moved into the old one's place one by one",
    file: REPLACING,
    find: "  Deno.renameSync(from, `${path}/${REPLACING}`);\n",
    replace: "  for (const name of present(from, OWN_FILES)) {\n" +
      "    Deno.renameSync(`${from}/${name}`, `${path}/${name}`);\n  }\n",
    test: REPLACED,
  },
  {
    name: "a fixed batch is not heeded",
    file: "export/onnx_session.ts",
    find: "isSize(shape[0]) ? { batch: shape[0] } : {}",
    replace: "{}",
    test: { file: "tests/converted_onnx_test.ts", name: "gives the same logits" },
  },
];
