// Costs in time: out of a table of layers, corrected by what is measured.
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { timeLayers } from "../export/layer_timer.ts";
import { generatedSplit } from "../data/generated.ts";
import { Random } from "../data/random.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { correctedCost, latencyCost, layersToTime } from "../nn/compress/latency_cost.ts";
import {
  layersKey,
  type LayerTable,
  LayerTimes,
  layerWorks,
  nothing,
  type TimedLayers,
} from "../nn/compress/layer_works.ts";
import { searchable } from "../nn/compress/searchable.ts";
import { chooseWidths } from "../nn/compress/width_choice.ts";
import { costOf, costOfChoice } from "../nn/compress/width_cost.ts";
import { chosenWidths, type WidthGroups, widthGroups } from "../nn/compress/width_groups.ts";
import { count } from "../nn/count.ts";
import { model } from "../nn/families/mod.ts";
import { channelsOf, IMAGE, type Network } from "../nn/network.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import type { Which } from "../nn/which.ts";
import { encodeCheckpoint } from "../export/checkpoint.ts";
import { latencyText, summaryLatency } from "../cli/summary_latency.ts";
import { withLatencies } from "../train/latencies_of_run.ts";
import { chooseByLatency, farWords } from "../train/latency_budget.ts";
import { LatencyPair, typical } from "../train/latency_pair.ts";
import type { Summary } from "../train/types.ts";
import { lacks } from "./permissions.ts";
import { thinFamilies } from "./thin_families.ts";

const image = { height: 16, width: 12 };
const FAMILIES = thinFamilies(7);

type Time = (timed: TimedLayers) => number;

/** As runtimes have it: eight channels at a time. */
const inSteps: Time = ({ network, image }) =>
  0.01 + Math.ceil((channelsOf(network).at(-1) ?? 0) / 8) * Math.ceil(network.channels / 4) *
    Math.sqrt(image.height * image.width);

/** What is linear in the channels of input and value. */
const counted: Time = ({ network, image }) => 1 + count(network, image).macs;

function tableOf(layers: readonly TimedLayers[], time: Time): LayerTable {
  return new Map(layers.map((timed) => [layersKey(timed), time(timed)]));
}

/** The layers of a network as they are, and what a run takes besides; without cuts of wider summands. */
function layersOf(network: Network): TimedLayers[] {
  const times = new LayerTimes(network, image);
  const channels = channelsOf(network);
  const own = layerWorks(network).flatMap((work) => {
    const [first] = work.layers;
    if (network.layers[first].kind === "narrow") return [];
    const [x] = network.layers[first].inputs;
    const from = x === IMAGE ? network.channels : channels[x];
    return times.timed(work, { from, to: channels[first] });
  });
  return [nothing({ network, image, before: 0 }), ...own];
}

function total(network: Network, time: Time): number {
  return layersOf(network).reduce((sum, timed) => sum + time(timed), 0);
}

function choicesOf(groups: WidthGroups, random: Random): number[] {
  return groups.groups.map(() => random.integer(groups.divisors.length));
}

for (
  const [what, net, time] of [
    ["resnet8", model("resnet8", { classes: 7 }), inSteps],
    ["MobileNetV2", FAMILIES.mobilenetv2.network, inSteps],
    // Layers behind concatenations see several groups.
    ["DenseNet", FAMILIES.densenet.network, counted],
  ] as const
) {
  Deno.test(`a choice of ${what} takes what the layers of its network take`, () => {
    const groups = widthGroups(net, { maskFrom: 1, divisors: [1, 2, 4] });
    const table = tableOf(layersToTime(net, groups, image), time);
    const cost = latencyCost(net, groups, { image, table });
    const random = new Random(3, "choices");
    for (let k = 0; k < 10; k++) {
      const choice = choicesOf(groups, random);
      const widths = chosenWidths(net, groups, choice);
      const { small } = adjoin(net, { compression: 1, maskFrom: 1, widths });
      const wanted = total(small, time) / total(net, time);
      assertAlmostEquals(costOfChoice(cost, choice), wanted, 1e-9, what);
      const gates = choice.flatMap((c) => groups.divisors.map((_, i) => +(i === c)));
      assertAlmostEquals(costOf(cost, gates), wanted, 1e-9);
    }
    assertThrows(
      () => latencyCost(net, groups, { image, table: new Map() }),
      TypeError,
      "nobody has timed",
    );
  });
}

