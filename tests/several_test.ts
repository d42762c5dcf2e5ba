// Several small networks over one base network: what adjoin() makes, what a step trains, what a run
// leaves and its commands take.
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { searchRequest } from "../cli/options.ts";
import { openSearch } from "../cli/run/open_run.ts";
import type { WidthsFound } from "../export/widths_file.ts";
import { StoppedError } from "../train/errors.ts";
import type { Course } from "../train/resume/course.ts";
import { MemoryKeeper } from "../train/resume/keeper.ts";
import { search } from "../train/search.ts";
import { Gpu } from "../kernels/gpu.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { TrainingBatches } from "../data/batches.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { adjoinedSpecs, smallSpecs } from "../nn/compress/adjoined_state.ts";
import { macsTogether } from "../nn/compress/macs_together.ts";
import { count } from "../nn/count.ts";
import { model } from "../nn/families/mod.ts";
import { initialize } from "../nn/state.ts";
import { Learner } from "../train/learner.ts";
import { sandwiches, sandwichOf } from "../train/sandwich.ts";
import { TrainingStep } from "../train/step.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { SILENT } from "../train/silent.ts";

const base = model("resnet8", { classes: 10 });
const HALF = [{ compression: 2 }, { compression: 4 }, { compression: 8 }];
const THREE = adjoin(base, { maskFrom: 1, small: HALF });

Deno.test("several small networks are pairs over one base network, named by their compression", () => {
  assertEquals(THREE.map(({ which }) => which), ["small-2", "small-4", "small-8"]);
  for (const [i, pair] of THREE.entries()) {
    assertEquals(pair.base, base);
    assertEquals(pair.small, adjoin(base, { maskFrom: 1, ...HALF[i] }).small);
  }
  assertEquals(adjoin(base, { small: HALF.slice(0, 1) }).map(({ which }) => which), ["small"]);
  const widths = { "layer2.0.conv1": 3 };
  const named = adjoin(base, {
    small: [{ compression: 1, widths }, { compression: 2, name: "half", maskFrom: 3 }],
  });
  assertEquals(named.map(({ which }) => which), ["small-1", "small-half"]);
  assert(!named[1].masked.includes("layer2.0.conv1"));
});

Deno.test("small networks without number, of one name, or of a name that is none are refused", () => {
  assertThrows(() => adjoin(base, { small: [] }), TypeError, "at least one small network");
  const twice = [{ compression: 2 }, { compression: 2 }];
  assertThrows(() => adjoin(base, { small: twice }), RangeError, "small-2 twice; pass name");
  assertThrows(
    () => adjoin(base, { small: [{ compression: 2, name: "a/b" }] }),
    RangeError,
    'as name of a small network, found "a/b"',
  );
  const other = adjoin(model("resnet8", { classes: 10 }), { small: HALF });
  assertThrows(() => adjoinedSpecs([THREE[0], other[1]]), TypeError, "wanted one base network");
  assertThrows(() => adjoinedSpecs([]), TypeError, "empty list");
});

Deno.test("the trunk of several small networks runs once", () => {
  const image = { height: 32, width: 32 };
  const pairs = adjoin(base, { small: HALF });
  const whole = count(base, image).macs;
  const own = pairs.map((pair) => macsTogether(pair, image) - whole);
  assertEquals(macsTogether(pairs, image), whole + own.reduce((sum, macs) => sum + macs));
  assert(pairs.every((pair, i) => own[i] < count(pair.small, image).macs));
});

Deno.test("a sandwich has the smallest network, and each other as often as the rest", () => {
  assertEquals(sandwiches(THREE), [["small-2", "small-4", "small-8"]]);
  assertEquals(sandwiches(THREE, 2), [["small-2", "small-8"], ["small-4", "small-8"]]);
  assertEquals(sandwiches(THREE, 1), [["small-8"]]);
  assertEquals(sandwiches([THREE[2], THREE[0]], 1), [["small-8"]]);
  const drawn = Array.from({ length: 400 }, (_, step) => sandwichOf(3, 1, step, 2));
  assertEquals(drawn, Array.from({ length: 400 }, (_, step) => sandwichOf(3, 1, step, 2)));
  const ones = drawn.filter((place) => place === 1).length;
  assert(ones > 160 && ones < 240, `${ones}`);
  assertEquals(sandwichOf(3, 1, 5, 1), 0);
});

