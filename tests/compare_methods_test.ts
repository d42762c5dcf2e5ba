import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { compareRequest, trainRequest } from "../cli/options.ts";
import { DataError } from "../data/error.ts";
import { readInputs } from "../cli/run/open_run.ts";
import { earlierRuns } from "../cli/run/earlier_runs.ts";
import { uniformWidths } from "../nn/compress/width_uniform.ts";
import type { Outcome } from "../train/compare/comparison.ts";
import { METHOD_NAMES, METHODS } from "../train/compare/methods.ts";
import type { Turn } from "../train/compare/method.ts";
import { Plan } from "../train/compare/plan.ts";
import { UsageError } from "../train/errors.ts";
import { pairsFor } from "../train/pair.ts";
import type { TrainingState } from "../train/resume/training_state.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { observe } from "./recorder.ts";

const ignore = lacks("read", "write", "env");

function methodOf(name: string) {
  const found = METHODS.find((method) => method.name === name);
  if (!found) throw new TypeError(`There is no method ${name}`);
  return found;
}

/** A state of a comparison, as far as a plan reads it. */
function stateOf(phase: string, ended?: readonly string[]): TrainingState {
  return { phase, run: { ended } } as Pick<TrainingState, "phase" | "run"> as TrainingState;
}

function request(...flags: readonly string[]) {
  return compareRequest(readArguments("compare", ["--budget-macs", "0.5", ...flags]));
}

function complaint(...flags: readonly string[]): string {
  return assertThrows(() => request(...flags), UsageError).message;
}

Deno.test("methods are trained in one order, with those that they start from", () => {
  const { methods, rows } = new Plan({ methods: ["pruned", "alone"], seed: 0, seeds: 2 });
  assertEquals(methods.map(({ name }) => name), ["base", "alone", "pruned"]);
  // The base network is no row, as it was not asked for.
  assertEquals(rows.map(({ method, which }) => `${method} ${which}`), [
    "alone small",
    "pruned small",
  ]);
});

Deno.test("all methods are compared, or those that are named, in any order", () => {
  assertEquals(request().methods, METHOD_NAMES);
  const { methods, config } = request("--methods", "pruned, base");
  assertEquals([methods, config.methods], [["base", "pruned"], ["base", "pruned"]]);
});

Deno.test("other methods are refused with the nearest, and methods that are named twice", () => {
  assertMatch(
    complaint("--methods", "base,distiled"),
    /--methods is base, alone, .* or several of them with commas between, found distiled; did you mean distilled\?$/,
  );
  assertMatch(complaint("--methods", "base,base"), /--methods names base twice$/);
  assertMatch(complaint("--methods", "base,"), /found $/);
});

Deno.test("options of methods that are not compared are refused", () => {
  assertMatch(
    complaint("--methods", "alone", "--prune-by", "l1"),
    /--prune-by acts on pruned alone, which --methods leaves out$/,
  );
  assertMatch(complaint("--methods", "adjoined", "--divisors", "1,2"), /acts on searched alone/);
  assertMatch(complaint("--methods", "base", "--detach"), /on adjoined,? .*or searched alone/);
  assertMatch(complaint("--methods", "pruned", "--kl-loss", "dkd"), /on distilled, adjoined/);
  assertMatch(complaint("--methods", "distilled", "--small-ce", "1"), /on adjoined/);
  assertEquals(request("--methods", "distilled", "--kl-weight", "2").options.klWeight, 2);
  assertEquals(request("--methods", "adjoined", "--detach").options.detach, true);
});

Deno.test("one of the methods takes the options of the best recipe", async () => {
  const flags = ["--train-size", "16", "--val-size", "8", "--batch-size", "8"];
  const { options, find } = request(...flags, "--mask-from", "1", "--small-ce", "0.5", "-e", "5");
  const inputs = await readInputs(options);
  const ground = { inputs, options, find, widths: {}, pruneBy: "l2" } as const;
  const turn = ground as Pick<Turn, keyof typeof ground> as Turn;
  const [plain, best] = await Promise.all(
    ["adjoined", "adjoined-best"].map((name) => methodOf(name).training(turn)),
  );
  const line = ["--recipe", "best", "--epochs", "5"];
  const { smallCe, finetuneEpochs } = trainRequest(readArguments("train", line)).options;
  const own = { smallCe: 0.5, finetuneEpochs: 0 };
  assertEquals({ ...plain.job.options, ...own }, plain.job.options);
  assertEquals({ ...plain.job.options, smallCe, finetuneEpochs }, best.job.options);
});

