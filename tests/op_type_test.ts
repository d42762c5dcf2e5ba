import { assertEquals } from "@std/assert";
import { relu } from "../kernels/ops/relu.ts";
import type { Op } from "../kernels/op.ts";

const { name, forward, vjp, reference, cases } = relu;

Deno.test("an op without gradient, reference or cases does not compile", () => {
  // @ts-expect-error: no vjp
  const withoutGradient: Op = { name, forward, reference, cases };
  // @ts-expect-error: no reference
  const withoutReference: Op = { name, forward, vjp, cases };
  // @ts-expect-error: no cases
  const withoutCases: Op = { name, forward, vjp, reference };
  assertEquals([withoutGradient, withoutReference, withoutCases].length, 3);
});
