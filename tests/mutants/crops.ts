import { type Mutant, optionTest } from "./mutant.ts";

const OPEN_RUN = "cli/run/open_run.ts";
const PLAN = "train/augment/plan.ts";
const AUTHORS = "train/options/authors.ts";
const BATCH = "train/augmented_batch.ts";

const recipes = {
  file: "tests/flags_test.ts",
  name: "a recipe fills in what the authors did, and a flag beside it wins",
};
const levels = {
  file: "tests/preparations_test.ts",
  name: "levels have as many pixels as the smallest crop needs, and no more than four times",
};
const drawn = {
  file: "tests/batch_picture_test.ts",
  name: "without augmentation the first batch is what is sent, byte for byte",
};

/** Sizes, crops and flips of images, classes of uneven sizes, recipes, and the first batch. */
export const CROPS: readonly Mutant[] = [
  {
    name: "--image-size is ignored",
    file: OPEN_RUN,
    find: "    imageSize,\n",
    replace: '    imageSize: dataset === "generated" ? undefined : imageSize,\n',
    test: optionTest("train", "image-size"),
  },
  {
    name: "--crop-pct is ignored",
    file: OPEN_RUN,
    find: "    cropPct,\n",
    replace: "",
    test: optionTest("train", "crop-pct"),
  },
  {
    name: "--scale is ignored",
    file: PLAN,
    find: "scale: pair(scale),",
    replace: "",
    test: optionTest("train", "scale"),
  },
  {
    name: "--ratio is ignored",
    file: PLAN,
    find: "ratio: pair(ratio),",
    replace: "",
    test: optionTest("train", "ratio"),
  },
  {
    name: "--vflip is ignored",
    file: PLAN,
    find: "const flips = { hflip, vflip };",
    replace: "const flips = { hflip, vflip: Math.min(vflip, 0) };",
    test: optionTest("train", "vflip"),
  },
  {
    name: "--class-weights is ignored",
    file: "train/job.ts",
    find: 'options.classWeights === "balanced"',
    replace: "options.smoothing > 1",
    test: optionTest("train", "class-weights"),
  },
  {
    name: "--sampler is ignored",
    file: "train/job.ts",
    find: "seed, sampler, augment, draws });",
    replace: "seed, augment, draws });",
    test: optionTest("train", "sampler"),
  },
  {
    name: "crops are of no more than whole pictures",
    file: PLAN,
    find: 'if (augment !== "resized-crop") return size;',
    replace: "return size;",
    test: levels,
  },
  {
    name: "levels grow without bounds",
    file: PLAN,
    find: "Math.min(side, MOST_REDUCED * size)",
    replace: "side",
    test: levels,
  },
  {
    name: "a learning rate is taken without its optimiser",
    file: AUTHORS,
    find: "{ opt: { [AUTHORS[name].opt]: AUTHORS[name].lr } }",
    replace: "AUTHORS[name].lr",
    test: recipes,
  },
  {
    name: "recipes see the whole of validation images",
    file: AUTHORS,
    find: "cropPct: 1 / 1.14",
    replace: "cropPct: 1",
    test: recipes,
  },
  {
    name: "an option without what it needs is taken",
    file: "train/options/no_effect.ts",
    find: " ?? missing(option, found, nameOf)",
    replace: "",
    test: {
      file: "tests/flags_test.ts",
      name: "augmentations are refused out of their range, and where they do nothing",
    },
  },
  {
    name: "the first batch is shown as it is normalised",
    file: BATCH,
    find: "images.record(trace, bytes)",
    replace: "images.record(trace, feed.normalization)",
    test: drawn,
  },
  {
    name: "training images are cut as those that are validated on",
    file: "data/folder.ts",
    find: "return { train, validation: centralImages(",
    replace:
      "return { train: centralImages(train, options.cropPct ?? 1), validation: centralImages(",
    test: {
      file: "tests/central_images_test.ts",
      name: "validation images alone are cut, on both ways to them",
    },
  },
  {
    name: "the wait for data is never told",
    file: "cli/report/progress.ts",
    find: "waiting > WAITING",
    replace: "waiting > 1",
    test: {
      file: "tests/progress_test.ts",
      name: "waiting for images is told from 5 % on, beside the pace and after an epoch",
    },
  },
];