const SPLIT = generatedSplit({ train: 8, validation: 1, size: 16, seed: 0 });

/** A step on three small networks, and the weights that learn. */
async function stepOn(gpu: Gpu, pairs: typeof THREE, sandwich?: number, accumulation = 1) {
  const scope = gpu.scope();
  const specs = adjoinedSpecs(pairs);
  const random = new Random(0, "weights");
  const state = initialize(specs, base, () => random.normal());
  const optimizer = { name: "sgd", weightDecay: 0, nesterov: false } as const;
  const learner = new Learner(scope, { specs, state, optimizer });
  const { train: dataset, normalization } = SPLIT;
  const step = await TrainingStep.trace(scope, {
    ...{ objective: { mode: "adjoined", adjoined: pairs, detach: false }, learner, sandwich },
    feed: { dataset, normalization, batch: 8 / accumulation, image: { height: 16, width: 16 } },
    ...{ labelSmoothing: 0, accumulation },
  });
  const run = (place?: number, lambda = 0.5): void => {
    const batches = new TrainingBatches({ dataset, batch: 8 / accumulation, seed: 0 });
    for (const batch of batches.epoch(0)) {
      step.run(batch, { lr: 0.1, momentum: 0, lambda, sandwich: place });
    }
  };
  return { learner, step, run, state };
}

Deno.test("a step on several small networks adds up what each of them brings", async () => {
  const gpu = await Gpu.open();
  try {
    const together = await stepOn(gpu, THREE);
    together.run();
    const { crossEntropy, kl, loss, scores } = await together.step.read();
    assertEquals(Object.keys(scores), ["base", "small-2", "small-4", "small-8"]);
    let all = 0;
    const moved = new Map<string, Float64Array>();
    for (const pair of THREE) {
      const alone = await stepOn(gpu, [pair]);
      alone.run();
      const means = await alone.step.read();
      assertAlmostEquals(means.crossEntropy, crossEntropy, 1e-5);
      all += means.kl;
      for (const [name, values] of await alone.learner.read()) {
        const before = alone.state.get(name) ?? [];
        const sum = moved.get(name) ?? new Float64Array(values.length);
        values.forEach((value, i) => sum[i] += value - before[i]);
        moved.set(name, sum);
      }
    }
    assertAlmostEquals(kl, all, 1e-4 * all);
    assertAlmostEquals(loss, crossEntropy + 0.5 * all, 1e-4 * loss);
    // The cross entropy of the base network, which is in all three.
    const plain = await stepOn(gpu, THREE.slice(0, 1));
    plain.run(0, 0);
    const alone = await plain.learner.read();
    const found = await together.learner.read();
    for (const name of ["small-4.layer2.0.bn1.weight", "layer2.0.conv1.weight", "fc.weight"]) {
      const before = together.state.get(name) ?? new Float32Array();
      const [got, sum] = [found.get(name) ?? before, moved.get(name) ?? []];
      const base = name.startsWith("small") ? before : alone.get(name) ?? before;
      got.forEach((value, i) => {
        const wanted = sum[i] - (THREE.length - 1) * (base[i] - before[i]);
        assertAlmostEquals(value - before[i], wanted, 1e-5, name);
      });
    }
  } finally {
    gpu.destroy();
  }
});

