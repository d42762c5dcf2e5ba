import { COMPONENTS, dot, KEPT_TAPS, loadShared, range, unroll } from "../wgsl/blocked.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { convolutionPresets } from "./convolution_preset.ts";
import { advance } from "./positions.ts";
import { splitsFor } from "./position_splits.ts";
import { isDense } from "./work.ts";
import {
  pendingSums,
  positionsOf,
  WEIGHT_GRADIENT_DIMS,
  type WeightGradientAlgorithm,
  type WeightGradientDims,
} from "./weight_gradient_parts.ts";

/**
 * Partial sums of a weight gradient. For each tap (s, t) and each of `splits` runs of positions,
 *
 *     part[split, s, t, i, o] = Σ_(n,a,b) x[n, a·stride + s - padding, b·stride + t - padding, i] · dy[n, a, b, o]
 *
 * One invocation holds `inputs` x `outputs` vec4 (16·inputs·outputs sums) of one tap in registers.
 * The lanes of a workgroup have taps and inputs of their own and everything else in common. Where
 * they share `dy` all of them visit the same positions: those whose x lies inside the image if all
 * have one tap (`dims.clip`), else all, with x zero outside.
 */
function kernelOf(
  { inputs, outputs, lanes, broadcast }: {
    inputs: number;
    outputs: number;
    lanes: number;
    /** The lanes of a subgroup that load `dy` for each other, or 0. */
    broadcast: number;
  },
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  const together = broadcast >= 2 * outputs ? 2 : 1;
  const loadPositions = (first: number): string =>
    loadShared(together * outputs, {
      name: `g${first}_`,
      load: (i) =>
        together === 1
          ? `dy(y${first} + min(${i}, out_last))`
          : `dy(select(y${first}, y${
            first + 1
          }, ${i} >= ${outputs}u) + min(${i} % ${outputs}u, out_last))`,
      broadcast,
    });
  const g = (j: number, p: number): string =>
    `g${p - p % together}_${(p % together) * outputs + j}`;
  return defineKernel({
    name: `weight gradient ${inputs * 4}x${outputs * 4}`,
    workgroupSize: lanes,
    subgroup: broadcast > 0,
    reads: { x: "bulk", dy: "bulk" },
    writes: { part: "bulk" },
    dims: WEIGHT_GRADIENT_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
// The positions a with 0 <= a * stride + shift - padding < size.
fn inside(shift: u32, stride: u32, padding: u32, size: u32, positions: u32) -> vec2u {
  let low = (max(padding, shift) - shift + stride - 1u) / stride;
  let high = (size + padding + stride - 1u - min(shift, size + padding)) / stride;
  return select(
    vec2u(0u, positions),
    vec2u(low, max(low, min(high, positions))),
    dims.clip == 1u,
  );
}

fn main(workgroup: u32, lane: u32) {
  let in_blocks = (dims.in_quads + ${inputs - 1}u) / ${inputs}u;
  let out_blocks = (dims.out_quads + ${outputs - 1}u) / ${outputs}u;
  let taps = dims.kernel_height * dims.kernel_width;
  let groups = (taps * in_blocks + ${lanes - 1}u) / ${lanes}u;
  let row = (workgroup % groups) * ${lanes}u + lane;
  let out_quad = ((workgroup / groups) % out_blocks) * ${outputs}u;
  let split = workgroup / (groups * out_blocks);
  let live = row < taps * in_blocks;
  let tap = min(row, taps * in_blocks - 1u) / in_blocks;
  let in_quad = (row % in_blocks) * ${inputs}u;
  let shift_y = tap / dims.kernel_width * dims.dilation_y;
  let shift_x = tap % dims.kernel_width * dims.dilation_x;
  let in_last = dims.in_quads - 1u - in_quad;
  let out_last = dims.out_quads - 1u - out_quad;
  ${unroll(inputs, (i) => `let in${i}_at = in_quad + min(${i}u, in_last);`)}
  let rows = inside(shift_y, dims.stride_y, dims.padding_y, dims.in_height, dims.out_height);
  let columns = inside(shift_x, dims.stride_x, dims.padding_x, dims.in_width, dims.out_width);
  ${unroll(inputs * 4, (i) => range(outputs).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  // The positions of this split: b first, then a, then images.
  let across = columns.y - columns.x;
  let down = rows.y - rows.x;
  let total = dims.batch * down * across;
  let share = ((total + dims.splits - 1u) / dims.splits + 3u) & ~3u;
  let begin = min(split * share, total);
  let kept = kept_tap(tap);
  let count = select(min(share, total - begin), 0u, dims.clip == 1u && !kept);
  var b = columns.x + begin % max(across, 1u);
  var a = rows.x + (begin / max(across, 1u)) % max(down, 1u);
  var n = begin / max(across * down, 1u);
  // Four positions at a time, added up before they join the sum, as in the implicit GEMM.
  for (var k = 0u; k < count; k += 4u) {
    ${
      unroll(4, (p) =>
        `let row${p} = a * dims.stride_y + shift_y - dims.padding_y;
    let column${p} = b * dims.stride_x + shift_x - dims.padding_x;
    let in${p} = kept && k + ${p}u < count && row${p} < dims.in_height && column${p} < dims.in_width;
    let x${p} = select(0u, ((n * dims.in_height + row${p}) * dims.in_width + column${p}) * dims.in_stride, in${p});
    let y${p} = ((min(n, dims.batch - 1u) * dims.out_height + a) * dims.out_width + b) * dims.out_quads + out_quad;
    ${unroll(inputs, (i) => `let v${i}_${p} = select(vec4f(), x(x${p} + in${i}_at), in${p});`)}
    ${advance(p)}`)
    }
    ${range(4).filter((p) => p % together === 0).map(loadPositions).join("\n")}
    ${
      unroll(inputs * 4, (i) =>
        range(outputs).map((j) => {
          const sum = dot(4, (p) => `v${i >> 2}_${p}.${COMPONENTS[i & 3]}`, (p) => g(j, p));
          return `s${i}_${j} += ${sum};`;
        }).join("\n"))
    }
  }
  if (live) {
    let at = ((split * taps + tap) * dims.in_quads + in_quad) * 4u * dims.out_quads + out_quad;
    for (var j = 0u; j < min(${outputs}u, dims.out_quads - out_quad); j++) {
      ${
      unroll(inputs * 4, (i) =>
        `if (${i >> 2}u <= in_last) { set_part(at + ${i}u * dims.out_quads + j, s${i}_0); }
      ${
          unroll(outputs - 1, (j) => `s${i}_${j} = s${i}_${j + 1};`)
        }`)
    }
    }
  }
}`,
    iterations: (dims) => Math.ceil(positionsOf(dims) / 4) + 1 + outputs + 1,
  });
}

/** The weight gradient in registers, for all that has no groups. */
export const blockedWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "blocked weight gradient",
  timed: false,
  guessed: true,
  applies: (_gpu, { geometry }) => isDense(geometry),
  variants: (gpu, { geometry: g }) => {
    const { preset: { lanes }, broadcast } = gpu;
    const { side } = convolutionPresets.of(gpu);
    const rows = g.kernelHeight * g.kernelWidth * quads(g.keepIn);
    const wide = quads(g.keepOut) > side;
    const inputs = broadcast ? (wide && rows >= 2 * lanes ? 2 : 1) : side;
    const outputs = broadcast && wide ? 2 * side : side;
    return [{ name: `${inputs * 4}x${outputs * 4}`, inputs, outputs }];
  },
  estimate: () => 0,
  record: (trace, operands, { inputs, outputs }) => {
    const { preset: { lanes }, broadcast } = trace.gpu;
    const { geometry: g } = operands;
    const inBlocks = Math.ceil(quads(g.keepIn) / inputs);
    const blocks = Math.ceil(g.kernelHeight * g.kernelWidth * inBlocks / lanes) *
      Math.ceil(quads(g.keepOut) / outputs);
    const splits = splitsFor(trace.gpu, g, blocks * lanes);
    return pendingSums(trace, operands, {
      kernel: kernelOf({ inputs, outputs, lanes, broadcast }),
      splits,
      workgroups: blocks * splits,
      clip: broadcast === 0 || inBlocks % lanes === 0,
      eightAtATime: false,
    });
  },
});
