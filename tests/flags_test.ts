import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { UsageError } from "../train/errors.ts";
import { type Command, COMMANDS } from "../cli/flags/commands.ts";
import { flagOf, optionsOf } from "../cli/flags/table.ts";
import { commandHelp, generalHelp } from "../cli/help.ts";
import { compareRequest, searchRequest, trainRequest } from "../cli/options.ts";
import type { TrainOptions } from "../train/types.ts";
import { MODEL_NAMES } from "../nn/families/mod.ts";

function words(line: string): string[] {
  return line.split(" ").filter((word) => word);
}

function options(line: string): TrainOptions {
  return trainRequest(readArguments("train", words(line))).options;
}

/** What is wrong with a command line, less what all such messages begin with. */
function complaint(line: string, command: Command = "train"): string {
  const { message } = assertThrows(() => {
    const read = readArguments(command, words(line));
    if (command === "train") trainRequest(readArguments("train", words(line)));
    if (command === "search") searchRequest(readArguments("search", words(line)));
    if (command === "compare") compareRequest(readArguments("compare", words(line)));
    return read;
  }, UsageError);
  const begin = "Cannot read the command line: ";
  assert(message.startsWith(begin), message);
  return message.slice(begin.length);
}

Deno.test("without flags, train adjoins resnet8 on generated images", () => {
  assertEquals(options(""), {
    mode: "adjoined",
    which: "base",
    model: "resnet8",
    variant: "xresnet",
    stem: "authors",
    dataset: "generated",
    trainSize: 4000,
    valSize: 1000,
    imageSize: 32,
    channels: 3,
    cropPct: 1,
    interpolation: "bilinear",
    augment: "none",
    scale: [0.35, 1],
    ratio: [0.75, 1.3333],
    hflip: 0,
    vflip: 0,
    colorJitter: 0,
    reprob: 0,
    remode: "pixel",
    mixup: 0,
    cutmix: 0,
    epochs: 6,
    batchSize: 64,
    lr: 4e-3,
    opt: "adamw",
    sched: "onecycle",
    warmupEpochs: 0,
    decayRate: 0.1,
    momentum: 0.9,
    nesterov: false,
    strict: false,
    weightDecay: 1e-2,
    precision: "float32",
    normDecay: 1,
    smoothing: 0,
    classWeights: "none",
    sampler: "shuffled",
    compression: 4,
    roundTo: 1,
    trunk: "shared",
    maskFrom: 2,
    maskingFactor: 0,
    drop: 0,
    dropPath: 0,
    detach: false,
    klSchedule: "authors",
    klWeight: 1,
    klTemperature: 1,
    klLoss: "kl",
    smallCe: 0,
    finetuneEpochs: 0,
    widths: undefined,
    teacher: undefined,
    init: undefined,
    seed: 0,
    keep: 0,
    select: "last",
    gradAccumSteps: "1",
    output: "runs/resnet8-adjoined-generated-0",
  });
});

Deno.test("defaults follow the data set and the optimiser, unless flags say otherwise", () => {
  const pick = ({ epochs, batchSize, lr, augment, sched, weightDecay }: TrainOptions) => [
    epochs,
    batchSize,
    lr,
    augment,
    sched,
    weightDecay,
  ];
  assertEquals(pick(options("--dataset cifar100")), [150, 32, 4e-3, "crop-flip", "onecycle", 1e-2]);
  assertEquals(pick(options("--dataset idx --opt sgd")), [10, 64, 0.1, "crop", "step", 1e-4]);
  assertEquals(
    pick(
      options(
        "--dataset idx --opt sgd --lr 1e-3 -e 3 -b 7 --sched cosine --weight-decay 0 --augment none",
      ),
    ),
    [3, 7, 1e-3, "none", "cosine", 0],
  );
});

Deno.test("flags may be shortened, joined by =, repeated and negated", () => {
  assertEquals(options("-e5").epochs, 5);
  assertEquals(options("--epochs=5 --epochs 6").epochs, 6);
  assertEquals(options("--detach").detach, true);
  assertEquals(options("--detach --no-detach").detach, false);
  assertEquals(options("--dataset idx --data-dir 007").dataDir, "007");
  assertEquals(readArguments("parity", ["01"]).positionals, ["01"]);
});

