// Which layers of a network are done by the kernels of the layer before.
import { assertEquals } from "@std/assert";
import { fusions } from "../nn/fusions.ts";
import { network, type NetworkBuilder, type Value } from "../nn/network.ts";

function sumsAndRelus(build: (n: NetworkBuilder, x: Value, y: Value) => Value): {
  sums: (readonly [Value, Value])[];
  relus: number[];
} {
  const made = network({ channels: 4 }, (n) => {
    const x = n.conv2d(n.image, { name: "a", out: 4, kernel: 1 });
    const y = build(n, x, n.batchNorm(x, { name: "an" }));
    n.linear(n.globalAvgPool2d(y), { name: "fc", out: 2 });
  });
  const { sums, activations } = fusions(made);
  return {
    sums: sums.flatMap((sum) => sum ? [[sum.summand, sum.residual] as const] : []),
    relus: activations.flatMap((is, i) => is ? [i] : []),
  };
}

Deno.test("a norm does the sum that alone uses it, and the sum's ReLU", () => {
  const found = sumsAndRelus((n, x, y) => n.relu(n.add(x, y)));
  assertEquals(found, { sums: [[1, 0]], relus: [3] });
});

Deno.test("one of two norms does their sum", () => {
  const found = sumsAndRelus((n, x, y) => n.add(y, n.batchNorm(x, { name: "bn" })));
  assertEquals(found, { sums: [[1, 2]], relus: [] });
});

Deno.test("a norm that is used twice does nothing else", () => {
  assertEquals(sumsAndRelus((n, _, y) => n.add(y, n.relu(y))), { sums: [], relus: [] });
  assertEquals(sumsAndRelus((n, _, y) => n.add(y, y)), { sums: [], relus: [] });
});

Deno.test("a norm does the activation that alone uses it, but not one over its sum", () => {
  for (const kind of ["relu", "relu6", "silu", "hardSwish"] as const) {
    assertEquals(sumsAndRelus((n, _, y) => n[kind](y)), { sums: [], relus: [2] });
    assertEquals(sumsAndRelus((n, _, y) => n.concat([y, n[kind](y)])), { sums: [], relus: [] });
  }
  const found = sumsAndRelus((n, x, y) => n.silu(n.add(x, y)));
  assertEquals(found, { sums: [[1, 0]], relus: [] });
});
