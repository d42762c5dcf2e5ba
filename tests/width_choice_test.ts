import { assert, assertEquals } from "@std/assert";
import { Random } from "../data/random.ts";
import { type Network, network } from "../nn/network.ts";
import { model } from "../nn/families/mod.ts";
import {
  chooseWidths,
  entropyOf,
  feasible,
  logitsAt,
  softmax,
} from "../nn/compress/width_choice.ts";
import { costOf, costOfChoice, type WidthCost, widthCost } from "../nn/compress/width_cost.ts";
import { type WidthGroups, widthGroups } from "../nn/compress/width_groups.ts";

const TOLERANCE = 0.01;
const DIVISORS = [1, 2, 4, 8];

interface Case {
  readonly what: string;
  readonly groups: WidthGroups;
  readonly cost: WidthCost;
}

const CASES: readonly Case[] = ["resnet20", "resnet50"].flatMap((name) =>
  [1, 2].flatMap((maskFrom) =>
    (["macs", "params"] as const).map((budgeted): Case => {
      const net = model(name, { classes: 10 });
      const groups = widthGroups(net, { maskFrom, divisors: DIVISORS });
      const image = { height: 32, width: 32 };
      const cost = widthCost(net, groups, { budgeted, image });
      return { what: `${name}, mask-from ${maskFrom}, ${budgeted}`, groups, cost };
    })
  )
);

/** Budgets at a quarter, half and three quarters of what is possible. */
function budgetsOf({ groups, cost }: Case): number[] {
  const { least, most } = feasible(groups, cost);
  return [0.25, 0.5, 0.75].map((part) => least + part * (most - least));
}

function drawn(random: Random, { groups }: Case, deviation: number): Float32Array {
  const length = groups.groups.length * groups.divisors.length;
  return Float32Array.from({ length }, () => deviation * random.normal());
}

function likeliest(logits: Float32Array, candidates: number): number[] {
  return Array.from({ length: logits.length / candidates }, (_, g) => {
    const row = logits.subarray(g * candidates, (g + 1) * candidates);
    return row.indexOf(Math.max(...row));
  });
}

Deno.test("what is possible reaches from the largest divisor and the trunk to all of it", () => {
  for (const { what, groups, cost } of CASES) {
    const { least, most } = feasible(groups, cost);
    assert(Math.abs(most - 1) < 1e-12, what);
    assert(least > 0 && least < 1, what);
  }
});

Deno.test("logits to start from have the cost of the budget in the mean", () => {
  for (const test of CASES) {
    for (const budget of budgetsOf(test)) {
      const logits = logitsAt(test.groups, test.cost, budget);
      const found = costOf(test.cost, softmax(logits, DIVISORS.length));
      assert(Math.abs(found - budget) < 1e-6, `${test.what}: ${found}, not ${budget}`);
    }
  }
});

Deno.test("the choice is within 2 % of the budget, whatever the logits", () => {
  const random = new Random(1, "logits");
  for (const test of CASES) {
    for (const budget of budgetsOf(test)) {
      const started = logitsAt(test.groups, test.cost, budget);
      for (const logits of [started, ...[0.1, 1, 10].map((d) => drawn(random, test, d))]) {
        const wanted = { budget, tolerance: TOLERANCE, candidates: DIVISORS.length };
        const found = costOfChoice(test.cost, chooseWidths(test.cost, logits, wanted));
        assert(Math.abs(found - budget) <= 0.02, `${test.what}: ${found}, not ${budget}`);
      }
    }
  }
});

Deno.test("a likeliest choice that costs the budget stays as it is", () => {
  const random = new Random(2, "logits");
  for (const test of CASES) {
    const logits = drawn(random, test, 1);
    const choice = likeliest(logits, DIVISORS.length);
    const cost = costOfChoice(test.cost, choice);
    for (const budget of [cost, cost + 0.9 * TOLERANCE, cost - 0.9 * TOLERANCE]) {
      const wanted = { budget, tolerance: TOLERANCE, candidates: DIVISORS.length };
      assertEquals(chooseWidths(test.cost, logits, wanted), choice, test.what);
    }
  }
});

