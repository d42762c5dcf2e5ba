// The networks of a checkpoint: those that the run would save if it ended there.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DataError } from "../data/error.ts";
import { parseSafetensors } from "../data/safetensors.ts";
import { encodeCheckpoint, parseCheckpoint } from "../export/checkpoint.ts";
import { extract } from "../nn/compress/adjoined_state.ts";
import { networksOfState, parseNetworks } from "../train/resume/state_networks.ts";
import { encodeTrainingState, type TrainingState } from "../train/resume/training_state.ts";
import { joined } from "../data/safetensors.ts";
import { digest, digested, stateOfRun } from "./run_states.ts";

const TOP1 = { base: 0.75, small: 0.5 };

Deno.test("a pair out of a checkpoint is, byte for byte, what the run saves", () => {
  for (const args of [[], ["--masking-factor", "0.3", "--seed", "5"], ["--crop-pct", "0.9"]]) {
    const { state, job, values } = stateOfRun(args);
    const { adjoined, split: { train, normalization } } = job;
    const saved = (which: "base" | "small"): Uint8Array =>
      encodeCheckpoint(
        adjoined[which],
        which === "base" ? values : extract(adjoined, values),
        {
          ...{ which, classes: train.classes, image: [16, 16, 3], normalization },
          ...args[0] === "--crop-pct" ? { cropPct: 0.9 } : {},
          top1: TOP1[which],
        },
      );
    const file = joined(encodeTrainingState(state));
    const networks = parseNetworks(file, "last.safetensors");
    assertEquals(networks.map(({ which }) => which), ["base", "small"]);
    for (const found of networks) {
      const { network, state, ...info } = found;
      const [bytes, wanted] = [
        encodeCheckpoint(network, state, info),
        saved(info.which === "base" ? "base" : "small"),
      ];
      assertEquals(digested(found), digested(parseCheckpoint(wanted, "saved")));
      assert(bytes.length === wanted.length && bytes.every((byte, i) => byte === wanted[i]));
    }
    const [network] = parseNetworks(saved("small"), "small.safetensors");
    assertEquals(digested(network), digested(parseCheckpoint(saved("small"), "saved")));
  }
});

Deno.test("widths that were given are those of the small network", () => {
  const { state, job } = stateOfRun([], { widths: { "layer2.0.conv1": 5 } });
  const [, small] = networksOfState(state, "last");
  assertEquals(small.network, job.adjoined.small);
  assertEquals(small.state.get("layer2.0.conv1.weight")?.length, 9 * 16 * 5);
});

Deno.test("a run of one network has that one in its checkpoint", () => {
  for (
    const [which, ...args] of [
      ["base", "--mode", "plain"],
      ["small", "--mode", "plain", "--which", "small"],
      ["small", "--mode", "distill", "--teacher", "runs/base"],
    ] as const
  ) {
    const { state, values } = stateOfRun(args);
    const mask = which === "small" ? ["--masking-factor", "0.3"] : [];
    const { state: masked } = stateOfRun([...args, ...mask]);
    const networks = networksOfState(state, "last");
    assertEquals(networks.map(({ which }) => which), [which]);
    assertEquals(digest(networks[0].state), digest(values));
    const { network, state: own, ...info } = networksOfState(masked, "last")[0];
    const { state: saved } = parseCheckpoint(encodeCheckpoint(network, own, info), "saved");
    assertEquals(digest(own), digest(saved));
  }
});

Deno.test("averages of the weights are what counts, where the run keeps some", () => {
  const { state, values } = stateOfRun(["--mode", "plain"]);
  const averages = [...state.tensors].flatMap(([name, own]) =>
    name.startsWith("velocity/") ? [] : [
      [
        name.replace(/^parameters/, "average").replace(/^statistics/, "average statistics"),
        own.map((x) => x / 2 + 1),
      ] as const,
    ]
  );
  const [base] = networksOfState(
    { ...state, tensors: new Map([...state.tensors, ...averages]) },
    "last",
  );
  assertEquals(
    digest(base.state),
    digest(new Map([...values].map(([name, own]) => [name, own.map((x) => x / 2 + 1)]))),
  );
  const few = new Map([...state.tensors, ...averages.slice(1)]);
  assertThrows(
    () => networksOfState({ ...state, tensors: few }, "last"),
    DataError,
    `Cannot load last: wanted 432 floats as ${averages[0][0]}, found none; take an earlier`,
  );
});

