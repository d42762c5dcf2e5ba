import type { Option, Section } from "../train/options/option.ts";
import { SEARCH } from "../train/options/search_options.ts";
import { TRAINING } from "../train/options/train_options.ts";

/** The functions that train. */
export type Training = "train" | "search";

/** Options of files and of the program around a run, which a library has not. */
const OF_FILES: readonly string[] = [
  ...["dataDir", "trainSize", "valSize", "valSplit", "imageSize", "channels"],
  ...["workers", "cache", "strict", "keep", "timeLimit", "budgetLatency"],
];

/** Options that take more or something else here than their flags do, and are typed by hand. */
export const BY_HAND: readonly string[] = [
  ...["mode", "which", "model", "init", "teacher", "widths", "compression", "gradAccumSteps"],
  ...["dataset", "cropPct", "interpolation", "budgetMacs", "budgetParams", "widthsOnly"],
];

const SECTIONS: readonly Section[] = [...TRAINING, ...SEARCH];

/** The options of the command line that a function has as well. */
export function optionsOf(training: Training): readonly Option[] {
  return SECTIONS.filter(({ commands }) => commands.includes(training))
    .flatMap(({ options }) => options)
    .filter(({ name }) => !OF_FILES.includes(name));
}
