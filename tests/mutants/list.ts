import { KERNELS } from "./kernels.ts";
import { NETWORKS } from "./network_mutants.ts";
import { type Mutant, optionTest } from "./mutant.ts";
import { FOLDERS } from "./folders.ts";
import { REFUSALS } from "./refusals.ts";

const OPEN_RUN = "cli/run/open_run.ts";
const JOB = "train/job.ts";
const SCHEDULE = "train/schedule.ts";
const BATCHES = "data/batches.ts";

/** Options that are read and then forgotten on their way to the step. */
const FORGOTTEN: readonly Mutant[] = [
  {
    name: "lambda is always 1",
    file: "train/epochs.ts",
    find: "lambdaAt(epoch, epochs) : 1",
    replace: "1 : 1",
    test: optionTest("train", "mode"),
  },
  {
    name: "--detach is ignored",
    file: JOB,
    find: "detach: options.detach",
    replace: "detach: false",
    test: optionTest("train", "detach"),
  },
  {
    name: "--detach is ignored by the search",
    file: "train/search.ts",
    find: "search, detach }",
    replace: "search, detach: false }",
    test: optionTest("search", "detach", "the search"),
  },
  {
    name: "--smoothing is ignored",
    file: JOB,
    find: "= options.smoothing",
    replace: "= 0",
    test: optionTest("train", "smoothing"),
  },
  {
    name: "--smoothing is ignored where one network is trained",
    file: "train/objective.ts",
    find: "apply(crossEntropy, [own, labels], { labelSmoothing })",
    replace: "apply(crossEntropy, [own, labels], { labelSmoothing: 0 })",
    test: optionTest("train", "smoothing", "one network"),
  },
  {
    name: "--smoothing is ignored in a distillation",
    file: "train/objective.ts",
    find: "[own, teacher, labels], { labelSmoothing })",
    replace: "[own, teacher, labels], { labelSmoothing: 0 })",
    test: optionTest("train", "smoothing", "distillation"),
  },
  {
    name: "--opt is ignored",
    file: JOB,
    find: 'opt === "sgd"',
    replace: 'opt === "none"',
    test: optionTest("train", "opt"),
  },
  {
    name: "--nesterov is ignored",
    file: JOB,
    find: 'name: "sgd", weightDecay, nesterov',
    replace: 'name: "sgd", weightDecay, nesterov: false',
    test: optionTest("train", "nesterov"),
  },
  {
    name: "--weight-decay is ignored by sgd",
    file: JOB,
    find: 'name: "sgd", weightDecay,',
    replace: 'name: "sgd", weightDecay: 0,',
    test: optionTest("train", "weight-decay", "sgd"),
  },
  {
    name: "--weight-decay is ignored by adamw",
    file: JOB,
    find: 'name: "adamw", weightDecay,',
    replace: 'name: "adamw", weightDecay: 0,',
    test: optionTest("train", "weight-decay"),
  },
  {
    name: "--masking-factor is ignored",
    file: JOB,
    find: "maskFrom,\n    maskingFactor,",
    replace: "maskFrom,\n    maskingFactor: 0,",
    test: optionTest("train", "masking-factor"),
  },
  {
    name: "--trunk separate is ignored",
    file: JOB,
    find: "    trunk,\n    maskFrom,",
    replace: '    trunk: "shared",\n    maskFrom,',
    test: optionTest("train", "trunk"),
  },
  {
    name: "--trunk separate is ignored by the search",
    file: "train/search.ts",
    find: "{ trunk, maskFrom, divisors }",
    replace: '{ trunk: "shared", maskFrom, divisors }',
    test: optionTest("search", "trunk", "the search"),
  },
  {
    name: "--mask-from is ignored",
    file: JOB,
    find: "    trunk,\n    maskFrom,",
    replace: "    trunk,\n    maskFrom: 2,",
    test: optionTest("train", "mask-from"),
  },
  {
    name: "--mask-from is ignored by the search",
    file: "train/search.ts",
    find: "{ trunk, maskFrom, divisors }",
    replace: "{ trunk, maskFrom: 1, divisors }",
    test: optionTest("search", "mask-from", "the search"),
  },
  {
    name: "--compression is ignored",
    file: JOB,
    find: "    compression,\n    trunk,",
    replace: "    compression: 4,\n    trunk,",
    test: optionTest("train", "compression"),
  },
  {
    name: "--widths is ignored",
    file: JOB,
    find: "    widths,\n    random",
    replace: "    random",
    test: optionTest("train", "widths"),
  },
  {
    name: "--stem is ignored",
    file: JOB,
    find: "channels, stem, variant }",
    replace: "channels, variant }",
    test: optionTest("train", "stem"),
  },
  {
    name: "--variant is ignored",
    file: JOB,
    find: "channels, stem, variant }",
    replace: "channels, stem }",
    test: optionTest("train", "variant"),
  },
  {
    name: "--model is ignored",
    file: JOB,
    find: "model(options.model,",
    replace: 'model("resnet8",',
    test: optionTest("train", "model"),
  },
  {
    name: "--which is ignored",
    file: JOB,
    find: "which: options.which, network: adjoined[options.which]",
    replace: 'which: "base", network: adjoined.base',
    test: optionTest("train", "which"),
  },
  {
    name: "--augment is ignored",
    file: JOB,
    find: "= augmentation(options, train)",
    replace: '= augmentation({ ...options, augment: "none" }, train)',
    test: optionTest("train", "augment"),
  },
  {
    name: "a crop-flip never flips",
    file: "data/augment.ts",
    find: "const mirrored = flip && random.integer(2) === 1;\n    crops.set(mirrored ? [a",
    replace: "const mirrored = false;\n    crops.set(mirrored ? [a",
    test: optionTest("train", "augment", "flips"),
  },
  {
    name: "crop-flip asks for no flip",
    file: JOB,
    find: "cropFlip({ random, size, padding });",
    replace: "cropFlip({ random, size, padding, flip: false });",
    test: optionTest("train", "augment", "flips"),
  },
  {
    name: "--normalization is ignored",
    file: OPEN_RUN,
    find: "normalized(options,",
    replace: "normalized({ ...options, normalization: undefined },",
    test: optionTest("train", "normalization"),
  },
  {
    name: "--batch-size is ignored",
    file: JOB,
    find: "const { seed, batchSize: batch } = options;",
    replace: "const { seed } = options;\n  const batch = 8;",
    test: optionTest("train", "batch-size"),
  },
  {
    name: "--train-size is ignored",
    file: OPEN_RUN,
    find: "trainCount: trainSize",
    replace: "trainCount: 8",
    test: optionTest("train", "train-size"),
  },
  {
    name: "--val-size is ignored",
    file: OPEN_RUN,
    find: "validationCount: valSize",
    replace: "validationCount: 8",
    test: optionTest("train", "val-size"),
  },
  {
    name: "--init is ignored",
    file: JOB,
    find: "[...drawn, ...start ?? []]",
    replace: "[...drawn]",
    test: optionTest("train", "init"),
  },
  {
    name: "a teacher is normalised as its student",
    file: "train/step.ts",
    find: "images.record(trace, teacher.normalization,",
    replace: "images.record(trace, feed.normalization,",
    test: optionTest("train", "teacher", "its normalization"),
  },
  {
    name: "--sched is ignored",
    file: "train/epochs.ts",
    find: "rateAt(epoch * steps + done, steps, options)",
    replace: 'rateAt(epoch * steps + done, steps, { ...options, sched: "onecycle" })',
    test: optionTest("train", "sched"),
  },
  {
    name: "--lr is ignored",
    file: "train/epochs.ts",
    find: "rateAt(epoch * steps + done, steps, options)",
    replace: "rateAt(epoch * steps + done, steps, { ...options, lr: 0.004 })",
    test: optionTest("train", "lr"),
  },
  {
    name: "--warmup-epochs is ignored",
    file: SCHEDULE,
    find: "Math.round(warmupEpochs * stepsPerEpoch)",
    replace: "0",
    test: optionTest("train", "warmup-epochs"),
  },
  {
    name: "--decay-rate is ignored",
    file: SCHEDULE,
    find: "lr * decayRate **",
    replace: "lr * 0.1 **",
    test: optionTest("train", "decay-rate"),
  },
  {
    name: "--momentum is ignored",
    file: SCHEDULE,
    find: "return { lr, momentum };",
    replace: "return { lr, momentum: 0.9 };",
    test: optionTest("train", "momentum"),
  },
];

