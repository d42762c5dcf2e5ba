// Runs whose small networks keep the filters that matter: what they keep, how they go on, their files.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { EXIT } from "../cli/exit.ts";
import { searchRequest, trainRequest } from "../cli/options.ts";
import { openJob, openSearch, readInputs } from "../cli/run/open_run.ts";
import { DataError } from "../data/error.ts";
import { Random } from "../data/random.ts";
import { joined } from "../data/safetensors.ts";
import { encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { parseWidths } from "../export/widths_file.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { count } from "../nn/count.ts";
import type { Network } from "../nn/network.ts";
import { model } from "../nn/families/mod.ts";
import { networkSpecs } from "../nn/state.ts";
import { UsageError } from "../train/errors.ts";
import { widthsByName } from "../train/small_widths.ts";
import { withImportance } from "../train/importance.ts";
import type { Keeper } from "../train/resume/keeper.ts";
import { networksOfState } from "../train/resume/state_networks.ts";
import {
  encodeTrainingState,
  parseTrainingState,
  type TrainingState,
} from "../train/resume/training_state.ts";
import { search } from "../train/search.ts";
import { widthsOfFirst } from "../train/small_widths.ts";
import { train, type TrainResult } from "../train/train.ts";
import type { TrainOptions, Work } from "../train/types.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { SILENT } from "../train/silent.ts";

const ignore = lacks("read", "write", "run", "env");

const SHORT = [
  ...["--train-size", "16", "--val-size", "8", "--batch-size", "8", "--image-size", "12"],
  ...["--compression", "2", "--mask-from", "1"],
];

function optionsOf(...args: string[]): TrainOptions {
  return trainRequest(readArguments("train", [...SHORT, ...args])).options;
}

const BASE = model("resnet8", { classes: 10, stem: "authors" });

/** A file of drawn weights of a network. */
function weights(
  network: Network,
  which: "base" | "small" = "base",
  factor = 1,
): Uint8Array {
  const { parameters, statistics } = networkSpecs(network);
  const random = new Random(2, "weights");
  const state = new Map([...parameters, ...statistics].map(({ name, shape }) => {
    const length = shape.reduce((product, d) => product * d, 1);
    return [
      name,
      Float32Array.from({ length }, () => factor * (0.05 + 0.2 * random.uniform())),
    ] as const;
  }));
  return encodeCheckpoint(network, state, {
    ...{ which, classes: Array.from({ length: 10 }, (_, i) => `${i}`), image: [12, 12, 3] },
    normalization: { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] },
  });
}

/** Keeps all states. */
class AllStates implements Keeper {
  readonly states: TrainingState[] = [];
  save(state: TrainingState): Promise<void> {
    this.states.push(state);
    return Promise.resolve();
  }
  settled = (): Promise<void> => Promise.resolve();
  last = (): Promise<TrainingState | undefined> => Promise.resolve(this.states.at(-1));
  best = (): Promise<undefined> => Promise.resolve(undefined);
  where = (): undefined => undefined;
}

async function trained(
  options: TrainOptions,
  from?: TrainingState,
): Promise<{ result: TrainResult; states: readonly TrainingState[] }> {
  const keeper = new AllStates();
  const job = await openJob(options, undefined, from);
  return { result: await train(job, SILENT, { keeper, from }), states: keeper.states };
}

