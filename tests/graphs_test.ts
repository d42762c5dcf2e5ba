import { assert, assertEquals } from "@std/assert";
import { range } from "../kernels/wgsl/blocked.ts";
import { distancesOf } from "./graph_check.ts";
import { faultOf, pairOf } from "./graphs.ts";
import { PIECE_NAMES } from "./random_graph.ts";

Deno.test("small networks of graphs at random are what was measured, with right gradients", async () => {
  const faults: string[] = [];
  for (const i of range(PIECE_NAMES.length)) {
    const fault = await faultOf(i);
    if (fault) faults.push(`graph ${i}: ${fault}`);
  }
  assertEquals(faults, []);
});

Deno.test("most graphs at random can be cut, and others are refused with the reason", () => {
  const refused = range(100).filter((i) => "refused" in pairOf(i));
  assert(refused.length < 25, `${refused}`);
});

Deno.test("a graph that amplifies rounding is held to what rounding comes to, others are not", async () => {
  // Graph 85 has a batch norm of what a layer norm of two channels leaves nearly constant.
  assertEquals(await faultOf(85), undefined);
  const roundings: number[] = [];
  for (const i of [85, 7]) {
    const made = pairOf(i);
    if ("refused" in made) throw new Error(made.refused);
    roundings.push((await distancesOf(made.pair, i)).rounding().logits);
  }
  assert(roundings[0] > 1e-4 && roundings[0] < 1e-2, `${roundings}`);
  assert(roundings[1] > 1e-8 && roundings[1] < 1e-6, `${roundings}`);
});
