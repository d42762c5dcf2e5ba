import type { CommandDescription } from "./command.ts";

/** `train`. */
export const TRAIN = {
  help: "train a network and its compressed twin together",
  positionals: [],
  examples: [
    ["train", "resnet8 and its twin on generated images, in two minutes without a GPU"],
    ["train --data-dir photos", "photographs in folders, photos/train/CLASS and photos/val/CLASS"],
    [
      "train --data-dir photos --model mobilenetv2_100 --compression 2,4",
      "two small networks in one run, of 1/2 and 1/4 of the filters",
    ],
    [
      "train --data-dir photos --batch-size 128 --dry-run",
      "the GPU memory that this would take, and nothing else",
    ],
    ["train --resume auto", "go on with the newest run of the name"],
  ],
  sections: [],
} as const satisfies CommandDescription;
