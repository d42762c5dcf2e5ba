import { type Mutant, optionTest } from "./mutant.ts";

const STAGES_TEST = "tests/augment_stages_test.ts";
const LOSSES_TEST = "tests/soft_labels_test.ts";
const PILLOW_TEST = "tests/augmentations_test.ts";
const ORDER_TEST = "tests/data_order_test.ts";

/** Faults in what augmentations draw, and in soft targets and balanced sets. */
export const AUGMENTATIONS: readonly Mutant[] = [
  {
    name: "--color-jitter is ignored",
    file: "train/augment/stages.ts",
    find: "if (colorJitter > 0) stages",
    replace: "if (colorJitter < 0) stages",
    test: optionTest("train", "color-jitter"),
  },
  {
    name: "--aa is ignored",
    file: "train/augment/stages.ts",
    find: "if (aa) {",
    replace: "if (!aa && aa) {",
    test: optionTest("train", "aa"),
  },
  {
    name: "--remode is ignored",
    file: "train/augment/stages.ts",
    find: "mode: remode,",
    replace: 'mode: "pixel",',
    test: optionTest("train", "remode"),
  },
  {
    name: "brightness, contrast and saturation change in one order",
    file: "train/augment/jittering.ts",
    find: "random.shuffle(order);",
    replace: "",
    test: { file: STAGES_TEST, name: "all orders" },
  },
  {
    name: "rectangles are erased of all images",
    file: "train/augment/erasing.ts",
    find: "random.uniform() < probability",
    replace: "probability > 0",
    test: { file: STAGES_TEST, name: "erasing takes rectangles" },
  },
  {
    name: "the share of CutMix is the one that was drawn",
    file: "train/augment/mixing.ts",
    find: "[1 - h * w / (height * width), y,",
    replace: "[share, y,",
    test: { file: STAGES_TEST, name: "what is left of the area" },
  },
  {
    name: "with mixup there is no CutMix",
    file: "train/augment/mixing.ts",
    find: "(mixup === 0 || random.uniform() < 0.5)",
    replace: "mixup === 0",
    test: { file: STAGES_TEST, name: "take turns" },
  },
  {
    name: "shares of mixup are uniform",
    file: "data/beta.ts",
    find: "const x = logGamma(random, alpha);",
    replace: "const x = Math.log(1 / random.uniform() - 1); return 1 / (1 + Math.exp(x));",
    test: { file: STAGES_TEST, name: "a beta distribution" },
  },
  {
    name: "operations of RandAugment are always done",
    file: "train/augment/rand_stages.ts",
    find: "const PROBABILITY = 0.5;",
    replace: "const PROBABILITY = 1;",
    test: { file: STAGES_TEST, name: "half the time" },
  },
  {
    name: "-inc1 changes nothing",
    file: "train/augment/rand_policy.ts",
    find: 'increasing: increasing === "1"',
    replace: "increasing: false",
    test: { file: STAGES_TEST, name: "grow with the magnitude" },
  },
  {
    name: "images are drawn without their own random numbers",
    file: "train/augment/jittering.ts",
    find: "const random = image(row);",
    replace: "const random = image(0);",
    test: { file: STAGES_TEST, name: "augmented alike" },
  },
  {
    name: "equalizing cuts off half a step",
    file: "kernels/ops/byte_tables.ts",
    find: "let below = Math.floor(step / 2);",
    replace: "let below = 0;",
    test: { file: PILLOW_TEST, name: "operations of RandAugment are Pillow's" },
  },
  {
    name: "pictures are rotated the other way",
    file: "kernels/ops/rand_augment.ts",
    find: "const angle = -magnitude",
    replace: "const angle = magnitude",
    test: { file: PILLOW_TEST, name: "operations of RandAugment are Pillow's" },
  },
  {
    name: "hues are turned the other way",
    file: "kernels/ops/color_jitter.ts",
    find: "hue / 6 + by + 2",
    replace: "hue / 6 - by + 2",
    test: { file: PILLOW_TEST, name: "the jitter of colours" },
  },
  {
    name: "the kernel counts the greatest byte in a step of equalizing",
    file: "kernels/ops/byte_tables.ts",
    find: "span.x, k), k, below / 255u)",
    replace: "span.x, k), k, (below + found) / 255u)",
    test: {
      file: "tests/ops_test.ts",
      name:
        "rand augment equals its float64 reference, and so does its gradient, on its whole grid",
    },
  },
  {
    name: "the second label of a mixed image has no share",
    file: "train/objective.ts",
    find: "const target = mix ? [mix.others, mix.shares] : [];",
    replace: "const target = mix ? [labels, mix.shares] : [];",
    test: { file: LOSSES_TEST, name: "mixed labels and weighted classes" },
  },
  {
    name: "weighted losses are divided by the batch",
    file: "kernels/ops/mean_loss.ts",
    find: "vec4f(sum.x / sum.z, sum.y",
    replace: "vec4f(sum.x / f32(dims.batch), sum.y",
    test: { file: LOSSES_TEST, name: "mixed labels and weighted classes" },
  },
  {
    name: "balanced classes are drawn as often as they occur",
    file: "data/order.ts",
    find: "const c = present[random.integer(present.length)];",
    replace: "const c = labels[random.integer(labels.length)];",
    test: { file: ORDER_TEST, name: "each class is equally likely" },
  },
];
