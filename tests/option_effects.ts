// What each option of each command has to change, as data; option_tests.ts holds the commands to it.
import type { Command } from "../cli/flags/commands.ts";

/**
 * What an option changes: a place of an `Observation`, or `printed`. Of each effect all places must
 * change.
 */
export interface Effect {
  readonly commands: readonly Command[];
  /** The option, without dashes. */
  readonly option: string;
  /** What it is seen by, where there is more than one effect. */
  readonly of?: string;
  /** What gives it another value; `{dir}` is the folder of the run, `{made}` holds what runs read. */
  readonly with: string;
  /** What both command lines have besides that of {@link BASES}. */
  readonly beside?: string;
  /** What only the first of them has. */
  readonly without?: string;
  /** The command line of both, in the place of that of {@link BASES}. */
  readonly base?: string;
  /** Which of the two is refused; by default neither is. */
  readonly refused?: "with" | "without";
  readonly changes: readonly string[];
}

/** A run of two steps of eight images. */
const SIZES = "--train-size 8 --val-size 8 --batch-size 8 --output {dir}/run";
const SHORT = `--epochs 2 ${SIZES}`;
const SEARCH = `--mask-from 1 --search-epochs 2 ${SHORT}`;
const SEARCH_BASE = `search --budget-macs 0.8 --mask-from 1 --search-epochs 2 ${SIZES}`;
const SEARCH_ALONE = `${SEARCH_BASE} --widths-only`;

/** The shortest command line of each command, to which options are added. */
export const BASES: Readonly<Record<Command, string>> = {
  train: `train ${SHORT}`,
  search: `search ${SEARCH} --budget-macs 0.8`,
  // One method, as all take their options alike; its search has options of its own.
  compare: `compare --methods searched --seeds 1 ${SEARCH} --budget-macs 0.8`,
  export: "export {dir}/idx-run",
  eval: "eval {dir}/loose.safetensors --dataset idx --data-dir {made}/idx",
  data: "data {made}/pictures --output {dir}/sheet.png",
  predict: "predict {dir}/idx-run {made}/pictures",
  summary: "summary --model resnet8 --image-size 32",
  serve: "serve {dir}/idx-run",
  doctor: "doctor",
  report: "report {dir}",
  completions: "completions bash",
  parity: "parity {dir}",
  wgsl: "wgsl relu",
  "bench conv": "bench conv --batch 2 --size 8",
  "bench step": "bench step --model resnet8 --batch 2",
  "bench data": "bench data {made}/many --workers 1 --image-sizes 8 --repeats 1",
  "bench peers": "bench peers --only 512->512",
};

/** What a checkpoint within the first epoch is called, and a run that has some. */
const WITHIN = "file run/checkpoints/";
const STEP_1 = "epoch-0000-step-000001.safetensors";
const STEPS = "--train-size 16 --keep 9";

/** Commands that go on with their runs. */
const TRAINING = ["train", "search", "compare"] as const;
const SEARCHES = ["search", "compare"] as const;
/** Commands that open a GPU. */
const ON_GPU = [
  ...TRAINING,
  ...["eval", "predict", "export", "bench conv", "bench step"] as const,
] as const;
const CONV = ["bench conv"] as const;
const STEP = ["bench step"] as const;

/** All images of files, that do not depend on the seed. */
const IDX = "--dataset idx --data-dir {made}/idx";

/** Pictures in files, one of which is broken. */
const PHOTOS = "--dataset folder --data-dir {made}/photos --image-size 12";

const EVAL_PHOTOS = "eval {made}/photos-run/small.safetensors";

function effect(
  commands: readonly Command[],
  option: string,
  arguments_: string,
  changes: string | readonly string[],
  more: Partial<Pick<Effect, "of" | "beside" | "without" | "base" | "refused">> = {},
): Effect {
  return { commands, option, with: arguments_, changes: [changes].flat(), ...more };
}

