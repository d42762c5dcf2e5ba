import { assert, assertEquals, assertThrows } from "@std/assert";
import { adjoin, widthsOf } from "../nn/compress/adjoin.ts";
import { roundedWidth } from "../nn/compress/rounded_width.ts";
import { uniformWidths } from "../nn/compress/width_uniform.ts";
import { chosenWidths, widthGroups, widthsOfGroup } from "../nn/compress/width_groups.ts";
import { isConv2d } from "../nn/layers/conv2d.ts";
import { model } from "../nn/families/mod.ts";
import type { Network } from "../nn/network.ts";
import { thinFamilies } from "./thin_families.ts";

/** Filters of each convolution of a network. */
function filtersOf({ layers }: Network): Map<string, number> {
  return new Map(layers.flatMap((layer) => isConv2d(layer) ? [[layer.name, layer.out]] : []));
}

/** Whether widths are multiples, or all that there are. */
function demandMultiples(
  net: Network,
  widths: Readonly<Record<string, unknown>>,
  step: number,
): void {
  const all = filtersOf(net);
  for (const [name, width] of Object.entries(widths)) {
    assert(typeof width === "number");
    assert(width > 0 && (width % step === 0 || width === all.get(name)), `${name}: ${width}`);
  }
}

Deno.test("a width is rounded to the nearest multiple, from one to all of them", () => {
  const cases = [
    [5, 64, 8, 8],
    [11, 64, 8, 8],
    [12, 64, 8, 16],
    [0, 64, 8, 8],
    [2, 6, 8, 6],
    [30, 33, 8, 32],
    [33, 33, 8, 33],
    [31, 33, 32, 32],
    [7, 64, 1, 7],
  ];
  for (const [kept, size, roundTo, wanted] of cases) {
    assertEquals(roundedWidth(kept, size, roundTo), wanted, `${kept} of ${size} to ${roundTo}`);
  }
});

for (
  const [name, net] of [
    ["resnet20", model("resnet20", { classes: 10 })],
    ["MobileNetV2", thinFamilies(10).mobilenetv2.network],
  ] as const
) {
  Deno.test(`widths of ${name} are multiples by compression, budget and search`, () => {
    const options = { maskFrom: 1, roundTo: 8 };
    const by3 = widthsOf(adjoin(net, { compression: 3, ...options }));
    demandMultiples(net, by3, 8);
    const plain = widthsOf(adjoin(net, { compression: 3, maskFrom: 1 }));
    assert(Object.keys(plain).some((name) => plain[name] !== by3[name]));
    assertEquals(widthsOf(adjoin(net, { compression: 3, ...options, roundTo: 1 })), plain);
    const image = { height: 32, width: 32 };
    const budget = { budget: 0.6, budgeted: "macs", image } as const;
    demandMultiples(net, uniformWidths(net, options, budget), 8);
    const groups = widthGroups(net, { ...options, divisors: [1, 1.5, 3, 8] });
    for (let k = 0; k < 4; k++) {
      const widths = chosenWidths(net, groups, groups.groups.map(() => k));
      demandMultiples(net, widths, 8);
      assertEquals(widths[groups.groups[0].name], widthsOfGroup(groups, 0)[k]);
    }
  });
}

Deno.test("what widths cannot be multiples of is refused", () => {
  const net = model("resnet8", { classes: 10 });
  for (const roundTo of [0, 1.5, NaN]) {
    const text = `roundTo is a whole number from 1 on, found ${roundTo}`;
    assertThrows(() => adjoin(net, { compression: 2, roundTo }), RangeError, text);
    assertThrows(() => widthGroups(net, { roundTo }), RangeError, text);
  }
});