Deno.test(
  "a run that chose its filters goes on to the last bit without the weights it began with",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/base.safetensors`;
      await Deno.writeFile(path, weights(BASE));
      const options = optionsOf("--init", path, "--epochs", "2", "--checkpoint-steps", "1");
      const { result, states } = await trained(options);
      const file = result.files.get("widths.json");
      assert(file);
      const { widths } = parseWidths(new TextDecoder().decode(file), "widths.json");
      assert(Object.values(widths).some((kept) => typeof kept !== "number"));
      await Deno.remove(path);
      const early = states[1];
      assertEquals(early.position, { epoch: 0, step: 1 });
      const bytes = joined(encodeTrainingState(early));
      const state = parseTrainingState(bytes, "last.safetensors");
      const { result: again } = await trained(options, state);
      for (const name of ["small.safetensors", "base.safetensors", "widths.json"]) {
        const [a, b] = [result, again].map(({ files }) => files.get(name));
        assert(a && b && a.length === b.length && a.every((byte, i) => byte === b[i]), name);
      }
      // Its networks are those of the state, too.
      const last = states.at(-1)!;
      const [, small] = networksOfState(last, "last.safetensors");
      const saved = parseCheckpoint(result.files.get("small.safetensors")!, "small");
      assertEquals(small.network, saved.network);
      assert(small.network.layers.some(({ kind }) => kind === "select"));
      assertEquals(small.state.get("fc.weight"), saved.state.get("fc.weight"));
      const { small: first } = adjoin(BASE, { compression: 2, maskFrom: 1 });
      const image = { height: 12, width: 12 };
      assertEquals(count(small.network, image).macs, count(first, image).macs);
      assertEquals(new TextDecoder().decode(file).split("\n").length < 30, true);
      // Filters of a state that there are not are refused as a file.
      const wrong = { ...last.run.options, widths: { ...widths, "layer2.0.conv1": [0, 99] } };
      assertThrows(
        () => networksOfState({ ...last, run: { ...last.run, options: wrong } }, "last"),
        Error,
        "Cannot load last: its options describe no networks. Cannot adjoin: the width of " +
          "layer2.0.conv1 is from 1 to 32, or a list of different filters from 0 to 31",
      );
    }),
);

Deno.test(
  "which filters a run keeps follows from its options",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/base.safetensors`;
      await Deno.writeFile(path, weights(BASE));
      const found = async (...args: string[]) => {
        const options = optionsOf("--init", path, ...args);
        return await withImportance(await readInputs(options), options);
      };
      const l2 = await found();
      assertEquals(l2.importance, "l2");
      assertEquals((await found("--importance", "first")).widths, undefined);
      const distilled = await found("--mode", "plain", "--which", "small");
      assertEquals(distilled.widths, l2.widths);
      assertEquals((await found("--importance", "norm")).importance, "norm");
      // As many as a file says, or those that it names.
      await Deno.writeTextFile(`${dir}/widths.json`, '{"layer2.0.conv1": 3}');
      const given = { widths: { "layer2.0.conv1": 3 } };
      const few = trainRequest(
        readArguments("train", [
          ...SHORT.slice(0, 8),
          ...["--mask-from", "1", "--init", path, "--widths", `${dir}/widths.json`],
        ]),
        given,
      ).options;
      const [[, widths]] = widthsByName(
        (await withImportance(await readInputs(few), few)).widths,
      );
      const kept = widths["layer2.0.conv1"];
      assert(Array.isArray(kept) && kept.length === 3);
      assertThrows(
        () =>
          trainRequest(
            readArguments("train", ["--init", path, "--widths", "w", "--importance", "l1"]),
            { widths: { "layer2.0.conv1": [1, 2] } },
          ),
        UsageError,
        "--importance has no effect beside the --widths of a run that has chosen its filters",
      );
      assertThrows(
        () => optionsOf("--importance", "l1"),
        UsageError,
        "--importance has an effect with --init or a model in a file alone, found none",
      );
      // Weights of a small network are cut already.
      const { small } = adjoin(BASE, { compression: 2, maskFrom: 1 });
      await Deno.writeFile(path, weights(small, "small"));
      const own = ["--mode", "plain", "--which", "small"];
      assertEquals((await found(...own)).widths, undefined);
      await assertRejects(
        () => found(...own, "--importance", "l1"),
        UsageError,
        "Cannot order filters by l1: wanted weights of the base network, found those of a small one",
      );
    }),
);

/** What a search comes to, and its states: those of the search, and of the training after it. */
async function searched(
  args: readonly string[],
  from?: TrainingState,
): Promise<{ result: TrainResult; states: readonly TrainingState[]; widths: string[] }> {
  const typed = [...SHORT.slice(0, 8), "--mask-from", "1", "--budget-macs", "0.8", ...args];
  const { options, find } = searchRequest(readArguments("search", typed));
  const keeper = new AllStates();
  const widths: string[] = [];
  const opened = await openSearch(options, find, { from });
  const { trained: result } = await search(opened, {
    ...{ options, train: true, fromScratch: false, course: { keeper, from } },
    found: ({ file }) => {
      widths.push(JSON.stringify(file.widths));
      return Promise.resolve();
    },
  }, SILENT);
  assert(result);
  return { result, states: keeper.states, widths };
}