/** All effects of all options. */
export const EFFECTS: readonly Effect[] = [
  // What is trained.
  effect(["train"], "mode", "--mode plain", ["program", "write lambda"]),
  effect(["train"], "which", "--which small", "program", { beside: "--mode plain" }),
  effect(["train"], "teacher", "--teacher {made}/b", "write parameters", {
    beside: "--mode distill --teacher {made}/a",
  }),
  effect(["train"], "teacher", "--teacher {made}/c", "program", {
    of: "its normalization",
    beside: "--mode distill --teacher {made}/a",
  }),
  effect(["train"], "widths", "--widths {made}/other-widths.json", "program", {
    beside: "--widths {made}/widths.json",
  }),
  effect(["train", "search"], "init", "--init {made}/a", "write parameters"),
  effect(["train"], "importance", "--importance first", "file run/widths.json", {
    beside: "--init {made}/a",
  }),
  // All filters of that file are alike.
  effect(["search"], "importance", "--importance taylor", ["program", "submits"], {
    beside: "--init {made}/a",
  }),
  effect(["train", "search"], "bn-batches", "--bn-batches 2", "submits", {
    beside: "--init {made}/a",
    without: "--bn-batches 0",
  }),
  effect(TRAINING, "detach", "--detach", "program"),
  effect(["search"], "detach", "--detach", "program", {
    of: "the search",
    base: SEARCH_ALONE,
  }),
  effect(TRAINING, "kl-schedule", "--kl-schedule constant", "write lambda"),
  effect(["train"], "kl-schedule", "--kl-schedule ramp", "write lambda", {
    of: "a ramp",
    beside: "--epochs 8 --kl-schedule constant",
    without: "--kl-schedule constant",
  }),
  effect(TRAINING, "kl-weight", "--kl-weight 0.5", "write lambda"),
  effect(["train"], "kl-weight", "--kl-weight 0.5", ["program", "write lambda"], {
    of: "distillation",
    beside: "--mode distill --teacher {made}/a",
  }),
  effect(TRAINING, "kl-temperature", "--kl-temperature 4", "program"),
  effect(TRAINING, "kl-loss", "--kl-loss dist", "program"),
  effect(["train"], "kl-loss", "--kl-loss dkd", "program", {
    of: "distillation",
    beside: "--mode distill --teacher {made}/a",
  }),
  effect(TRAINING, "kl-parts", "--kl-parts 1,3", "program", { beside: "--kl-loss dkd" }),
  effect(["train"], "kl-parts", "--kl-parts 1,3", "program", {
    of: "relations",
    beside: "--kl-loss dist",
  }),
  effect(TRAINING, "small-ce", "--small-ce 0.5", "program"),
  effect(TRAINING, "finetune-epochs", "--finetune-epochs 1", ["program", "submits", "write hyper"]),
  effect(TRAINING, "finetune-lr", "--finetune-lr 0.0001", "write hyper", {
    beside: "--finetune-epochs 1",
  }),
  effect(["search"], "kl-loss", "--kl-loss dkd", "program", {
    of: "the search",
    base: SEARCH_ALONE,
  }),
  effect(TRAINING, "model", "--model resnet20", ["program", "write parameters"]),
  effect(TRAINING, "masking-factor", "--masking-factor 0.3", "program"),
  effect(TRAINING, "drop", "--drop 0.3", "program"),
  effect(TRAINING, "drop-path", "--drop-path 0.3", "program"),
  // There is no resnet8 of torchvision's.
  effect(TRAINING, "variant", "--variant torchvision", ["printed", "submits"], {
    beside: "--stem cifar",
    refused: "with",
  }),
  effect(TRAINING, "stem", "--stem cifar", ["program", "write parameters"]),
  effect(["train"], "mask-from", "--mask-from 3", "program"),
  effect(SEARCHES, "mask-from", "--mask-from 2", "program"),
  effect(TRAINING, "trunk", "--trunk separate", "program"),
  effect(["search"], "trunk", "--trunk separate", "program", {
    of: "the search",
    base: SEARCH_ALONE,
  }),
  effect(["search"], "mask-from", "--mask-from 2", "program", {
    of: "the search",
    base: SEARCH_ALONE,
  }),
  effect(["train"], "compression", "--compression 2", "program"),
  effect(["train"], "compression", "--compression 2,4", "program", { of: "several" }),
  effect(["train"], "sandwich", "--sandwich 1", "program", { beside: "--compression 2,4" }),
  effect(["train"], "round-to", "--round-to 16", "program"),
  // With 16, no widths meet the budget.
  effect(SEARCHES, "round-to", "--round-to 8", "program"),

  // Images.
  effect(TRAINING, "dataset", IDX, ["program", "write pixels"]),
  effect(TRAINING, "data-dir", "--data-dir {made}/other-idx", "write pixels", { beside: IDX }),
  effect(TRAINING, "val-size", "--val-size 4", "write labels"),
  effect(TRAINING, "train-size", "--train-size 16", ["submits", "write pixels"]),
  effect(TRAINING, "val-split", "--val-split 0.5", ["write pixels", "write labels"], {
    beside: "--dataset idx --data-dir {made}/large-idx",
  }),
  effect(TRAINING, "seed", "--seed 1", "write pixels", {
    of: "which images of files",
    beside: "--dataset idx --data-dir {made}/large-idx --augment none",
  }),
  effect(TRAINING, "augment", "--augment crop", "write crops"),
  effect(["train"], "augment", "--augment crop-flip", "write crops", {
    of: "flips",
    beside: "--augment crop",
  }),
  effect(["train"], "augment", "--augment resized-crop", "write crops", { of: "sizes" }),
  effect(TRAINING, "image-size", "--image-size 24", ["program", "write pixels"]),
  effect(TRAINING, "crop-pct", "--crop-pct 0.8", "write pixels"),
  effect(TRAINING, "scale", "--scale 0.5,1", "write crops", { beside: "--augment resized-crop" }),
  effect(TRAINING, "ratio", "--ratio 1,1", "write crops", { beside: "--augment resized-crop" }),
  effect(TRAINING, "hflip", "--hflip 1", "write crops"),
  effect(["train"], "hflip", "--hflip 0", "write crops", {
    of: "those of --augment",
    beside: "--augment crop-flip",
  }),
  effect(TRAINING, "vflip", "--vflip 1", "write crops"),
  effect(TRAINING, "color-jitter", "--color-jitter 0.4", ["program", "write color jitter"]),
  effect(TRAINING, "aa", "--aa rand-m9-n2", ["program", "write rand augment 2"]),
  effect(TRAINING, "reprob", "--reprob 1", ["program", "write erasing"]),
  effect(TRAINING, "remode", "--remode const", "program", { beside: "--reprob 1" }),
  effect(TRAINING, "mixup", "--mixup 0.2", ["program", "write mixing", "write shares"]),
  effect(TRAINING, "cutmix", "--cutmix 1", "write mixing"),
  effect(["train"], "cutmix", "--cutmix 1", "write mixing", { of: "both", beside: "--mixup 0.2" }),
  effect(TRAINING, "normalization", "--normalization imagenet", "program"),

  // Pictures.
  effect(TRAINING, "channels", "--channels 1", "program", { beside: PHOTOS }),
  effect(TRAINING, "interpolation", "--interpolation bicubic", "write pixels", { beside: PHOTOS }),
  effect(TRAINING, "workers", "--workers 1", "workers", {
    beside: `${PHOTOS} --workers 2`,
    without: "--workers 2",
  }),
  effect(TRAINING, "cache", "--cache disk", "folder cache/adjoin/pictures", { beside: PHOTOS }),
  effect(TRAINING, "strict", "--strict", "printed", { beside: PHOTOS, refused: "with" }),
  effect(["eval"], "workers", "--workers 1", "workers", {
    base: EVAL_PHOTOS,
    beside: "--workers 2",
    without: "--workers 2",
  }),
  effect(["eval"], "cache", "--cache disk", "folder cache/adjoin/pictures", { base: EVAL_PHOTOS }),
  effect(["eval"], "strict", "--strict", "printed", { base: EVAL_PHOTOS, refused: "with" }),

  // Training.
  effect(TRAINING, "epochs", "--epochs 3", ["submits", "write lambda", "write hyper"]),
  effect(TRAINING, "batch-size", "--batch-size 4", ["program", "submits"]),
  effect(TRAINING, "lr", "--lr 0.001", "write hyper"),
  effect(TRAINING, "opt", "--opt sgd", "program", {
    // Defaults that depend on the optimiser.
    beside: "--sched cosine --lr 0.01 --weight-decay 0.01",
  }),
  effect(TRAINING, "sched", "--sched cosine", "write hyper"),
  effect(["train"], "sched", "--sched step", "write hyper", {
    of: "steps",
    beside: "--sched constant",
  }),
  effect(TRAINING, "warmup-epochs", "--warmup-epochs 2", "write hyper", {
    beside: "--sched constant",
  }),
  effect(TRAINING, "decay-rate", "--decay-rate 0.5", "write hyper", { beside: "--sched step" }),
  effect(TRAINING, "momentum", "--momentum 0.5", "write hyper", { beside: "--sched constant" }),
  effect(TRAINING, "nesterov", "--nesterov", "program", { beside: "--opt sgd" }),
  effect(TRAINING, "weight-decay", "--weight-decay 0.2", "program"),
  effect(["train"], "weight-decay", "--weight-decay 0.2", "program", {
    of: "sgd",
    beside: "--opt sgd",
  }),
  effect(TRAINING, "precision", "--precision mixed", "program"),
  effect(ON_GPU, "webgpu", "--webgpu dawn", "dawn"),
  effect(["parity"], "webgpu", "--webgpu dawn", "dawn", { base: "parity {made}/parity" }),
  effect(["train"], "precision", "--precision auto", "program", { of: "a GPU with half floats" }),
  effect(TRAINING, "norm-decay", "--norm-decay 0", [
    "program",
    "write factors of the weight decay",
  ]),
  effect(["train"], "norm-decay", "--norm-decay 0", "program", { of: "sgd", beside: "--opt sgd" }),
  effect(TRAINING, "smoothing", "--smoothing 0.1", "program"),
  effect(["train"], "smoothing", "--smoothing 0.1", "program", {
    of: "one network",
    beside: "--mode plain",
  }),
  effect(["train"], "smoothing", "--smoothing 0.1", "program", {
    of: "distillation",
    beside: "--mode distill --teacher {made}/a",
  }),

  effect(TRAINING, "clip-grad", "--clip-grad 0.5", "program"),
  effect(TRAINING, "model-ema-decay", "--model-ema-decay 0.9", ["program", "write parameters"]),
  effect(TRAINING, "grad-accum-steps", "--grad-accum-steps 2", ["program", "write one"]),
  effect(TRAINING, "select", "--select best", "write parameters"),
  effect(TRAINING, "patience", "--patience 1", "write hyper", { beside: "--epochs 4" }),
  effect(TRAINING, "class-weights", "--class-weights balanced", "program"),
  effect(TRAINING, "sampler", "--sampler balanced", "write labels"),
  effect(TRAINING, "recipe", "--recipe imagewoof", ["program", "write crops", "write hyper"], {
    beside: "--image-size 32",
  }),
  effect(["train"], "recipe", "--recipe best", "program", { of: "the best" }),

  // The seed.
  effect(TRAINING, "seed", "--seed 1", "write pixels", {
    of: "generated images",
    // A single image has but one order.
    beside: "--train-size 1 --val-size 1 --batch-size 1",
  }),
  effect(["train"], "seed", "--seed 1", "write parameters", { of: "weights", beside: IDX }),
  effect(["train"], "seed", "--seed 1", ["write pixels", "write labels"], {
    of: "the order of images",
    beside: IDX,
  }),
  effect(["train"], "seed", "--seed 1", "write crops", {
    of: "augmentation",
    beside: `${IDX} --augment crop`,
  }),
  effect(["train"], "seed", "--seed 1", "program", {
    of: "masks",
    beside: `${IDX} --masking-factor 0.3`,
  }),
  effect(SEARCHES, "seed", "--seed 1", "write draws", { of: "the search" }),

  // The run and its folder.
  effect(TRAINING, "output", "--output {dir}/other", "folder other"),
  effect(TRAINING, "overwrite", "--overwrite", ["printed", "submits"], {
    beside: "--output {dir}/taken",
    refused: "without",
  }),
  effect(["train", "search"], "beside", "--beside {made}/a", "file run/pareto.svg"),
  effect(["compare"], "beside", "--beside {made}/a", "file run/pareto.svg"),
  effect(TRAINING, "quiet", "--quiet", "printed"),
  effect(TRAINING, "json", "--json", "printed"),
  effect(["train", "search"], "keep", "--keep 9", "file run/checkpoints/epoch-0001.safetensors"),
  effect(
    ["compare"],
    "keep",
    "--keep 9",
    "file run/checkpoints/searched-0-epoch-0001.safetensors",
  ),
  ...[["checkpoint-steps", "1"], ["checkpoint-minutes", "1e-9"]].flatMap(([name, value]) => [
    effect(["train", "search"], name, `--${name} ${value}`, `${WITHIN}${STEP_1}`, {
      beside: STEPS,
    }),
    effect(["compare"], name, `--${name} ${value}`, `${WITHIN}searched-0-${STEP_1}`, {
      beside: STEPS,
    }),
  ]),
  effect(TRAINING, "time-limit", "--time-limit 1e-9", "submits", { refused: "with" }),
  effect(TRAINING, "resume", "--resume auto", "printed"),
  effect(TRAINING, "dry-run", "--dry-run", ["printed", "submits", "folder run"]),
  ...TRAINING.map((command) =>
    effect([command], "config", "--config {made}/config.json", "printed", {
      base: `${BASES[command]} --dry-run`,
    })
  ),

  // A search.
  effect(SEARCHES, "budget-macs", "--budget-macs 0.75", ["write aim", "printed"]),
  effect(["search"], "budget-macs", "--budget-macs 0.8,0.75", "submits", { of: "several" }),
  effect(SEARCHES, "budget-params", "--budget-params 0.8", ["write pairs", "write constant"], {
    without: "--budget-macs 0.8",
  }),
  effect(["search"], "budget-latency", "--budget-latency 0.8", "write pairs", {
    base: `${SEARCH_ALONE} --divisors 1,8`,
    without: "--budget-macs 0.8",
  }),
  effect(SEARCHES, "divisors", "--divisors 1,2", ["program", "write pairs"]),
  effect(SEARCHES, "search-epochs", "--search-epochs 3", ["submits", "write temperature"]),
  effect(SEARCHES, "search-lr", "--search-lr 0.1", "write hyper"),
  effect(SEARCHES, "temperature", "--temperature 4", "write temperature"),
  effect(SEARCHES, "end-temperature", "--end-temperature 0.4", "write temperature"),
  effect(["search"], "from-scratch", "--from-scratch", "write parameters"),
  effect(["search"], "widths-only", "--widths-only", ["submits", "file run/small.safetensors"], {
    base: SEARCH_BASE,
  }),
  effect(["compare"], "seeds", "--seeds 2", ["submits", "printed"]),
  effect(["compare"], "methods", "--methods alone,searched", ["submits", "printed"]),
  effect(["compare"], "prune-by", "--prune-by taylor", ["program", "printed"], {
    beside: "--methods pruned,searched",
  }),

  // export.
  effect(["export"], "which", "--which base", "file idx-run/base.onnx"),
  effect(["export"], "format", "--format safetensors", [
    "file idx-run/small.onnx",
    "file idx-run/small.torch.safetensors",
  ]),
  effect(
    ["export"],
    "include-normalization",
    "--include-normalization",
    "file idx-run/small.onnx",
  ),
  // A program that ends is no browser in which a file can be right.
  effect(["export"], "browser", "--browser /bin/false", ["printed", "file idx-run/small.onnx"], {
    refused: "with",
  }),
  effect(["export"], "page", "--page", ["printed", "file idx-run/small.html"]),
  effect(["export"], "int8", "--int8", ["file idx-run/small.int8.onnx", "printed"]),
  effect(["export"], "fp16", "--fp16", ["file idx-run/small.fp16.onnx", "printed"]),
  effect(["export"], "calibration", "--calibration entropy", "file idx-run/small.int8.onnx", {
    beside: "--int8",
  }),
  effect(
    ["export"],
    "calibration-images",
    "--calibration-images 1",
    ["file idx-run/small.int8.onnx", "printed"],
    { beside: "--int8" },
  ),
  effect(["export"], "max-drop", "--max-drop 50", ["file idx-run/small.int8.onnx", "printed"], {
    base: "export {made}/lossy-run --int8 --output {dir}/idx-run/",
    refused: "without",
  }),
  effect(["export"], "output", "--output {dir}/other/net.onnx", "file other/net.onnx"),
  effect(["export"], "overwrite", "--overwrite", "file taken/note.onnx", {
    beside: "--output {dir}/taken/note.onnx",
    refused: "without",
  }),
  effect(["data"], "dataset", "--dataset pets", "printed", { refused: "with" }),
  effect(["data"], "json", "--json", "printed"),
  effect(["data"], "output", "--output {dir}/other/", ["printed", "file other/sheet.png"]),
  effect(["data"], "overwrite", "--overwrite", "file taken/note.onnx", {
    base: "data {made}/pictures --output {dir}/taken/note.onnx",
    refused: "without",
  }),
  effect(["export"], "data-dir", "--data-dir {made}/other-idx", "write pixels"),

  // eval.
  effect(["eval"], "dataset", IDX, ["printed", "submits"], {
    base: "eval {dir}/loose.safetensors",
    refused: "without",
  }),
  effect(["eval"], "data-dir", "--data-dir {made}/other-idx", "write pixels"),
  effect(["eval"], "val-size", "--val-size 4", ["write labels", "printed"]),
  effect(["eval"], "batch-size", "--batch-size 4", ["program", "submits"]),
  effect(["eval"], "seed", "--seed 1", "write pixels", { base: "eval {made}/a/small.safetensors" }),
  effect(["eval"], "output", "--output {dir}/seen", "file seen/confusion.svg"),
  effect(["eval"], "json", "--json", "printed"),
  effect(["eval", "export", "predict", "data"], "quiet", "--quiet", "printed"),
  effect(["doctor"], "quiet", "--quiet", "printed"),
  effect(["parity"], "quiet", "--quiet", "printed", {
    base: "parity {made}/parity",
  }),
  effect(["bench data", "bench peers"], "quiet", "--quiet", "printed"),

  effect(["export"], "json", "--json", "printed"),

  // predict.
  effect(["predict"], "top", "--top 2", "printed"),
  effect(["predict"], "which", "--which base", ["printed", "program"]),
  effect(["predict"], "batch-size", "--batch-size 2", ["program", "submits"]),
  effect(["predict"], "json", "--json", "printed"),

  // summary.
  effect(["summary"], "model", "--model resnet20", "printed"),
  effect(["summary"], "variant", "--variant torchvision", "printed", {
    beside: "--model resnet18",
  }),
  effect(["summary"], "stem", "--stem authors", "printed", { beside: "--stem cifar" }),
  effect(["summary"], "mask-from", "--mask-from 1", "printed"),
  effect(["summary"], "trunk", "--trunk separate", "printed"),
  effect(["summary"], "compression", "--compression 2", "printed"),
  effect(["summary"], "latency", "--latency", "printed", {
    base: "summary --model resnet8 --image-size 8 --compression 8",
  }),
  effect(["summary"], "round-to", "--round-to 16", "printed"),
  effect(["summary"], "classes", "--classes 10", "printed"),
  effect(["summary"], "channels", "--channels 1", "printed"),
  effect(["summary"], "image-size", "--image-size 64", "printed"),
  effect(["summary"], "json", "--json", "printed"),

  // Shaders.
  effect(
    ["train", "search"],
    "tensorboard",
    "--tensorboard",
    "file run/tensorboard/events.out.tfevents.0.adjoin",
  ),
  effect(
    ["compare"],
    "tensorboard",
    "--tensorboard",
    "file run/searched-0/tensorboard/events.out.tfevents.0.adjoin",
  ),
  effect(TRAINING, "serve", "--serve", "workers"),
  effect(["serve"], "port", "--port 18437", "printed"),
  effect(["doctor"], "json", "--json", "printed"),
  effect(["wgsl"], "case", "--case 1", "printed"),
  effect(["wgsl"], "preset", "--preset software", "printed"),
  effect(["wgsl"], "kernel", "--kernel gradient", "printed"),
  effect(["wgsl"], "list", "--list", "printed"),

  // The benches.
  effect(CONV, "kernel", "--kernel 5", "program"),
  effect(CONV, "stride", "--stride 2", "program"),
  effect(CONV, "padding", "--padding 0", "program"),
  effect(CONV, "in", "--in 32", ["program", "write x"]),
  effect(CONV, "out", "--out 32", ["program", "write w"]),
  effect(CONV, "groups", "--groups 8", ["program", "printed"]),
  effect(CONV, "size", "--size 16", ["program", "write x"]),
  effect(CONV, "precision", "--precision mixed", ["program", "write x"]),
  effect(CONV, "batch", "--batch 4", ["program", "write x"]),
  effect(STEP, "model", "--model resnet20", "program"),
  effect(STEP, "mode", "--mode plain", "program"),
  effect(STEP, "batch", "--batch 4", ["program", "write pixels"]),
  effect(STEP, "image-size", "--image-size 12", "write pixels"),
  effect(STEP, "beside-plain", "--beside-plain", ["program", "printed"]),
  effect(STEP, "checkpoint", "--checkpoint", ["printed", "program"]),
  effect(STEP, "profile", "--profile", "printed"),
  effect(STEP, "variant", "--variant torchvision", "printed", { refused: "with" }),
  effect(STEP, "stem", "--stem authors", "program", { beside: "--stem cifar" }),
  effect(STEP, "mask-from", "--mask-from 1", "program"),
  effect(STEP, "precision", "--precision mixed", "program"),
  effect(STEP, "trunk", "--trunk separate", "program"),
  effect(STEP, "compression", "--compression 2", "program"),
  effect(STEP, "sandwich", "--sandwich 1", "program", { beside: "--compression 2,4" }),
  effect(["bench conv", "bench step"], "repeats", "--repeats 2", "submits"),
  effect(["bench conv", "bench step"], "json", "--json", "printed"),
  effect(["bench data"], "workers", "--workers 2", "workers", { without: "--workers 1" }),
  effect(["bench data"], "image-sizes", "--image-sizes 8,12", "printed", {
    without: "--image-sizes 8",
  }),
  effect(["bench data"], "repeats", "--repeats 2", "workers", { without: "--repeats 1" }),
  effect(["bench peers"], "large", "--large", ["program", "printed"]),
  effect(["bench peers"], "only", "--only 1x1", ["program", "printed"]),
  effect(["bench peers"], "all", "--all", "printed", { beside: "--only ResNet-18" }),
  effect(["bench peers"], "repeats", "--repeats 1", "submits"),
];

/** The name of the test of an effect. */
export function effectName({ option, of, changes }: Effect, command: Command): string {
  return `${command} --${option}${of ? ` (${of})` : ""} changes ${changes.join(", ")}`;
}