Deno.test("a network that a step does not train stays as it is", async () => {
  const gpu = await Gpu.open();
  try {
    for (const accumulation of [1, 2]) {
      const { learner, step, run } = await stepOn(gpu, THREE, 2, accumulation);
      assertEquals(step.sandwiches, [["small-2", "small-8"], ["small-4", "small-8"]]);
      run(0);
      const first = await learner.read();
      run(1);
      const second = await learner.read();
      const own = (pair: typeof THREE[number]): string[] => {
        const { parameters, statistics } = smallSpecs(pair);
        return [...parameters, ...statistics].map(({ name }) => name);
      };
      const isSame = (name: string): boolean => `${first.get(name)}` === `${second.get(name)}`;
      assert(own(THREE[0]).every(isSame), "small-2 was trained");
      assert(!own(THREE[1]).some((name) => name.endsWith("running_mean") && isSame(name)));
      assert(!own(THREE[2]).some((name) => name.endsWith("running_mean") && isSame(name)));
      assert(!isSame("fc.weight"));
      assertThrows(() => run(2), RangeError, "the sandwich");
    }
  } finally {
    gpu.destroy();
  }
});

Deno.test("programs of several sandwiches lie in the same memory", async () => {
  const gpu = await Gpu.open();
  try {
    const before = gpu.live().bytes;
    const { step } = await stepOn(gpu, THREE, 2);
    const [first, second] = step.programs;
    assert(second.bytes < first.bytes / 10, `${second.bytes} beside ${first.bytes}`);
    assert(gpu.live().bytes > before);
  } finally {
    gpu.destroy();
  }
});

const SHORT = [
  ...["--train-size", "16", "--val-size", "8", "--batch-size", "8", "--image-size", "16"],
  ...["--epochs", "2", "--mask-from", "1"],
];

Deno.test(
  "a run of several small networks leaves each of them, and commands take each",
  { ignore: lacks("read", "write", "run") },
  () =>
    withFolder(async (dir) => {
      const run = `${dir}/run`;
      const trained = await adjoinCommand([
        ...["train", ...SHORT, "--compression", "2,4", "--sandwich", "1", "--output", run],
      ]);
      assertEquals(trained.code, 0, trained.error);
      const files = [...Deno.readDirSync(run)].map(({ name }) => name);
      const summary = JSON.parse(await Deno.readTextFile(`${run}/summary.json`));
      for (const which of ["small-2", "small-4"]) {
        for (const file of [`${which}.safetensors`, `${which}-confusion.svg`]) {
          assert(files.includes(file), file);
        }
        assertEquals(summary[which].verify.top1Agreement, 1);
      }
      const which = ["--which", "small-4", "--format", "safetensors"];
      const own = await adjoinCommand(["export", run, ...which]);
      assertEquals(own.code, 0, own.error);
      Deno.statSync(`${run}/small-4.torch.safetensors`);
      assert(!("small" in summary) && !files.includes("small.safetensors"));
      const all = await adjoinCommand(["export", run]);
      assertEquals(all.code, 0, all.error);
      for (const name of ["small-2.onnx", "small-4.onnx"]) Deno.statSync(`${run}/${name}`);
      const one = await adjoinCommand(["export", run, "--output", `${dir}/one.onnx`]);
      assertEquals(one.code, 2);
      assert(one.error.includes("for small-2 and small-4; pass --which"), one.error);
      const measured = await adjoinCommand(["eval", run, "--json"]);
      assertEquals(Object.keys(JSON.parse(measured.out)), ["base", "small-2", "small-4"]);
      const checkpoint = `${run}/checkpoints/best-small-4.safetensors`;
      const of = await adjoinCommand(["eval", checkpoint, "--json"]);
      assertEquals(Object.keys(JSON.parse(of.out)), ["base", "small-2", "small-4"]);
      const both = await adjoinCommand(["export", checkpoint, "--format", "safetensors"]);
      assertEquals(both.code, 0, both.error);
      for (const which of ["small-2", "small-4"]) {
        Deno.statSync(`${run}/checkpoints/best-small-4.${which}.torch.safetensors`);
      }
      const again = await adjoinCommand([
        ...["train", ...SHORT, "--compression", "2", "--output", run, "--overwrite"],
      ]);
      assertEquals(again.code, 0, again.error);
      const left = [...Deno.readDirSync(run)].filter(({ name }) => /^small-/.test(name));
      assertEquals(left.map(({ name }) => name), []);
    }),
);

