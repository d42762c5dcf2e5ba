import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../data/random.ts";
import { adjoin, maskRule } from "../nn/compress/adjoin.ts";
import { channelClasses } from "../nn/compress/channel_classes.ts";
import { count } from "../nn/count.ts";
import { type Network, network } from "../nn/network.ts";
import { model, resnet } from "../nn/families/mod.ts";
import { type Budgeted, costOf, costOfChoice, widthCost } from "../nn/compress/width_cost.ts";
import {
  choiceOf,
  chosenWidths,
  type WidthGroups,
  widthGroups,
} from "../nn/compress/width_groups.ts";
import { softmax } from "../nn/compress/width_choice.ts";
import { PIECE_NAMES, randomGraph } from "./random_graph.ts";
import { randomNetwork, randomOptions } from "./random_network.ts";

function namesOf({ groups }: WidthGroups): string[][] {
  return groups.map(({ convolutions }) => [...convolutions]);
}

const block = (stage: number, ...convolutions: string[]): string[] =>
  convolutions.map((name) => `layer${stage}.0.${name}`);

Deno.test("convolutions of a ResNet that are added share a group, shortcuts among them", () => {
  const small = model("resnet8", { classes: 10 });
  const stages23 = [
    block(2, "conv1"),
    block(2, "conv2", "downsample.1"),
    block(3, "conv1"),
    block(3, "conv2", "downsample.1"),
  ];
  assertEquals(namesOf(widthGroups(small, {})), stages23);
  // What stage 1 adds to is the stem, which is whole.
  const stage1 = [block(1, "conv1"), block(1, "conv2")];
  assertEquals(namesOf(widthGroups(small, { maskFrom: 1 })), [...stage1, ...stages23]);
  const deep = namesOf(widthGroups(model("resnet14", { classes: 10 }), {}));
  assertEquals(deep[1], ["layer2.0.conv2", "layer2.0.downsample.1", "layer2.1.conv2"]);
  assertEquals(deep[2], ["layer2.1.conv1"]);
});

Deno.test("groups are named after their first convolution, and come in its order", () => {
  const net = model("resnet50", { classes: 10 });
  const { groups } = widthGroups(net, { maskFrom: 1 });
  const order = net.layers.flatMap((layer) => layer.kind === "conv2d" ? [layer.name] : []);
  const places = groups.map(({ name, convolutions }) => {
    assertEquals(name, convolutions[0]);
    return order.indexOf(name);
  });
  assertEquals(places, places.toSorted((a, b) => a - b));
  // Two in each of 16 blocks, and what the blocks of a stage add to.
  assertEquals(groups.length, 2 * 16 + 4);
});

const bottleneck = (variant: "xresnet" | "torchvision"): Network =>
  resnet({
    block: "bottleneck",
    depths: [1, 2],
    widths: [4, 8],
    stem: variant === "torchvision" ? [6] : [4, 6],
    reduce: true,
    classes: 3,
    variant,
  });

Deno.test("bottlenecks have two groups of their own each, and one for what they add to", () => {
  for (const [variant, shortcut] of [["xresnet", 1], ["torchvision", 0]] as const) {
    const stage2 = [
      ["layer2.0.conv1"],
      ["layer2.0.conv2"],
      ["layer2.0.conv3", `layer2.0.downsample.${shortcut}`, "layer2.1.conv3"],
      ["layer2.1.conv1"],
      ["layer2.1.conv2"],
    ];
    assertEquals(namesOf(widthGroups(bottleneck(variant), {})), stage2);
    const stage1 = [["layer1.0.conv1"], ["layer1.0.conv2"], [
      "layer1.0.conv3",
      variant === "xresnet" ? "layer1.0.downsample.1" : "layer1.0.downsample.0",
    ]];
    assertEquals(namesOf(widthGroups(bottleneck(variant), { maskFrom: 1 })), [
      ...stage1,
      ...stage2,
    ]);
  }
});

