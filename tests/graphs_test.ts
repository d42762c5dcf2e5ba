import { assert, assertEquals } from "@std/assert";
import { Gpu } from "../kernels/gpu.ts";
import { adjoin } from "../nn/compress/adjoin.ts";
import { network } from "../nn/network.ts";
import { range } from "../kernels/wgsl/blocked.ts";
import { distancesOf } from "./graph_check.ts";
import { faultOf, pairOf } from "./graphs.ts";
import { PIECE_NAMES } from "./random_graph.ts";

Deno.test("small networks of graphs at random are what was measured, with right gradients", async () => {
  const gpu = await Gpu.open();
  const faults: string[] = [];
  for (const i of range(PIECE_NAMES.length)) {
    const fault = await faultOf(gpu, i);
    if (fault) faults.push(`graph ${i}: ${fault}`);
  }
  gpu.destroy();
  assertEquals(faults, []);
});

Deno.test("most graphs at random can be cut, and others are refused with the reason", () => {
  const refused = range(100).filter((i) => "refused" in pairOf(i));
  assert(refused.length < 25, `${refused}`);
});

Deno.test("a graph that amplifies rounding is held to what rounding comes to, others are not", async () => {
  const gpu = await Gpu.open();
  // Sigmoids make a quarter of differences each, or less, and norms make them 1 again.
  const measured = (times: number) =>
    distancesOf(
      gpu,
      adjoin(
        network({ channels: 3 }, (n) => {
          n.stage(1);
          let x = n.conv2d(n.image, { name: "conv", out: 8, kernel: 1 });
          for (let i = 0; i < times; i++) {
            x = n.batchNorm(n.sigmoid(n.sigmoid(n.sigmoid(x))), { name: `norm${i}` });
          }
          n.linear(n.globalAvgPool2d(n.relu(x)), { name: "fc", out: 3 });
        }),
        { compression: 2, maskFrom: 1 },
      ),
      3,
    );
  const [usual, sensitive] = [await measured(0), await measured(4)];
  gpu.destroy();
  const moved = [usual, sensitive].map((found) => found.rounding().logits);
  assert(moved[0] < 1e-6 && moved[1] > 10 * moved[0], `${moved}`);
  assert(sensitive.logits < 8 * moved[1], `${sensitive.logits}, ${moved[1]}`);
});