Deno.test("several small networks have widths of several files, named after them", {
  ignore: lacks("read", "write", "run"),
}, () =>
  withFolder(async (dir) => {
    await Deno.mkdir(`${dir}/third`);
    await Deno.writeTextFile(`${dir}/half.json`, '{"layer2.0.conv1": 16}');
    await Deno.writeTextFile(`${dir}/third/widths.json`, '{"layer2.0.conv1": 10}');
    const widths = `${dir}/half.json,${dir}/third/widths.json`;
    const { code, error } = await adjoinCommand([
      ...["train", ...SHORT, "--epochs", "1", "--widths", widths, "--output", `${dir}/run`],
    ]);
    assertEquals(code, 0, error);
    const summary = JSON.parse(await Deno.readTextFile(`${dir}/run/summary.json`));
    assert(summary["small-half"].params > summary["small-third"].params);
    const config = JSON.parse(await Deno.readTextFile(`${dir}/run/config.json`));
    assertEquals(config.widths["small-third"], { "layer2.0.conv1": 10 });
    const twice = await adjoinCommand([
      ...["train", ...SHORT, "--widths", `${dir}/half.json,${dir}/half.json`],
    ]);
    assertEquals(twice.code, 2);
    assert(twice.error.includes("both make small-half; rename one"), twice.error);
  }));

Deno.test("a search for several budgets finds widths for each, stopped between them or not", {
  ignore: lacks("read"),
}, async () => {
  const { options, find } = searchRequest(readArguments("search", [
    ...["--budget-macs", "0.9,0.8", "--mask-from", "1", "--search-epochs", "2", "--epochs", "1"],
    ...["--train-size", "16", "--val-size", "8", "--batch-size", "8", "--image-size", "16"],
  ]));
  const opened = await openSearch(options, find);
  const run = async (course: Course) => {
    const found: [string, WidthsFound][] = [];
    const { trained } = await search(opened, {
      ...{ options, fromScratch: false, train: true, course },
      found: (widths, which) => Promise.resolve(void found.push([which, widths])),
    }, SILENT);
    return { found, files: trained?.files ?? new Map<string, Uint8Array>() };
  };
  const keeper = new MemoryKeeper();
  const straight = await run({ keeper });
  assertEquals(straight.found.map(([which]) => which), ["small-0.9", "small-0.8"]);
  for (const [i, budget] of [0.9, 0.8].entries()) {
    const { file } = straight.found[i][1];
    assertEquals(file.budget, budget);
    assertAlmostEquals(file.found, budget, 0.02);
  }
  const names = ["base", "small-0.9", "small-0.8"].map((which) => `${which}.safetensors`);
  assertEquals([...straight.files.keys()].toSorted(), names.toSorted());
  const kept = new MemoryKeeper();
  let asked = 0;
  // In the second search.
  const stopped = (): boolean => ++asked > 9;
  await assertRejects(() => run({ keeper: kept, stopped }), StoppedError);
  const from = await kept.last();
  assertEquals(from?.phase, "search-2");
  const again = await run({ keeper: kept, from });
  assertEquals(again.found.map(([which]) => which), ["small-0.8"]);
  for (const name of names) {
    const [bytes, wanted] = [again.files.get(name), straight.files.get(name)];
    assert(bytes && wanted && bytes.every((byte, i) => byte === wanted[i]), name);
  }
});

Deno.test("flags that several small networks do not go with are refused", async () => {
  for (
    const [args, words] of [
      ["--compression 2,4 --mode plain --which small", "trained by --mode adjoined alone, found 2"],
      ["--compression 4 --sandwich 1", "has an effect on several small networks alone"],
      ["--compression 2,4 --sandwich 2", "--sandwich is less than the 2 small networks, found 2"],
      ["--compression 2,2", "up to 8 different ones"],
    ]
  ) {
    const { code, error } = await adjoinCommand(["train", ...args.split(" ")]);
    assertEquals(code, 2);
    assert(error.includes(words), error);
  }
});