/** A sum across stages, a norm after a sum, a narrow one, and a convolution that is used twice. */
function handBuilt(): Network {
  return network({ channels: 3 }, (n) => {
    n.stage(0);
    const stem = n.conv2d(n.image, { name: "stem", out: 8, kernel: 3 });
    n.stage(1);
    const a = n.batchNorm(n.conv2d(stem, { name: "a", out: 8, kernel: 3 }), { name: "an" });
    n.stage(2);
    const b = n.conv2d(n.relu(a), { name: "b", out: 8, kernel: 1 });
    const sum = n.relu(n.batchNorm(n.add(a, b), { name: "sn" }));
    const c = n.conv2d(sum, { name: "c", out: 6, kernel: 3 });
    const cut = n.add(n.narrow(sum, 6), c);
    const d = n.batchNorm(n.conv2d(n.relu(cut), { name: "d", out: 5, kernel: 1 }), { name: "dn" });
    n.linear(n.globalAvgPool2d(d), { name: "fc", out: 4 });
  });
}

Deno.test("a sum across stages ties them, and so does a sum with a narrowed value", () => {
  const net = handBuilt();
  assertEquals(namesOf(widthGroups(net, { maskFrom: 1 })), [["a", "b", "c"], ["d"]]);
  // Without stage 1, b is cut to by what is whole.
  assertEquals(namesOf(widthGroups(net, { maskFrom: 2 })), [["b", "c"], ["d"]]);
  const { extents, divisors } = widthGroups(net, { maskFrom: 1, divisors: [1, 2, 20] });
  assertEquals(divisors, [1, 2, 20]);
  const widths = (kind: string): (readonly number[])[] =>
    extents.filter((_, i) => net.layers[i].kind === kind).map(({ whole, parts: [part] }) =>
      part?.widths ?? divisors.map(() => whole)
    );
  assertEquals(widths("conv2d"), [[8, 8, 8], [8, 4, 1], [8, 4, 1], [6, 3, 1], [5, 2, 1]]);
  assertEquals(widths("narrow"), [[6, 4, 1]]);
  assertEquals(widths("add"), [[8, 4, 1], [6, 3, 1]]);
});

Deno.test("gates are after the norms, and at convolutions that have none", () => {
  const net = handBuilt();
  const { gates, inputGates } = widthGroups(net, { maskFrom: 1 });
  const gated = net.layers.flatMap((layer, i) => gates[i] && "name" in layer ? [layer.name] : []);
  assertEquals(gated, ["an", "b", "sn", "c", "dn"]);
  // The narrowed summand has 6, 4 and 2 channels where c has 6, 3 and 1.
  const cut = inputGates.flatMap((list, i) => list.map(({ input }) => [net.layers[i].kind, input]));
  assertEquals(cut, [["add", 0]]);
});

