import { KEPT_TAPS } from "../wgsl/blocked.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { groupOf } from "../wgsl/geometry.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { splitsFor } from "./position_splits.ts";
import {
  pendingSums,
  positionsOf,
  WEIGHT_GRADIENT_DIMS,
  type WeightGradientAlgorithm,
  type WeightGradientDims,
} from "./weight_gradient_parts.ts";

/**
 * Partial sums of a weight gradient, `[splits][taps][inputs of a group][outputs]`, one vec4 of them
 * to an invocation, as in the definition: groups and steps of any size.
 */
function kernelOf(
  { oneGroup }: {
    /** Whether the channels of a vec4 of outputs are of one group. */
    oneGroup: boolean;
  },
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  const value = (j: number): string => `x(at + source[${j}] / 4u)[source[${j}] % 4u]`;
  const values = oneGroup ? value(0) : [0, 1, 2, 3].map(value).join(", ");
  return defineKernel({
    name: `weight gradient, direct${oneGroup ? "" : ", several groups at once"}`,
    workgroupSize: LANES,
    reads: { x: "bulk", dy: "bulk" },
    writes: { part: "bulk" },
    dims: WEIGHT_GRADIENT_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let quad = i % dims.out_quads;
  let k = i / dims.out_quads % dims.group_in;
  let number = i / (dims.out_quads * dims.group_in);
  let taps = dims.kernel_height * dims.kernel_width;
  let tap = number % taps;
  let split = number / taps;
  if (split >= dims.splits) { return; }
  let last = dims.in_stride * 4u - 1u;
  let source = min(
    (quad * 4u + vec4u(0u, 1u, 2u, 3u)) / dims.group_out * dims.group_in + k,
    vec4u(last),
  );
  let shift_y = tap / dims.kernel_width * dims.dilation_y - dims.padding_y;
  let shift_x = tap % dims.kernel_width * dims.dilation_x - dims.padding_x;
  let total = dims.batch * dims.out_height * dims.out_width;
  let share = (total + dims.splits - 1u) / dims.splits;
  let begin = min(split * share, total);
  let end = select(begin, min(begin + share, total), kept_tap(tap));
  var b = begin % dims.out_width;
  var a = begin / dims.out_width % dims.out_height;
  var n = begin / (dims.out_width * dims.out_height);
  var sum = vec4f();
  for (var p = begin; p < end; p++) {
    let row = a * dims.stride_y + shift_y;
    let column = b * dims.stride_x + shift_x;
    let inside = row < dims.in_height && column < dims.in_width;
    let at = select(0u, ((n * dims.in_height + row) * dims.in_width + column) * dims.in_stride, inside);
    let v = select(vec4f(), vec4f(${values}), inside);
    sum = fma(v, dy(p * dims.out_quads + quad), sum);
    b += 1u;
    if (b == dims.out_width) { b = 0u; a += 1u; }
    if (a == dims.out_height) { a = 0u; n += 1u; }
  }
  set_part(i, sum);
}`,
    iterations: (dims) => positionsOf(dims) + 1,
  });
}

/** The weight gradient of groups and steps of any size: it applies to everything. */
export const directWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "direct weight gradient",
  timed: false,
  guessed: true,
  applies: () => true,
  variants: () => [{ name: "direct" }],
  estimate: () => 0,
  record: (trace, operands) => {
    const { geometry: g } = operands;
    const { inputs, outputs } = groupOf(g);
    const sums = g.kernelHeight * g.kernelWidth * inputs * quads(g.keepOut);
    const oneGroup = g.groups === 1 || outputs % 4 === 0;
    const splits = 4 * splitsFor(trace.gpu, g, 4 * sums);
    return pendingSums(trace, operands, {
      kernel: kernelOf({ oneGroup }),
      splits,
      workgroups: Math.ceil(sums * splits / LANES),
      clip: false,
      eightAtATime: false,
      rows: inputs,
    });
  },
});