/** What is drawn from a seed, and then always from the same. */
const SEEDS: readonly Mutant[] = [
  {
    name: "the seed of the weights is ignored",
    file: JOB,
    find: 'new Random(seed, "initial weights")',
    replace: 'new Random(0, "initial weights")',
    test: optionTest("train", "seed", "weights"),
  },
  {
    name: "the seed of spatial masks is ignored",
    file: JOB,
    find: 'new Random(seed, "spatial masks")',
    replace: 'new Random(0, "spatial masks")',
    test: optionTest("train", "seed", "masks"),
  },
  {
    name: "the seed of the order of images is ignored",
    file: BATCHES,
    find: "new Random(seed, `order",
    replace: "new Random(0, `order",
    test: optionTest("train", "seed", "the order of images"),
  },
  {
    name: "training images are not shuffled",
    file: BATCHES,
    find: ".shuffle(order);",
    replace: ";",
    test: optionTest("train", "seed", "the order of images"),
  },
  {
    name: "each epoch has the same order",
    file: BATCHES,
    find: "`order of epoch ${epoch}`",
    replace: "`order of epoch 0`",
    test: {
      file: "tests/data_batches_test.ts",
      name: "TrainingBatches leaves out other images in other epochs",
    },
  },
  {
    name: "the seed of crops is ignored",
    file: BATCHES,
    find: "new Random(seed, `crops",
    replace: "new Random(0, `crops",
    test: optionTest("train", "seed", "augmentation"),
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

/** The numbers of a search. */
const SEARCH: readonly Mutant[] = [
  {
    name: "--widths-only is ignored",
    file: "cli/actions.ts",
    find: "train: !widthsOnly",
    replace: "train: true",
    test: optionTest("search", "widths-only"),
  },
  {
    name: "--from-scratch is ignored",
    file: "train/search.ts",
    find: "= fromScratch ?",
    replace: "= false ?",
    test: optionTest("search", "from-scratch"),
  },
  {
    name: "--seeds is ignored",
    file: "train/compare.ts",
    find: "i < seeds",
    replace: "i < 1",
    test: optionTest("compare", "seeds"),
  },
  {
    name: "--divisors is ignored",
    file: "train/search.ts",
    find: "{ trunk, maskFrom, divisors }",
    replace: "{ trunk, maskFrom, divisors: [1, 2, 4, 8] }",
    test: optionTest("search", "divisors"),
  },
  {
    name: "--budget-params is taken for multiply-accumulates",
    file: "train/search.ts",
    find: "search.groups, { budgeted, image }",
    replace: 'search.groups, { budgeted: "macs", image }',
    test: optionTest("search", "budget-params"),
  },
  {
    name: "--search-epochs is ignored",
    file: "train/search.ts",
    find: "widths: undefined, epochs }",
    replace: "widths: undefined }",
    test: optionTest("search", "search-epochs"),
  },
  {
    name: "--search-lr is ignored",
    file: "train/gates.ts",
    find: "prepare({ lr, momentum: 0.9 })",
    replace: "prepare({ lr: 0.05, momentum: 0.9 })",
    test: optionTest("search", "search-lr"),
  },
  {
    name: "--temperature is ignored",
    file: "train/gates.ts",
    find: "from * (to / from) ** t",
    replace: "5 * (to / 5) ** t",
    test: optionTest("search", "temperature"),
  },
  {
    name: "--end-temperature is ignored",
    file: "train/gates.ts",
    find: "from * (to / from) ** t",
    replace: "from * (0.5 / from) ** t",
    test: optionTest("search", "end-temperature"),
  },
];

const UNVERIFIED = "tests/unverified_test.ts";

/** What is proven before it is kept. */
const PROOFS: readonly Mutant[] = [
  {
    name: "finish does not verify",
    file: "train/finish.ts",
    find: "demandEqual(verify);",
    replace: "",
    test: { file: UNVERIFIED, name: "train saves no network whose extracted twin" },
  },
  {
    name: "an export does not verify",
    file: "cli/export.ts",
    find: "demandEqual(verify, which);",
    replace: "",
    test: { file: UNVERIFIED, name: "export writes no file that gives other logits" },
  },
  {
    name: "agreement is not looked at",
    file: "train/verify.ts",
    find: " && top1Agreement === 1",
    replace: "",
    test: { file: UNVERIFIED, name: "equal logits do not make up for other classes" },
  },
  {
    name: "padding images are counted in a validation",
    file: "train/image_feed.ts",
    find: "i < count ? label : 0xffffffff",
    replace: "label",
    test: {
      file: "tests/kernel_session_test.ts",
      name: "images that only fill up the last batch are not counted",
    },
  },
];

const STATE_TEST = "tests/network_state_test.ts";

/** Numbers that come out wrong by little, or rarely. */
const ARITHMETIC: readonly Mutant[] = [
  {
    name: "adamw corrects its second moment one step late",
    file: "train/learner.ts",
    find: "o.beta2 ** this.#steps",
    replace: "o.beta2 ** Math.max(1, this.#steps - 1)",
    test: { file: "tests/learner_test.ts", name: "adamw's moments are corrected" },
  },
  {
    name: "running statistics have another momentum",
    file: "nn/layers/batch_norm.ts",
    find: "MOMENTUM = 0.1",
    replace: "MOMENTUM = 0.2",
    test: { file: STATE_TEST, name: "a step moves running statistics a tenth of the way" },
  },
  {
    name: "norms marked zero start at 1",
    file: "nn/layers/batch_norm.ts",
    find: "zero ? 0 : 1",
    replace: "zero ? 1 : 1",
    test: { file: STATE_TEST, name: "norms start at scale 1" },
  },
  {
    name: "of equals the last is the maximum of a pool",
    file: "kernels/ops/max_pool2d.ts",
    find: "(value > best)",
    replace: "(value >= best)",
    test: { file: "tests/ops_test.ts", name: "of equal values in a window" },
  },
  {
    name: "extraction ignores kept taps",
    file: "nn/layers/conv2d.ts",
    find: "if (small.keptTaps && !small.keptTaps[tap]) continue;",
    replace: "",
    test: { file: STATE_TEST, name: "a filter that is cut out has zeros" },
  },
  {
    name: "taps above 32 are those below",
    file: "kernels/wgsl/geometry.ts",
    find: "bits(32)",
    replace: "bits(0)",
    test: { file: "tests/ops_test.ts", name: "a masked conv2d keeps the very taps" },
  },
  {
    name: "folding leaves eps out",
    file: "nn/layers/batch_norm.ts",
    find: "Math.sqrt(variance[o] + eps)",
    replace: "Math.sqrt(variance[o])",
    test: { file: STATE_TEST, name: "a folded norm divides by the root" },
  },
  {
    name: "a tape never clears",
    file: "nn/tape.ts",
    find: "if (first && !gradient.complete)",
    replace: "if (false)",
    test: { file: "tests/tape_test.ts", name: "the gradient of a slice leaves zeros" },
  },
  {
    name: "a kernel's input and output share a buffer",
    file: "kernels/program/plan.ts",
    find: "apart.part(writes, [...reads, ",
    replace: "apart.part(writes, [",
    test: { file: "tests/plan_test.ts", name: "what a kernel reads and what it writes" },
  },
  {
    name: "a kernel's input and output share a texture",
    file: "kernels/program/plan.ts",
    find: "apart.part([stored], [...loads, ",
    replace: "apart.part([stored], [",
    test: { file: "tests/plan_test.ts", name: "what a kernel loads and what it stores" },
  },
  {
    name: "a kernel's input and output share memory",
    file: "kernels/program/plan.ts",
    find: "life.first <= last && first <= life.last",
    replace: "life.first < last && first < life.last",
    test: { file: "tests/plan_test.ts", name: "a result that nobody reads" },
  },
  {
    name: "batch norm's dx lacks the mean of the gradient",
    file: "kernels/ops/normalize.ts",
    find: "let offset = scale * dbias(c) / dims.pixels - rest(c) * slope;",
    replace: "let offset = -rest(c) * slope;",
    test: {
      file: "tests/ops_test.ts",
      name: "batch norm equals its float64 reference, and so does its gradient, on its whole grid",
    },
  },
  {
    name: "batch norm's dx lacks what flows through the variance",
    file: "kernels/ops/normalize.ts",
    find: "let slope = scale * inverse * dweight(c) / dims.pixels;",
    replace: "let slope = vec4f();",
    test: {
      file: "tests/ops_test.ts",
      name: "batch norm equals its float64 reference, and so does its gradient, on its whole grid",
    },
  },
  {
    name: "batch norm's dx lacks the rest of the mean",
    file: "kernels/ops/normalize.ts",
    find: "dims.pixels - rest(c) * slope;",
    replace: "dims.pixels;",
    test: {
      file: "tests/ops_test.ts",
      name: "batch norm equals its float64 reference, and so does its gradient, on its whole grid",
    },
  },
];

/** What is told while a run goes on, and drawn at its end. */
const REPORTS: readonly Mutant[] = [
  {
    name: "the verification counts for nothing in the time left",
    file: "train/workloads.ts",
    find: "images: validation.length,",
    replace: "images: 0,",
    test: { file: "tests/estimate_test.ts", name: "the work of a run is that of its networks" },
  },
  {
    name: "an evaluation tells nobody how far it is",
    file: "train/kernel_session.ts",
    find: "scores(batches, work)",
    replace: "scores(batches)",
    test: {
      file: "tests/work_reported_test.ts",
      name: "a run, export and eval tell how far they are",
    },
  },
  {
    name: "a point of the comparison is moved",
    file: "cli/report/compare_picture.ts",
    find: "macs: macs / 1e6",
    replace: "macs: (macs + i * 2e5) / 1e6",
    test: {
      file: "tests/pictures_test.ts",
      name: "each method lies at its multiply-accumulates, however many have the same",
    },
  },
];

/** All mutants. */
export const MUTANTS: readonly Mutant[] = [
  ...NETWORKS,
  ...FORGOTTEN,
  ...SEEDS,
  ...SEARCH,
  ...PROOFS,
  ...ARITHMETIC,
  ...REFUSALS,
  ...KERNELS,
  ...FOLDERS,
  ...REPORTS,
];