Deno.test("a corrected cost has what was measured, and that of the base network", () => {
  const net = model("resnet8", { classes: 7 });
  const groups = widthGroups(net, { maskFrom: 1, divisors: [1, 2, 4] });
  const table = tableOf(layersToTime(net, groups, image), inSteps);
  const cost = latencyCost(net, groups, { image, table });
  const [whole, half] = [0, 1].map((k) => groups.groups.map(() => k));
  const expected = costOfChoice(cost, half);
  const corrected = correctedCost(cost, { expected, measured: expected + 0.1 });
  assertAlmostEquals(costOfChoice(corrected, half), expected + 0.1, 1e-12);
  assertAlmostEquals(costOfChoice(corrected, whole), 1, 1e-12);
});

Deno.test("widths are chosen anew until they are measured to meet the budget", async () => {
  const net = model("resnet20", { classes: 7 });
  const search = searchable(net, { maskFrom: 1, divisors: [1, 2, 4, 8] });
  const { groups } = search;
  const table = tableOf(layersToTime(net, groups, image), inSteps);
  const cost = latencyCost(net, groups, { image, table });
  const logits = Float32Array.from({ length: cost.singles.length }, () => 0);
  for (const budget of [0.3, 0.5, 0.8]) {
    const wanted = { budget, tolerance: 0.01, candidates: 4 };
    let measured = 0;
    const found = await chooseByLatency({ search, cost, budget }, {
      choose: (cost) => Promise.resolve(chooseWidths(cost, logits, wanted)),
      // All that is not in the table: a part that does not get less.
      measure: (small) => {
        measured++;
        const [own, whole] = [small, net].map((network) => total(network, inSteps));
        return Promise.resolve([{
          base: 1.4 * whole,
          small: own + 0.4 * whole * (own / whole) ** 0.3,
        }]);
      },
    });
    const off = Math.abs(found.small / found.base / budget - 1);
    assert(off < 0.03, `${budget}: ${found.small / found.base}`);
    assert(found.tries > 1 && measured > found.tries);
  }
});

Deno.test("what is typical holds where sessions differ and the machine slows down", () => {
  const share = (times: readonly (readonly [number, number])[]): number => {
    const { base, small } = typical(times.map(([base, small]) => ({ base, small })));
    return small / base;
  };
  // One session of the base network is slow, and one of the small one quick.
  assertAlmostEquals(share([[12, 5], [10, 4], [10, 5], [10, 5], [10, 5]]), 0.5);
  assertAlmostEquals(share([[10, 4], [10, 5], [20, 10], [20, 10], [20, 10]]), 0.5);
  assertAlmostEquals(typical([{ base: 9, small: 1 }, { base: 3, small: 2 }]).base, 6);
  assertEquals(typical([{ base: 3, small: 2 }]), { base: 3, small: 2 });
});

Deno.test("widths keep a budget though sessions, or a measurement, are near it by chance", async () => {
  const net = model("resnet20", { classes: 7 });
  const search = searchable(net, { maskFrom: 1, divisors: [1, 2, 4, 8] });
  const { groups } = search;
  const table = tableOf(layersToTime(net, groups, image), inSteps);
  const cost = latencyCost(net, groups, { image, table });
  const logits = Float32Array.from({ length: cost.singles.length }, () => 0);
  const budget = 0.5;
  const chances = [
    (session: number) => session === 0,
    (_: number, measurement: number) => measurement === 0,
  ];
  for (const [k, isChance] of chances.entries()) {
    let measured = 0;
    // All take a fifth more than the table says.
    const found = await chooseByLatency({ search, cost, budget }, {
      choose: (cost) =>
        Promise.resolve(chooseWidths(cost, logits, { budget, tolerance: 0.01, candidates: 4 })),
      measure: (small) => {
        const base = total(net, inSteps);
        const really = 1.2 * total(small, inSteps);
        const measurement = measured++;
        return Promise.resolve(
          Array.from({ length: 5 }, (_, session) => ({
            base,
            small: isChance(session, measurement) ? budget * base : really,
          })),
        );
      },
    });
    const really = 1.2 * costOfChoice(cost, found.choice);
    assert(Math.abs(really / budget - 1) < 0.04, `${k}: ${really}`);
    assertEquals(farWords(found, budget), undefined);
  }
  const far = { choice: [], base: 10, small: 5.6, tries: 8 };
  assertEquals(
    farWords(far, 0.5),
    "of 8 choices none came within 10 % of the budget of 50.0 %, the nearest takes 56.0 %: more " +
      "divisors or a finer rounding give more to choose from",
  );
});