Deno.test("progress says which method of how many, and which seed", () => {
  const plan = new Plan({ methods: ["alone", "distilled"], seed: 4, seeds: 3 });
  assertEquals(plan.words(methodOf("distilled"), 5), "seed 5 (2/3)  distilled (3/3)");
});

Deno.test("a comparison goes on from a state of one of its runs alone", () => {
  const compared = { methods: ["alone"], seed: 0, seeds: 2 };
  const plan = new Plan(compared, stateOf("alone-1", ["alone-0"]));
  assertEquals([0, 1].map((seed) => plan.hasEnded(methodOf("alone"), seed)), [true, false]);
  for (const phase of ["alone-2", "adjoined-0", "train", "small-alone-0"]) {
    const { message } = assertThrows(() => new Plan(compared, stateOf(phase, [])), DataError);
    assertMatch(message, new RegExp(`wanted the checkpoint of one of its runs, found one of`));
  }
  // A release that counted runs by their places.
  const { message } = assertThrows(() => new Plan(compared, stateOf("alone-1")), DataError);
  assertMatch(message, /wanted a checkpoint that names the runs that have ended/);
});

Deno.test("the work that is left is that of the runs that have not ended", async () => {
  const flags = ["--train-size", "16", "--val-size", "8", "--batch-size", "8"];
  const { options, find } = request(...flags, "--mask-from", "1", "--budget-macs", "0.8");
  const inputs = await readInputs(options);
  const [{ base }] = pairsFor(options, inputs.split.train);
  const widths = uniformWidths(base, options, { ...find, image: inputs.split.train });
  const ground = { inputs, options, find, widths, pruneBy: "l2" } as const;
  const plan = new Plan({ methods: ["alone", "searched"], seed: 0, seeds: 2 });
  const [alone, searched] = plan.methods;
  const left = (...from: [typeof alone, number]): string[] =>
    plan.worksFrom(...from, ground).map(({ all }) => [...new Set(all.map(({ of }) => of))].join());
  assertEquals(left(alone, 0), ["alone", "search,searched", "alone", "search,searched"]);
  // As where it was added, and what comes after it has ended.
  plan.end(alone, 1);
  assertEquals(left(searched, 0), ["search,searched", "search,searched"]);
  const [{ training, all }] = plan.worksFrom(searched, 0, ground);
  assertEquals([...new Set(training.map(({ of }) => of))], ["searched"]);
  assertEquals(all.length, training.length + 2);
});

Deno.test("results of another layout are named", { ignore }, () =>
  withFolder(async (dir) => {
    const outcome = { method: "small alone", seed: 0, top1: 0.5, params: 1, macs: 1, latency: 1 };
    await Deno.writeTextFile(`${dir}/compare.json`, JSON.stringify({ outcomes: [outcome] }));
    const found = { path: dir, state: stateOf("alone-0", []) };
    const error = await earlierRuns(found).catch((error) => error);
    assertEquals(error instanceof DataError, true);
    assertMatch(
      error.message,
      /wanted results by method and network .* found one of "small alone"/,
    );
  }));

Deno.test("methods are added to a comparison that goes on, and none is trained again", {
  ignore,
}, () =>
  withFolder(async (dir) => {
    const run = `${dir}/run`;
    const small = ["--train-size", "8", "--val-size", "8", "--batch-size", "8", "--epochs", "2"];
    const begin = ["--budget-macs", "0.8", "--mask-from", "1", "--seeds", "1", "--output", run];
    const first = await observe(
      ["compare", ...small, ...begin, "--methods", "distilled"],
      dir,
    );
    assertEquals(first.code, 0, first.printed);
    assertMatch(first.printed, /\ncompare {2}1 method at 80\.0 % .*, seed 0: 2 runs\n/);
    assertMatch(
      first.printed,
      /\nmethods {2}distilled\nbesides {2}base, which distilled starts from\n/,
    );
    const before = ["base-0", "distilled-0"].map((name) => `${run}/${name}/summary.json`);
    const times = () => before.map((file) => Deno.statSync(file).mtime?.getTime());
    const written = times();
    const second = await observe(["compare", "--resume", run, "--methods", "base,alone"], dir);
    assertEquals(second.code, 0, second.printed);
    assertEquals(times(), written);
    const { methods, outcomes } = JSON.parse(await Deno.readTextFile(`${run}/compare.json`));
    assertEquals(methods, ["base", "alone", "distilled"]);
    assertEquals(
      outcomes.map(({ method, which }: Outcome) => `${method} ${which}`),
      ["base base", "alone small", "distilled small"],
    );
    const third = await observe(["compare", "--resume", run], dir);
    assertEquals(third.printed, "{dir}/run has nothing left to do: it has done all 3 runs\n");
  }));
