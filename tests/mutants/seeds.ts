import { type Mutant, optionTest } from "./mutant.ts";

const OPEN_RUN = "cli/run/open_run.ts";
const JOB = "train/job.ts";
const PAIR = "train/pair.ts";
const ORDER = "data/order.ts";

/** What is drawn from a seed, and then always from the same. */
export const SEEDS: readonly Mutant[] = [
  {
    name: "the seed of the weights is ignored",
    file: JOB,
    find: 'new Random(seed, "initial weights")',
    replace: 'new Random(0, "initial weights")',
    test: optionTest("train", "seed", "weights"),
  },
  {
    name: "the seed of spatial masks is ignored",
    file: PAIR,
    find: "const random = new Random(\n      seed,",
    replace: "const random = new Random(\n      0,",
    test: optionTest("train", "seed", "masks"),
  },
  {
    name: "the seed of the order of images is ignored",
    file: ORDER,
    find: "new Random(seed, `order of",
    replace: "new Random(0, `order of",
    test: optionTest("train", "seed", "the order of images"),
  },
  {
    name: "training images are not shuffled",
    file: ORDER,
    find: ".shuffle(order);",
    replace: ";",
    test: optionTest("train", "seed", "the order of images"),
  },
  {
    name: "each epoch has the same order",
    file: ORDER,
    find: "`order of epoch ${epoch}`",
    replace: "`order of epoch 0`",
    test: {
      file: "tests/data_batches_test.ts",
      name: "TrainingBatches leaves out other images in other epochs",
    },
  },
  {
    name: "the seed of crops is ignored",
    file: "data/epoch_walk.ts",
    find: "return new Random(seed, `${name}",
    replace: "return new Random(0, `${name}",
    test: {
      file: "tests/picture_batches_test.ts",
      name: "in its slot, with its size, label and crop",
    },
  },
  {
    name: "the seed of generated images is ignored",
    file: OPEN_RUN,
    find: "    dataDir,\n    seed,",
    replace: "    dataDir,\n    seed: 0,",
    test: optionTest("train", "seed", "generated images"),
  },
  {
    name: "the seed of a search's noise is ignored",
    file: "train/gates.ts",
    find: "[seed >>> 0, 0]",
    replace: "[0, 0]",
    test: optionTest("search", "seed", "the search"),
  },
];