Deno.test("a search has its base network in its checkpoint, and no other yet", () => {
  for (const phase of ["search", "search-0"]) {
    const { state } = stateOfRun(["--compression", "1"], { phase });
    assertEquals(networksOfState(state, "last").map(({ which }) => which), ["base"]);
  }
  const { state } = stateOfRun([], { phase: "adjoined-searched-0" });
  assertEquals(networksOfState(state, "last").length, 2);
});

Deno.test("the accuracy is that of the weights, or left out", () => {
  const { state } = stateOfRun([]);
  const found = (changes: Partial<TrainingState>) =>
    networksOfState({ ...state, ...changes }, "last").map(({ top1 }) => top1);
  assertEquals(found({}), [TOP1.base, TOP1.small]);
  assertEquals(found({ position: { epoch: 2, step: 1 } }), [undefined, undefined]);
  assertEquals(found({ position: { epoch: 0, step: 0 } }), [undefined, undefined]);
  assertEquals(found({ history: [] }), [undefined, undefined]);
});

Deno.test("pictures are shown to the network as they were", () => {
  const photos = ["--dataset", "folder", "--data-dir", "photos", "--interpolation", "bicubic"];
  const { state } = stateOfRun(photos);
  const [{ cropPct, interpolation }] = networksOfState(state, "last");
  assertEquals([cropPct, interpolation], [1 / 1.14, "bicubic"]);
});

Deno.test("a checkpoint that lacks something, or has it otherwise, is refused by name", () => {
  const { state } = stateOfRun([]);
  const refused = (changes: Partial<TrainingState>): string =>
    assertThrows(() => networksOfState({ ...state, ...changes }, "last\n"), DataError).message;
  const changed = (name: string, values?: Float32Array | Uint32Array): string => {
    const tensors = new Map(state.tensors);
    if (values) tensors.set(name, values);
    else tensors.delete(name);
    return refused({ tensors });
  };
  const begin = "Cannot load last\\n: wanted";
  const mean = "statistics/small.layer2.0.bn1.running_mean";
  assertEquals(
    changed(mean),
    `${begin} 8 floats as ${mean}, found none; take an earlier checkpoint`,
  );
  assertStringIncludes(
    changed(mean, new Float32Array(7)),
    `${begin} 8 floats as ${mean}, found 7;`,
  );
  assertStringIncludes(changed(mean, new Uint32Array(8)), "found whole numbers;");
  assertStringIncludes(changed(mean, new Float32Array(8).fill(NaN)), `found NaN in ${mean}; take`);
  const variance = "statistics/bn1.running_var";
  assertStringIncludes(
    changed(variance, new Float32Array(16).fill(-1)),
    `wanted variances from 0 on, found -1 in ${variance}`,
  );
  const { run } = state;
  const withRun = (changes: Partial<TrainingState["run"]>) =>
    refused({ run: { ...run, ...changes } });
  const { options } = run;
  const none = "Cannot load last\\n: its options describe no networks. Cannot";
  for (
    const wrong of [
      { model: "resnet9\x1b" },
      { compression: 0 },
      { seed: -1, maskingFactor: 0.3 },
      { widths: { "layer2.0.conv1": 1e9 } },
      { mode: "plain", which: "none" },
    ]
  ) assertStringIncludes(withRun({ options: { ...options, ...wrong } as never }), none);
  assertStringIncludes(withRun({ image: [8, 8, 0] }), "Cannot load last\\n");
  assertStringIncludes(
    withRun({ normalization: { mean: [0], std: [1] } }),
    `${begin} a number for each of 3 channels as mean, found [0]`,
  );
  assertStringIncludes(
    withRun({ classes: run.classes.slice(1) }),
    "floats as parameters/fc.weight",
  );
});

Deno.test("what wants one network names the way to those of a checkpoint", () => {
  const file = joined(encodeTrainingState(stateOfRun([]).state));
  assertThrows(
    () => parseCheckpoint(file, "last"),
    DataError,
    "Cannot load last: wanted a network saved by adjoin, found a checkpoint of a run; take its " +
      "networks with parseNetworks()",
  );
  assertEquals(parseSafetensors(file).metadata.format, "adjoin training state");
});
