import type { Mutant } from "./mutant.ts";

const FILES = "cli/run/checkpoint_files.ts";
const FOLDER = "cli/run/run_folder.ts";
const STOPPING = "cli/run/stopping.ts";

const files = (name: string) => ({ file: "tests/checkpoint_files_test.ts", name });
const resume = (name: string) => ({ file: "tests/resume_test.ts", name });
const stopping = (name: string) => ({ file: "tests/stopping_test.ts", name });

/** What would be lost of a run that ends early, or gone on with wrongly. */
export const RESUMED_RUNS: readonly Mutant[] = [
  {
    name: "training waits for its own checkpoint to be written",
    file: FILES,
    find: "    return before;\n",
    replace: "    return this.#writing;\n",
    test: files("training waits for the checkpoint before, not for its own"),
  },
  {
    name: "the last state is written before the best",
    file: FILES,
    find: "of [...kept, ...best.map(bestName), LAST]",
    replace: "of [LAST, ...kept, ...best.map(bestName)]",
    test: files("the last state comes last"),
  },
  {
    name: "a best state that could not be written is forgotten",
    file: FILES,
    find: "      if (isKeptName(name) && !kept.includes(name)) this.#owed.delete(name);",
    replace: "      if (this.#owed.get(name) !== state) this.#owed.delete(name);",
    test: files("a full disk is told of once, and what is there stays"),
  },
  {
    name: "a fault is told of again and again",
    file: "cli/run/said_once.ts",
    find: "    if (this.#wrong.get(what) === text) return;\n",
    replace: "",
    test: files("a full disk is told of once, and what is there stays"),
  },
  {
    name: "earlier checkpoints are kept for ever",
    file: FILES,
    find: "    for (const { file } of found.slice(this.#keep)) await Deno.remove(file);\n",
    replace: "",
    test: files("the latest checkpoints are kept, as many as are asked for"),
  },
  {
    name: "a run that cannot be kept in its folder is lost at its end",
    file: FOLDER,
    find: " && owed.has(LAST)) await this.#rescue();",
    replace: " && owed.size > 9) await this.#rescue();",
    test: resume("a run that ends early where its folder cannot be written goes on elsewhere"),
  },
  {
    name: "metrics after the checkpoint stay when a run goes on",
    file: FOLDER,
    find: "    this.begun = true;\n    this.rewrite(history);\n",
    replace: "    this.begun = true;\n    void history;\n",
    test: resume("a run that goes on writes its epochs anew, and is held against others"),
  },
  {
    name: "a run goes on with another learning rate",
    file: "cli/resumed_options.ts",
    find: "  if (reasons.length) throw otherCourse(path, reasons, flags);\n",
    replace: "",
    test: resume("a flag that would change the course of a run is refused by name"),
  },
  {
    name: "epochs grow whatever depends on them",
    file: "cli/resumed_options.ts",
    find: "      if (why === undefined) continue;\n".slice(2),
    replace: "    continue;\n",
    test: resume("epochs grow where no step depends on them alone"),
  },
  {
    name: "the run before goes on instead of the one that is to replace it",
    file: "cli/run/found_run.ts",
    find: "[`${path}/${UNFINISHED}`, path].find",
    replace: "[path, `${path}/${UNFINISHED}`].find",
    test: resume("the run that is to replace another goes on before that one"),
  },
  {
    name: "any folder that begins with the name is a run of it",
    file: "cli/run/found_run.ts",
    find: " && /^\\d+$/.test(entry.slice(name.length + 1))",
    replace: "",
    test: resume("auto takes the newest run of a name that has a checkpoint"),
  },
  {
    name: "a run goes on with other images",
    file: "train/resume/same_images.ts",
    find: "  if (measured && numbersOf(",
    replace: "  if (!measured && numbersOf(",
    test: resume("other images than those that a run began with are refused"),
  },
  {
    name: "a second signal does not leave at once",
    file: STOPPING,
    find: "    if (again) return this.#leave(signal);\n",
    replace: "",
    test: stopping("between steps a signal stops the run, and a second one the process"),
  },
  {
    name: "a signal waits for steps that do not come",
    file: STOPPING,
    find: "    this.#stepping = false;\n",
    replace: "",
    test: stopping("before the first step, and in work without steps"),
  },
  {
    name: "a signal leaves a checkpoint half written",
    file: STOPPING,
    find: "      this.#leaving = this.#settled().then(() => this.#leave(signal));",
    replace: "      this.#leave(signal);",
    test: stopping("a checkpoint that is being written is waited for"),
  },
  {
    name: "the checkpoints of a new run do not come along",
    file: "cli/run/replacing.ts",
    find: "  return [...ownFilesIn(folder), ...amongCheckpoints(folder, own), ...events];",
    replace: '  return own("") ? [] : [...ownFilesIn(folder), ...events];',
    test: {
      file: "tests/replacing_test.ts",
      name: "wherever replacing a run ends, one whole run is there",
    },
  },
];
