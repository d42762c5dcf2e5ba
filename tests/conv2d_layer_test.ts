// Convolutions with groups, biases, dilation and sides of their own, as layers of a network.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../data/random.ts";
import { parseNetwork } from "../nn/network_json.ts";
import { encodeNetwork } from "../nn/network_json.ts";
import { count, countLayers, sizesOf } from "../nn/count.ts";
import { foldNorms } from "../nn/fold.ts";
import { network } from "../nn/network.ts";
import type { Conv2dOptions } from "../nn/layers/conv2d.ts";
import { initialize, networkSpecs } from "../nn/state.ts";
import { NETWORKS } from "./saved_networks.ts";

const GROUPS = NETWORKS["of groups"];

function withConv(options: Omit<Conv2dOptions, "name">): void {
  network({ channels: 12 }, (n) => {
    const x = n.conv2d(n.image, { name: "a", ...options });
    n.linear(n.globalAvgPool2d(x), { name: "fc", out: 2 });
  });
}

Deno.test("the builder refuses fields of convolutions by name", () => {
  const refused: [Omit<Conv2dOptions, "name">, string][] = [
    [
      { out: 8, kernel: 3, groups: 3 },
      "Cannot add conv2d a: groups is a whole number that divides the 12 input channels and the 8 " +
      "filters, found 3",
    ],
    [{ out: 10, kernel: 3, groups: 5 }, "groups is a whole number that divides the 12 input"],
    [{ out: 8, kernel: 9 }, "kernel is a whole number from 1 to 8, or [height, width] of at most"],
    [{ out: 8, kernel: [13, 5] }, "at most 64 taps, found [13,5]"],
    [{ out: 8, kernel: 3, stride: [1, 0] }, "stride is a whole number from 1 to 65535, or [height"],
    [{ out: 8, kernel: 3, dilation: 0 }, "dilation is a whole number from 1"],
    [{ out: 8, kernel: 3, padding: [1, -1] }, "padding is a whole number from 0"],
  ];
  for (const [options, text] of refused) {
    assertThrows(() => withConv(options), RangeError, text);
  }
});

Deno.test("convolutions have weights of the inputs of a group, and exact counts", () => {
  const shapes = Object.fromEntries(
    networkSpecs(GROUPS).parameters.map(({ name, shape }) => [name, shape]),
  );
  assertEquals(shapes["a.weight"], [1, 3, 3, 12]);
  assertEquals(shapes["deep.weight"], [3, 3, 1, 12]);
  assertEquals(shapes["b.weight"], [3, 3, 2, 18]);
  assertEquals(shapes["b.bias"], [18]);
  assertEquals(shapes["c.weight"], [3, 1, 9, 8]);
  const image = { height: 29, width: 23 };
  const sizes = sizesOf(GROUPS, image);
  assertEquals(sizes[0], { height: 15, width: 23 });
  assertEquals(sizes[3], { height: 8, width: 12 });
  assertEquals(sizes[5], { height: 8, width: 12 });
  assertEquals(sizes[8], { height: 10, width: 12 });
  const counted = Object.fromEntries(
    countLayers(GROUPS, image).map((layer) => [layer.name, layer]),
  );
  const { deep, b, c } = counted;
  assertEquals([deep.params, deep.macs], [9 * 12, 9 * 12 * 8 * 12]);
  assertEquals([b.params, b.macs], [9 * 2 * 18 + 18, 9 * 2 * 18 * 8 * 12]);
  assertEquals([c.params, c.macs], [3 * 9 * 8 + 8, 3 * 9 * 8 * 10 * 12]);
  const all = networkSpecs(GROUPS).parameters.map(({ shape }) => shape.reduce((x, y) => x * y, 1));
  assertEquals(count(GROUPS, image).params, all.reduce((x, y) => x + y, 0));
});

Deno.test("files have the fields of convolutions that do not follow from the rest", () => {
  const text = encodeNetwork(GROUPS);
  assert(
    text.includes('{"kind":"conv2d","name":"deep","out":12,"kernel":3,"stride":2,"groups":12}'),
  );
  assert(text.includes('"kernel":3,"dilation":2,"groups":6,"bias":true}'));
  assert(text.includes('"kernel":[3,1],"padding":[2,0],"groups":2,"bias":true}'));
  assertEquals(encodeNetwork(parseNetwork(text)), text);
  for (const [wrong, reason] of [['"groups":5', "groups"], ['"groups":"6"', "groups"]]) {
    const changed = text.replace('"groups":6', wrong);
    assertThrows(() => parseNetwork(changed), TypeError, reason);
  }
  assertThrows(
    () => parseNetwork(text.replace('"kernel":[3,1]', '"kernel":[3,1,1]')),
    TypeError,
    "or [height, width] of at most 64 taps, found [3,1,1]",
  );
});

Deno.test("a folded norm scales the bias of the convolution before it", () => {
  const random = new Random(3, "fold");
  const state = initialize(networkSpecs(GROUPS), GROUPS, () => random.normal());
  for (const [, values] of state) values.forEach((_, i) => values[i] = 0.5 + random.uniform());
  const folded = foldNorms(GROUPS, state);
  const of = (name: string): Float32Array => state.get(name) ?? new Float32Array();
  for (const [name, i] of [["a", 0], ["b", 5]] as const) {
    const { weight, bias } = folded.get(i) ?? { weight: [], bias: [] };
    const channels = of(`${name}.bias`).length;
    for (let c = 0; c < channels; c++) {
      const f = of(`${name}.bn.weight`)[c] / Math.sqrt(of(`${name}.bn.running_var`)[c] + 1e-5);
      const shift = of(`${name}.bn.bias`)[c] - f * of(`${name}.bn.running_mean`)[c];
      const wanted = f * of(`${name}.bias`)[c] + shift;
      assert(Math.abs(bias[c] - wanted) < 1e-5, `${name} ${c}: ${bias[c]}, not ${wanted}`);
      const first = of(`${name}.weight`)[c] * f;
      assert(Math.abs(weight[c] - first) < 1e-5, `${name} ${c}: ${weight[c]}, not ${first}`);
    }
  }
});
