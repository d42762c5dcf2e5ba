import { assert, assertEquals } from "@std/assert";
import { range } from "../kernels/wgsl/blocked.ts";
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