Deno.test("a small network is measured beside its base in several sessions", {
  ignore: lacks("read"),
}, async () => {
  const split = generatedSplit({ seed: 0, train: 8, validation: 8 });
  const pair = adjoin(model("resnet8", { classes: 10 }), { compression: 8, maskFrom: 1 });
  const measuring = { split, reporter: { work() {} } };
  const bench = await LatencyPair.open(pair.base, measuring);
  const found = await bench.measure(pair.small);
  assert(found.length > 1 && found.every(({ base, small }) => base > 0 && small > 0));
  const score = { top1: 0.5, top5: 1, loss: 1 };
  const counted = count(pair.base, image);
  const network = { ...score, ...counted };
  const summary: Summary = {
    ...{ mode: "adjoined", model: "resnet8", dataset: "generated", seed: 0 },
    ...{ adapter: "it", epochs: 1, seconds: 1 },
    ...{ base: network, "small-2": network, "small-8": network },
  };
  const random = new Random(0, "weights");
  const fileOf = (which: Which, network: Network): [string, Uint8Array] => {
    const state = initialize(networkSpecs(network), network, () => random.normal());
    const { train: { classes }, normalization } = split;
    const info = { which, classes, image: [32, 32, 3] as const, normalization };
    return [`${which}.safetensors`, encodeCheckpoint(network, state, info)];
  };
  const files = new Map([
    fileOf("base", pair.base),
    fileOf("small-2", pair.small),
    fileOf("small-8", pair.small),
    ["widths.json", new Uint8Array()],
  ]);
  const { summary: latencies } = await withLatencies({ summary, files }, measuring);
  for (const which of ["base", "small-2", "small-8"] as const) {
    const { latency = 0, ...rest } = latencies[which] ?? {};
    assert(latency > 0, which);
    assertEquals(rest, network);
  }
});

Deno.test("layers are too narrow to pay where twice the filters take about as long", async () => {
  const net = model("resnet8", { classes: 7 });
  const found = (compression: number) =>
    summaryLatency(
      adjoin(net, { compression, maskFrom: 1 }),
      image,
      (layers) => Promise.resolve(tableOf(layers, inSteps)),
    );
  const narrow = await found(4);
  assertAlmostEquals(narrow.base, total(net, inSteps) - inSteps(layersOf(net)[0]), 1e-9);
  // Four filters of 16 take as long as eight; eight of 32 half as long as 16.
  const names = ["layer1.0.conv1", "layer1.0.conv2"];
  assertEquals(narrow.tooNarrow.map(({ name }) => name), names);
  assertEquals(narrow.tooNarrow[0].filters, 4);
  assertEquals(narrow.tooNarrow[0].wider, 8);
  assert(latencyText(narrow).includes("layer1.0.conv1  4 filters"), latencyText(narrow));
  assertEquals((await found(2)).tooNarrow, []);
  assert(latencyText(await found(2)).endsWith("None is too narrow to pay.\n"));
});

Deno.test("layers are timed in onnxruntime-web, those that are known are not", {
  ignore: lacks("read"),
}, async () => {
  const net = model("resnet8", { classes: 7 });
  const groups = widthGroups(net, { maskFrom: 1, divisors: [1, 8] });
  const all = layersToTime(net, groups, { height: 32, width: 32 });
  const [rest] = all;
  const times = new LayerTimes(net, { height: 32, width: 32 });
  const works = layerWorks(net);
  const wide = works.findLast(({ layers: [i] }) => net.layers[i].kind === "conv2d");
  assert(wide);
  const [small, large] = [8, 64].map((c) => times.timed(wide, { from: c, to: c }));
  const linear = times.timed(works[works.length - 1], { from: 64, to: 7 });
  let told = 0;
  const found = await timeLayers([rest, small, large, linear], { done: () => told++ });
  assertEquals(found.size, 4);
  assert([...found.values()].every((time) => time > 0));
  const of = (timed: TimedLayers): number => found.get(layersKey(timed)) ?? NaN;
  assert(of(large) > 4 * of(small), `${of(large)} ${of(small)}`);
  assert(told >= 4);
  assertEquals((await timeLayers([small, large], { known: found })).size, 0);
});