Deno.test("the benches take --batch-size, as train has it, for --batch", () => {
  for (const command of ["bench conv", "bench step"] as const) {
    for (const line of ["--batch 7", "--batch-size 7", "--batch-size=7"]) {
      const { values, given } = readArguments(command, words(line));
      assertEquals([values.batch, given.has("batch")], [7, true], line);
    }
    const wrong = "--batch is a whole number at least 1, found -1";
    assertEquals(complaint("--batch-size -1", command), wrong);
    assertStringIncludes(commandHelp(command), "(also --batch-size; default:");
  }
});

Deno.test("the run folder is named after what is run, and --output overrides it", () => {
  const request = (line: string) => trainRequest(readArguments("train", words(line)));
  const made = request("--seed 3 --model resnet20 --mode plain --dataset idx");
  assertEquals([made.options.output, made.named], ["runs/resnet20-plain-idx-3", false]);
  const given = request("--output here --overwrite --quiet");
  assertEquals([given.options.output, given.named], ["here", true]);
  assertEquals([given.overwrite, given.quiet], [true, true]);
  assertEquals([given.dryRun, request("--dry-run").dryRun], [false, true]);
});

Deno.test("torchvision's variant has its own stem, unless another is named", () => {
  const stem = (line: string) => options(`--model resnet18 ${line}`).stem;
  assertEquals(stem(""), "authors");
  assertEquals(stem("--variant torchvision"), undefined);
  assertEquals(stem("--variant torchvision --stem cifar"), "cifar");
});

Deno.test("stems and variants are for models that have a choice of them", () => {
  const { stem, variant } = options("--model vgg16_bn_cifar");
  assertEquals([stem, variant], [undefined, undefined]);
  assertEquals(options("--model mobilenetv2_100 --stem cifar").stem, "cifar");
  assertThrows(
    () => options("--model vgg16_bn_cifar --stem cifar"),
    UsageError,
    "--stem goes with --model resnet18,",
  );
  assertThrows(
    () => options("--model densenet121 --variant torchvision"),
    UsageError,
    "--variant goes with --model resnet18,",
  );
});

Deno.test("a teacher teaches the small network", () => {
  const { which, teacher } = options("--mode distill --teacher runs/a");
  assertEquals([which, teacher], ["small", "runs/a"]);
});

Deno.test("an unknown flag is refused, with the closest one", () => {
  assertEquals(complaint("--epoch 3"), "--epoch is no flag of train; did you mean --epochs?");
  assertEquals(complaint("-epochs 3"), "-epochs is no flag of train; did you mean --epochs?");
  assertEquals(
    complaint("--no-detatch"),
    "--no-detatch is no flag of train; did you mean --detach?",
  );
  assertEquals(complaint("--frobnicate"), "--frobnicate is no flag of train");
  assertEquals(complaint("-x 3"), "-x is no flag of train");
  assertEquals(complaint("--no-epochs"), "--no-epochs is no flag of train; did you mean --epochs?");
  assertEquals(complaint("--seed 1", "summary"), "--seed is no flag of summary");
});

Deno.test("numbers out of range, and what is no number, are refused", () => {
  const whole = "a whole number at least 1";
  assertEquals(complaint("--epochs -1"), `--epochs is ${whole}, found -1`);
  assertEquals(complaint("-e -1"), `--epochs is ${whole}, found -1`);
  assertEquals(complaint("--epochs 2.5"), `--epochs is ${whole}, found 2.5`);
  assertEquals(complaint("--batch-size 0"), `--batch-size is ${whole}, found 0`);
  assertEquals(complaint("--lr 0"), "--lr is a number above 0, found 0");
  assertEquals(complaint("--lr 0x10"), "--lr is a number above 0, found 0x10");
  assertEquals(complaint("--lr fast"), "--lr is a number above 0, found fast");
  assertEquals(complaint("--lr 1e400"), "--lr is a number above 0, found 1e400");
  assertEquals(
    complaint("--compression 0.9"),
    "--compression is a number at least 1, or up to 8 different ones with commas between, found 0.9",
  );
  const part = "a number at least 0 and below 1";
  assertEquals(complaint("--smoothing 1"), `--smoothing is ${part}, found 1`);
  assertEquals(complaint("--masking-factor -0.1"), `--masking-factor is ${part}, found -0.1`);
  const seed = "a whole number at least 0 and at most 9007199254740991";
  assertEquals(complaint("--seed 1e16"), `--seed is ${seed}, found 1e16`);
  assertEquals(complaint("--seed 9007199254740992", "eval"), `--seed is ${seed}, found ${2 ** 53}`);
  assertEquals(options("--seed 9007199254740991").seed, Number.MAX_SAFE_INTEGER);
  assertEquals(
    complaint("--budget-macs 1 --seeds 3 --seed 9007199254740990", "compare"),
    "--seed is at most 9007199254740989 beside --seeds 3, found 9007199254740990",
  );
});

