// A small share of tests/torture/resumed_runs.ts.
import { assertEquals } from "@std/assert";
import { choiceOf, chosenWidths, widthGroups } from "../nn/compress/width_groups.ts";
import { model } from "../nn/families/mod.ts";
import { folderOf, METHODS, placeOf } from "../train/compare/methods.ts";
import { lacks } from "./permissions.ts";
import { compared, demandEqual } from "./torture/resumed_runs.ts";

const ignore = lacks("read", "env");

Deno.test("a comparison that was stopped twice comes to what a straight one does", {
  ignore,
}, async () => {
  const places: string[] = [];
  const print = (line: string): void => void places.push(line);
  const few = ["--train-size", "16", "--methods", "distilled,pruned,searched"];
  await demandEqual(compared("compare", few), { stops: 2, seed: 1, print });
  assertEquals(places.length > 0, true);
});

Deno.test("the states of a comparison are each of a method and a seed", () => {
  for (const method of METHODS) {
    for (const name of [method.name, ...method.before ? [method.before.name] : []]) {
      assertEquals(placeOf(folderOf(name, 5)), { method, seed: 5 });
    }
  }
  for (const other of ["train", "search", "adjoined-x", "other-5"]) {
    assertEquals(placeOf(other), undefined, other);
  }
});

Deno.test("the choice that makes widths is found, and none for other widths", () => {
  const network = model("resnet8", { classes: 10 });
  const groups = widthGroups(network, { maskFrom: 1, divisors: [1, 2, 4] });
  const choice = groups.groups.map((_, g) => g % 3);
  const widths = chosenWidths(network, groups, choice);
  assertEquals(choiceOf(network, groups, widths), choice);
  const [name] = Object.keys(widths);
  assertEquals(
    choiceOf(network, groups, { ...widths, [name]: Number(widths[name]) + 1 }),
    undefined,
  );
});