Deno.test("where few widths are possible, the choice is the nearest to the budget", () => {
  const net = model("resnet8", { classes: 10 });
  const groups = widthGroups(net, { divisors: DIVISORS });
  const image = { height: 32, width: 32 };
  const cost = widthCost(net, groups, { budgeted: "params", image });
  const test = { what: "resnet8", groups, cost };
  const random = new Random(4, "logits");
  const all = Array.from(
    { length: 4 ** 4 },
    (_, k) => costOfChoice(cost, [0, 1, 2, 3].map((g) => Math.floor(k / 4 ** g) % 4)),
  );
  for (const budget of budgetsOf(test)) {
    const nearest = Math.min(...all.map((found) => Math.abs(found - budget)));
    const wanted = { budget, tolerance: TOLERANCE, candidates: DIVISORS.length };
    const found = costOfChoice(cost, chooseWidths(cost, drawn(random, test, 1), wanted));
    assert(Math.abs(found - budget) <= Math.max(TOLERANCE, nearest) + 1e-9, `${found}, ${budget}`);
  }
});

/** Five convolutions after one another, of 4 to 12 filters, the third added to the fifth. */
function few(): Network {
  return network({ channels: 3 }, (n) => {
    const conv = (x: number, name: string, out: number) =>
      n.relu(n.batchNorm(n.conv2d(x, { name, out, kernel: 3 }), { name: `${name}n` }));
    const c = conv(conv(conv(n.image, "a", 6), "b", 12), "c", 8);
    const e = conv(conv(c, "d", 4), "e", 8);
    n.linear(n.globalAvgPool2d(n.add(c, e)), { name: "fc", out: 3 });
  });
}

Deno.test("the choice is the likeliest of all that cost the budget", () => {
  const net = few();
  const groups = widthGroups(net, { maskFrom: () => true, divisors: [1, 2, 4] });
  const cost = widthCost(net, groups, { budgeted: "macs", image: { height: 8, width: 8 } });
  assertEquals(groups.groups.length, 4);
  const all = Array.from(
    { length: 3 ** 4 },
    (_, k) => [0, 1, 2, 3].map((g) => Math.floor(k / 3 ** g) % 3),
  );
  const random = new Random(3, "logits");
  const { least, most } = feasible(groups, cost);
  for (let n = 0; n < 200; n++) {
    const logits = Float32Array.from({ length: 12 }, () => random.normal());
    const budget = least + (most - least) * random.uniform();
    const tolerance = 0.05;
    const gain = (choice: readonly number[]): number =>
      choice.reduce((sum, k, g) => sum + logits[g * 3 + k], 0);
    const far = (choice: readonly number[]): number =>
      Math.max(0, Math.abs(costOfChoice(cost, choice) - budget) - tolerance);
    const nearest = Math.min(...all.map(far));
    const wanted = Math.max(...all.filter((choice) => far(choice) <= nearest + 1e-12).map(gain));
    const found = chooseWidths(cost, logits, { budget, tolerance, candidates: 3 });
    assert(far(found) <= nearest + 1e-9, `${budget}: ${found}`);
    assert(gain(found) >= wanted - 1e-6, `${budget}: ${found}`);
  }
});

Deno.test("even logits have entropy 1, and a choice that has been made has none", () => {
  assertEquals(entropyOf(new Float32Array(12).fill(3), 4), 1);
  assert(Math.abs(entropyOf([0, 0, 0, 100, 0, 0], 3) - 0.5) < 1e-9);
  assert(entropyOf([0, 40, 0, 40, 0, 0], 3) < 1e-9);
  const gates = softmax([1, 2, 3, 1000, 0, 0], 3);
  assert(Math.abs(gates[0] + gates[1] + gates[2] - 1) < 1e-12);
  assertEquals([...gates.subarray(3)], [1, 0, 0]);
});