Deno.test("a choice that is none is refused, with those there are", () => {
  assertEquals(
    complaint("--mode adjoint"),
    "--mode is adjoined, plain or distill, found adjoint; did you mean adjoined?",
  );
  const message = complaint("--model vgg16");
  for (const name of MODEL_NAMES) assertStringIncludes(message, name);
  assertStringIncludes(message, "found vgg16");
});

Deno.test("missing and needless values, and stray words, are refused", () => {
  assertEquals(complaint("--lr"), "--lr needs a value");
  assertEquals(complaint("--lr="), "--lr needs a value");
  assertEquals(complaint("--output --quiet"), "--output needs a value");
  assertEquals(
    complaint("--detach=maybe"),
    "--detach takes no value, found maybe; use --detach or --no-detach",
  );
  assertEquals(complaint("resnet20"), "train takes flags only, found resnet20");
  assertEquals(complaint("-- --lr 1"), "train takes flags only, found --lr");
  assertEquals(complaint("", "parity"), "parity needs DIR");
  assertEquals(complaint("a b", "parity"), "parity takes DIR and flags, found b");
});

Deno.test("flags that would have no effect are refused", () => {
  assertEquals(complaint("--nesterov"), "--nesterov goes with --opt sgd, found adamw");
  assertEquals(complaint("--teacher a"), "--teacher goes with --mode distill, found adjoined");
  assertEquals(complaint("--which small"), "--which goes with --mode plain, found adjoined");
  assertEquals(
    complaint("--warmup-epochs 1"),
    "--warmup-epochs goes with --sched constant, step or cosine, found onecycle",
  );
  assertEquals(
    complaint("--opt sgd --sched cosine --decay-rate 0.5"),
    "--decay-rate goes with --sched step, found cosine",
  );
  assertEquals(options("--no-nesterov").nesterov, false);
  assertEquals(
    complaint("--data-dir a"),
    "--data-dir goes with --dataset cifar10, cifar100, idx, folder or pets, found generated",
  );
  assertEquals(options("--dataset idx --data-dir a").dataDir, "a");
  for (const flag of ["--epochs 3", "--masking-factor 0.3"]) {
    assertEquals(
      complaint(`--budget-macs 0.5 --widths-only ${flag}`, "search"),
      `${flag.split(" ")[0]} has no effect beside --widths-only; leave one of them out`,
    );
  }
});

Deno.test("flags of the small network are refused where there is none", () => {
  const beside = (flags: string): string => `has no effect beside ${flags}; leave one of them out`;
  for (const flag of ["--compression 4", "--mask-from 2", "--masking-factor 0.3"]) {
    const [name] = flag.split(" ");
    assertEquals(
      complaint(`--mode plain ${flag}`),
      `${name} ${beside("--mode plain --which base")}`,
    );
    options(`--mode plain --which small ${flag}`);
    options(`--mode distill --teacher a ${flag}`);
  }
  assertStringIncludes(complaint("--mode plain --widths a"), "--widths has no effect beside");
  const trunk = "--which small --trunk separate";
  assertEquals(complaint(`--mode plain ${trunk}`), `--trunk ${beside("--mode plain")}`);
  assertEquals(
    complaint("--mode distill --teacher a --trunk shared"),
    `--trunk ${beside("--mode distill")}`,
  );
  assertEquals(options("--mode plain").compression, 4);
});

Deno.test("flags that mean nothing to a mode of bench step, or to a data set, are refused", () => {
  for (const flag of ["--beside-plain", "--compression 4", "--mask-from 2", "--trunk shared"]) {
    assertEquals(
      complaint(`--mode plain ${flag}`, "bench step"),
      `${flag.split(" ")[0]} has no effect beside --mode plain; leave one of them out`,
    );
  }
  assertStringIncludes(
    complaint("--mode search --compression 4", "bench step"),
    "no effect beside --mode search;",
  );
  assertEquals(
    complaint("a.onnx --seed 3 --dataset idx", "eval"),
    "--seed goes with --dataset generated, found idx",
  );
  assertEquals(
    complaint("run --format safetensors --include-normalization", "export"),
    "--include-normalization goes with --format onnx, found safetensors",
  );
});

Deno.test("flags that need each other are held to it", () => {
  assertStringIncludes(complaint("--mode distill"), "--mode distill needs --teacher");
  assertEquals(
    complaint("--sched cosine --epochs 3 --warmup-epochs 4"),
    "--warmup-epochs is at most --epochs 3, found 4",
  );
});

