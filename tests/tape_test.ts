// Gradients that several paths share.
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { add } from "../kernels/ops/add.ts";
import { maskedConv2d } from "../kernels/ops/conv2d.ts";
import { gateChannels } from "../kernels/ops/gate_channels.ts";
import { Gpu } from "../kernels/gpu.ts";
import type { Tensor } from "../kernels/gpu/tensor.ts";
import { Tape } from "../nn/tape.ts";

Deno.test("a gradient that was passed on does not grow any more", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    const x = scope.tensor("x", [1, 4], [1, 2, 3, 4]);
    const dy = scope.tensor("dy", [1, 4], [1, 1, 1, 1]);
    const zero = scope.tensor("zero", [1, 2]);
    const [p1, p2, d1, d2] = ["p1", "p2", "d1", "d2"].map((name) =>
      scope.tensor(name, [1, 2], [0.5, 0.25])
    );
    const gradients = new Map([[p1, d1], [p2, d2]]);
    const program = await scope.trace("shared", (trace) => {
      const tape = new Tape(trace, (parameter) => gradients.get(parameter));
      const plus = (a: Tensor, b: Tensor): Tensor => tape.apply(add, [a, b], { relu: false })[0];
      const gated = (gates: Tensor): Tensor =>
        tape.apply(gateChannels, [x, gates], { group: 0, widths: [4, 1] })[0];
      const [g1, g2] = [plus(p1, zero), plus(p2, zero)];
      const first = gated(g1);
      // The gradient of the sum is that of both summands, and then g1 gets some more.
      const second = gated(plus(g1, g2));
      tape.backward(plus(first, second), dy);
    });
    program.replay();
    const [once, twice] = await gpu.read([d2, d1]);
    [10, 1].forEach((sum, i) => {
      assertAlmostEquals(once[i], sum);
      assertAlmostEquals(twice[i], 2 * sum);
    });
  } finally {
    gpu.destroy();
  }
});

Deno.test("the gradient of a slice leaves zeros in the rest, whatever was there", async () => {
  const gpu = await Gpu.open();
  try {
    using scope = gpu.scope();
    // Slices of whole vec4: the kernel touches none of the others.
    const x = scope.tensor("x", [1, 1, 1, 4], [2, 3, 5, 7]);
    const w = scope.tensor("w", [1, 1, 8, 8], Array(64).fill(1));
    const dw = scope.tensor("dw", [1, 1, 8, 8], Array(64).fill(9));
    const dy = scope.tensor("dy", [1, 1, 1, 4], [1, 10, 100, 1000]);
    const program = await scope.trace("slice", (trace) => {
      const tape = new Tape(trace, (parameter) => parameter === w ? dw : undefined);
      const attributes = { stride: 1, padding: 0, keepOut: 4 };
      tape.backward(tape.apply(maskedConv2d, [x, w], attributes)[0], dy);
    });
    // The second time it finds what it has left itself.
    for (let i = 0; i < 2; i++) program.replay();
    const [found] = await gpu.read([dw]);
    const row = (x: number): number[] => [x, 10 * x, 100 * x, 1000 * x, 0, 0, 0, 0];
    assertEquals(Array.from(found), [...[2, 3, 5, 7].flatMap(row), ...Array(32).fill(0)]);
  } finally {
    gpu.destroy();
  }
});