Deno.test("--mask-from and divisors that leave nothing to choose are refused", () => {
  const net = model("resnet8", { classes: 10 });
  assertThrows(
    () => widthGroups(net, { maskFrom: 4 }),
    RangeError,
    "Cannot search widths: no convolution is masked; lower maskFrom",
  );
  for (const divisors of [[1], [1, 0.5], [1, NaN], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    assertThrows(
      () => widthGroups(net, { divisors }),
      RangeError,
      `wanted 2 to 8 different divisors from 1 on, found ${divisors.join(", ")}`,
    );
  }
});

/** Parameters or multiply-accumulates of all layers. */
function whole(net: Network, budgeted: Budgeted): number {
  return count(net, IMAGE)[budgeted];
}

const IMAGE = { height: 13, width: 17 };

Deno.test("2,000 random choices make networks, which cost exactly what was said", () => {
  const random = new Random(1, "choices");
  let groupsSeen = 0;
  for (let n = 0; n < 200; n++) {
    const net = randomNetwork(random);
    const options = randomOptions(random, net);
    const groups = widthGroups(net, options);
    const candidates = groups.divisors.length;
    groupsSeen += groups.groups.length;
    const costs = (["macs", "params"] as const).map((budgeted) =>
      [budgeted, widthCost(net, groups, { budgeted, image: IMAGE }), whole(net, budgeted)] as const
    );
    for (let k = 0; k < 10; k++) {
      const choice = groups.groups.map(() => {
        const logits = groups.divisors.map(() => random.normal());
        return logits.indexOf(Math.max(...logits));
      });
      const widths = chosenWidths(net, groups, choice);
      const { small } = adjoin(net, { compression: 1, maskFrom: options.maskFrom, widths });
      const gates = choice.flatMap((c) => groups.divisors.map((_, i) => +(i === c)));
      for (const [budgeted, cost, all] of costs) {
        const wanted = whole(small, budgeted) / all;
        const found = costOfChoice(cost, choice);
        assert(Math.abs(found - wanted) < 1e-12, `network ${n}: ${budgeted} ${found}, ${wanted}`);
        assert(Math.abs(costOf(cost, gates) - wanted) < 1e-12, `network ${n}`);
      }
      assertEquals(gates.length, groups.groups.length * candidates);
    }
  }
  assert(groupsSeen > 800, `${groupsSeen}`);
});

Deno.test("on graphs of all kinds of layers choices cost what they were said to, to the digit", () => {
  const random = new Random(5, "graphs");
  // Gates of squeeze-and-excitation pool to one pixel.
  const image = { height: 9, width: 11 };
  let mixed = 0;
  for (let n = 0; n < 10 * PIECE_NAMES.length; n++) {
    const net = randomGraph(random, PIECE_NAMES[n % PIECE_NAMES.length]);
    const maskFrom = 1 + n % 2;
    const classes = channelClasses(net, maskRule(net, maskFrom)).count;
    const scores = n % 3
      ? undefined
      : Float64Array.from({ length: classes }, () => random.normal());
    let groups;
    try {
      const roundTo = n % 4 ? 1 : 3;
      groups = widthGroups(net, { maskFrom, divisors: [1, 2, 3, 8], roundTo, scores });
    } catch (error) {
      assert(error instanceof RangeError, String(error));
      continue;
    }
    mixed += groups.extents.filter(({ parts }) => parts.length > 1).length;
    const costs = (["macs", "params"] as const).map((budgeted) =>
      [budgeted, widthCost(net, groups, { budgeted, image }), count(net, image)[budgeted]] as const
    );
    for (let k = 0; k < 3; k++) {
      const choice = groups.groups.map(() => random.integer(groups.divisors.length));
      const widths = chosenWidths(net, groups, choice);
      const { small } = adjoin(net, { compression: 1, maskFrom, widths });
      for (const [budgeted, cost, all] of costs) {
        const wanted = count(small, image)[budgeted];
        const found = costOfChoice(cost, choice) * all;
        assert(Math.abs(found - wanted) < 0.01, `network ${n}: ${budgeted} ${found}, ${wanted}`);
      }
      assertEquals(chosenWidths(net, groups, choiceOf(net, groups, widths) ?? []), widths);
    }
  }
  assert(mixed > 100, `${mixed}`);
});

/** Every choice of candidates. */
function choices(groups: number, candidates: number): number[][] {
  if (groups === 0) return [[]];
  return choices(groups - 1, candidates).flatMap((choice) =>
    Array.from({ length: candidates }, (_, k) => [...choice, k])
  );
}

Deno.test("the expected cost is the mean over all choices where no group meets itself", () => {
  // In a chain each group is multiplied with the next alone.
  const chain = network({ channels: 3 }, (n) => {
    let x = n.image;
    for (const [name, out] of [["a", 7], ["b", 12], ["c", 9], ["d", 16]] as const) {
      x = n.relu(n.batchNorm(n.conv2d(x, { name, out, kernel: 3 }), { name: `${name}n` }));
    }
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 5 });
  });
  const groups = widthGroups(chain, { maskFrom: () => true, divisors: [1, 2, 5] });
  const random = new Random(2, "logits");
  for (const budgeted of ["macs", "params"] as const) {
    const cost = widthCost(chain, groups, { budgeted, image: IMAGE });
    const gates = softmax(Float32Array.from({ length: 12 }, () => random.normal()), 3);
    const mean = choices(4, 3).reduce((sum, choice) => {
      const likelihood = choice.reduce((product, k, g) => product * gates[g * 3 + k], 1);
      return sum + likelihood * costOfChoice(cost, choice);
    }, 0);
    assert(Math.abs(costOf(cost, gates) - mean) < 1e-12, `${costOf(cost, gates)}, ${mean}`);
  }
});

Deno.test("random networks are no two alike, and have sums and narrow values", () => {
  const random = new Random(3, "networks");
  const made = Array.from({ length: 50 }, () => randomNetwork(random));
  const kinds = new Set(made.flatMap(({ layers }) => layers.map(({ kind }) => kind)));
  for (const kind of ["add", "narrow", "batchNorm", "maxPool2d"] as const) assert(kinds.has(kind));
  assertEquals(new Set(made.map((net) => JSON.stringify(net))).size, 50);
});