Deno.test("a search takes one budget, and what there is to choose from", () => {
  const request = (line: string) => searchRequest(readArguments("search", words(line)));
  const { options, find, fromScratch, widthsOnly } = request("--budget-macs 0.8");
  assertEquals(find, {
    budgeted: "macs",
    budget: 0.8,
    divisors: [1, 2, 4, 8],
    epochs: 4,
    lr: 0.05,
    temperature: [5, 0.5],
  });
  assertEquals([fromScratch, widthsOnly], [false, false]);
  assertEquals([options.mode, options.compression, options.widths], ["adjoined", 1, undefined]);
  assertEquals(options.output, "runs/resnet8-search-generated-0");
  const other = request("--budget-params 0.3 --divisors 1,1.5 --temperature 2 --end-temperature 2");
  assertEquals([other.find.budgeted, other.find.budget], ["params", 0.3]);
  assertEquals(other.find.divisors, [1, 1.5]);
  assertEquals(request("--budget-latency 0.5").find.budgeted, "latency");
  assertEquals(other.find.temperature, [2, 2]);
});

Deno.test("a search is refused without a budget, and with what makes no choice", () => {
  const wrong = (line: string): string => complaint(line, "search");
  const budgets = "search needs one of --budget-macs, --budget-params or --budget-latency, found";
  assertEquals(wrong(""), `${budgets} none`);
  for (const other of ["--budget-params", "--budget-latency"]) {
    assertEquals(
      wrong(`--budget-macs 0.5 ${other} 0.5`),
      `${budgets} --budget-macs and ${other}`,
    );
  }
  assertEquals(
    wrong("--budget-macs 0"),
    "--budget-macs is a number above 0 and at most 1, or up to 8 different ones with commas between, found 0",
  );
  for (const list of ["2", "2,2", "1,,2", "1,0.5", "1,x", "1,2,3,4,5,6,7,8,9"]) {
    assertEquals(
      wrong(`--budget-macs 0.5 --divisors ${list}`),
      `--divisors is 2 to 8 different numbers at least 1 with commas between, found ${list}`,
    );
  }
  assertEquals(
    wrong("--budget-macs 0.5 --temperature 0.4"),
    "--end-temperature is at most --temperature 0.4, found 0.5",
  );
  assertStringIncludes(
    wrong("--budget-macs 0.5 --widths-only --from-scratch"),
    "--from-scratch has no effect beside --widths-only",
  );
  assertEquals(wrong("--compression 4"), "--compression is no flag of search");
});

Deno.test("help names every flag with its default, exit codes, and examples at the end", () => {
  for (const command of Object.keys(COMMANDS) as Command[]) {
    const help = commandHelp(command);
    for (const { name } of optionsOf(command)) assertStringIncludes(help, flagOf(name));
    assertStringIncludes(help, "  129  ended by SIGHUP, as when its terminal is closed\n");
    const { examples } = COMMANDS[command];
    assert(examples.length >= 2 && examples.length <= 5, command);
    for (const [line] of examples) assert(line.startsWith(`${command}`), line);
    assert(help.endsWith(`\n  adjoin ${examples.at(-1)?.[0]}\n`), help);
    for (const line of help.split("\n")) assert(line.length <= 100, line);
  }
  const negated = (command: Command): boolean => commandHelp(command).includes("--no-NAME");
  assertEquals([negated("train"), negated("completions"), negated("serve")], [true, false, false]);
  const help = commandHelp("train").replaceAll(/\s+/g, " ");
  assertStringIncludes(help, "-e, --epochs N");
  assertStringIncludes(help, "default: generated 6, cifar10 100, cifar100 150, idx 10");
  assertStringIncludes(help, "default: adamw 0.004, sgd 0.1");
  assertStringIncludes(help, "(with --mode plain; default: base)");
  assertStringIncludes(help, "(not with --mode plain or --mode distill; default: shared)");
  assertStringIncludes(commandHelp("search").replaceAll(/\s+/g, " "), "separate (default: shared)");
  for (const command of Object.keys(COMMANDS)) assertStringIncludes(generalHelp(), command);
});

Deno.test("--help is read whatever else is missing", () => {
  assertEquals(readArguments("parity", ["--help"]).values.help, true);
  assertEquals(readArguments("train", ["-h"]).values.help, true);
});