Deno.test(
  "a search keeps the filters that matter, and goes on to the last bit without the weights",
  { ignore },
  () =>
    withFolder(async (dir) => {
      const path = `${dir}/base.safetensors`;
      await Deno.writeFile(path, weights(BASE));
      const args = ["--init", path, "--importance", "l2", "--epochs", "2", "--search-epochs", "2"];
      const steps = ["--divisors", "1,2", "--checkpoint-steps", "1"];
      const { result, states, widths: [widths] } = await searched([...args, ...steps]);
      // Those of the search are not written over.
      assert(!result.files.has("widths.json"));
      const found: Record<string, number | number[]> = JSON.parse(widths);
      const lists = Object.entries(found).filter(([, kept]) => typeof kept !== "number");
      assert(lists.length > 0, widths);
      // They are those that a run by l2 with as many of them keeps.
      const counts = Object.fromEntries(
        Object.entries(found).map(([name, kept]) =>
          [name, typeof kept === "number" ? kept : kept.length] as const
        ),
      );
      const options = { ...optionsOf("--init", path), compression: 1, widths: counts };
      const { widths: kept } = await withImportance(await readInputs(options), options);
      const wanted = widthsOfFirst(kept);
      for (const [name, filters] of lists) assertEquals(filters, wanted?.[name], name);
      await Deno.remove(path);
      const phases = states.map(({ phase }) => phase);
      for (const at of [phases.indexOf("search"), phases.indexOf("train")]) {
        const bytes = joined(encodeTrainingState(states[at]));
        const state = parseTrainingState(bytes, "last.safetensors");
        const again = await searched([...args, ...steps], state);
        for (const name of ["small.safetensors", "base.safetensors"]) {
          const [a, b] = [result, again.result].map(({ files }) => files.get(name));
          assert(a && b && a.length === b.length && a.every((byte, i) => byte === b[i]), name);
        }
      }
      const early = states[0];
      const wrong = { ...early, run: { ...early.run, ranks: [1, 2] } };
      await assertRejects(
        () => searched([...args, ...steps], wrong),
        DataError,
        "Cannot go on with the search: wanted an order of",
      );
    }),
);

Deno.test("taking gradients is told of, and gradients that are no numbers are refused", {
  ignore,
}, () =>
  withFolder(async (dir) => {
    const path = `${dir}/base.safetensors`;
    const scored = async (factor: number): Promise<Work[]> => {
      await Deno.writeFile(path, weights(BASE, "base", factor));
      const options = optionsOf("--init", path, "--importance", "taylor");
      const works: Work[] = [];
      await withImportance(await readInputs(options), options, {
        reporter: { work: (work) => works.push(work) },
      });
      return works;
    };
    const works = await scored(1);
    assertEquals(new Set(works.map(({ what, total }) => `${what} ${total}`)).size, 1);
    const [first, last] = [works.at(0), works.at(-1)];
    assertEquals([first?.what, first?.done], ["importance of filters", 0]);
    assertEquals([last?.done, last?.total], [128, 128]);
    await assertRejects(
      () => scored(1e30),
      UsageError,
      "Cannot order filters by taylor: the gradients of the given weights are no numbers",
    );
  }));

Deno.test("what a run by taylor saves is exported, and its widths are taken again", {
  ignore: ignore || lacks("ffi"),
}, () =>
  withFolder(async (dir) => {
    await Deno.writeFile(`${dir}/base.safetensors`, weights(BASE));
    const args = ["--init", `${dir}/base.safetensors`, "--epochs", "1"];
    const run = `${dir}/run`;
    const by = ["--importance", "taylor", "--bn-batches", "2"];
    const first = await adjoinCommand(["train", ...SHORT, ...args, ...by, "--output", run]);
    assertEquals(first.code, EXIT.ok, first.error);
    assertMatch(first.out, /adjoined, compression 2, filters by taylor/);
    const exported = await adjoinCommand(["export", run]);
    assertEquals(exported.code, EXIT.ok, exported.error);
    const { widths } = parseWidths(await Deno.readTextFile(`${run}/widths.json`), "widths.json");
    const again = await adjoinCommand([
      ...["train", ...SHORT.slice(0, 8), ...args, "--widths", `${run}/widths.json`],
      ...["--output", `${dir}/again`],
    ]);
    assertEquals(again.code, EXIT.ok, again.error);
    assertStringIncludes(again.out, "adjoined, given widths");
    const config = JSON.parse(await Deno.readTextFile(`${dir}/again/config.json`));
    assertEquals(config.widths, widths);
  }));