Deno.test("the best recipe has labels for small networks and a fine-tuning, and nothing else", () => {
  const { recipe, smallCe, finetuneEpochs, ...rest } = options("--recipe best");
  assertEquals([recipe, smallCe, finetuneEpochs], ["best", 1, rest.epochs]);
  assertEquals({ ...rest, smallCe: 0, finetuneEpochs: 0 }, options(""));
  assertEquals(options("--recipe best --small-ce 0.5").smallCe, 0.5);
  assertEquals(options("--recipe best --epochs 7").finetuneEpochs, 7);
  assertEquals(options("--recipe best --finetune-epochs 0").finetuneEpochs, 0);
});

Deno.test("a recipe fills in what the authors did, and a flag beside it wins", () => {
  const found = (line: string) => {
    const { imageSize, batchSize, lr, epochs, opt, sched, weightDecay } = options(line);
    return [imageSize, batchSize, lr, epochs, opt, sched, weightDecay];
  };
  const adamw = ["adamw", "onecycle", 1e-2];
  assertEquals(found("--recipe imagenet"), [224, 256, 4e-3, 60, ...adamw]);
  assertEquals(found("--recipe imagewoof"), [224, 256, 0.1, 90, "sgd", "step", 1e-4]);
  assertEquals(found("--recipe cifar100"), [32, 32, 4e-3, 150, ...adamw]);
  assertEquals(found("--recipe cifar10"), [32, 32, 4e-3, 100, ...adamw]);
  assertEquals(found("--recipe pets"), [224, 64, 1e-3, 100, ...adamw]);
  const images = ({ augment, scale, ratio, hflip, cropPct, dataset }: TrainOptions): unknown[] => [
    ...[augment, scale, ratio, hflip, cropPct, dataset],
  ];
  assertEquals(images(options("--recipe cifar10")), [
    ...["resized-crop", [0.35, 1], [0.75, 1.3333], 0.5, 1 / 1.14, "generated"],
  ]);
  assertEquals(found("--recipe imagenet --img-size 64 -b 8 --lr 0.5 -e 2 --wd 0"), [
    ...[64, 8, 0.5, 2, "adamw", "onecycle", 0],
  ]);
  // Its learning rate is one for its optimiser.
  assertEquals(found("--recipe imagewoof --opt adamw").slice(2, 5), [4e-3, 90, "adamw"]);
  assertEquals(options("--recipe pets --dataset idx --augment crop").hflip, 0);
});

Deno.test("augmentations are refused out of their range, and where they do nothing", () => {
  for (
    const [line, wrong] of [
      ["--scale 0.5,1", "--scale goes with --augment resized-crop, found none"],
      ["--ratio 1,2 --augment crop", "--ratio goes with --augment resized-crop, found crop"],
      ["--remode const", "--remode has an effect with --reprob alone, found 0"],
      ["--remode const --reprob 0", "--remode has an effect with --reprob alone, found 0"],
      [
        "--channels 1",
        "--channels goes with --dataset cifar10, cifar100, folder or pets, found generated",
      ],
      [
        "--interpolation bicubic",
        "--interpolation goes with --dataset cifar10, cifar100, folder or pets, found generated",
      ],
      ["--channels 2 --dataset cifar10", "--channels is 1 or 3, found 2"],
      ["--hflip 1.5", "--hflip is a number at least 0 and at most 1, found 1.5"],
      ["--crop-pct 0", "--crop-pct is a number above 0 and at most 1, found 0"],
      ["--mixup -1", "--mixup is a number at least 0, found -1"],
    ]
  ) assertEquals(complaint(line), wrong, line);
  const scale = "--scale is 2 ascending numbers above 0 and at most 1 with commas between, found ";
  for (const text of ["0.5", "0.5,0.4", "0,1", "0.5,1.5", "1e-50,1", "a,b", "0.1,0.2,0.3"]) {
    assertEquals(complaint(`--augment resized-crop --scale ${text}`), scale + text, text);
  }
  assertEquals(options("--augment resized-crop --scale 0.5,0.5").scale, [0.5, 0.5]);
  const policy =
    "--aa is rand-mM-nN with a magnitude M from 0 to 10 and N operations from 1 to 9, " +
    "then -mstdS and -inc1 if wanted";
  for (const text of ["rand", "rand-m11-n2", "rand-m9-n0", "v0", "rand-m9-n2-x"]) {
    assertEquals(complaint(`--aa ${text}`), `${policy}, found ${text}`, text);
  }
  for (const text of ["rand-m10-n1", "rand-m9-n2-mstd0.5-inc1"]) {
    assertEquals(options(`--aa ${text}`).aa, text);
  }
});
