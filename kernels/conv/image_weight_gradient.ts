import { COMPONENTS, dot, KEPT_TAPS, unroll, WIDEST_ROW } from "../wgsl/blocked.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { advance } from "./positions.ts";
import { quads } from "../gpu/tensor.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { splitsFor } from "./position_splits.ts";
import { isDense } from "./work.ts";
import {
  pendingSums,
  positionsOf,
  WEIGHT_GRADIENT_DIMS,
  type WeightGradientAlgorithm,
  type WeightGradientDims,
} from "./weight_gradient_parts.ts";

/** Positions that are added up before they join a sum, as in the blocked weight gradient. */
const AT_ONCE = 4;

/**
 * The partial sums of a weight gradient for x of at most four channels, an image: one invocation
 * holds all `taps` of one row of the kernel, so that what it loads of `dy` serves each of them. The
 * lanes of a workgroup have nothing in common.
 */
function kernelOf(
  { channels, taps, outputs, lanes, broadcast }: {
    /** Channels of x. */
    channels: number;
    /** Taps in a row of the kernel, `dims.kernel_width`. */
    taps: number;
    outputs: number;
    lanes: number;
    /** The lanes of a subgroup, if workgroups are subgroups, or 0. */
    broadcast: number;
  },
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  const sums = (f: (t: number, i: number, j: number) => string): string =>
    unroll(taps, (t) => unroll(channels, (i) => unroll(outputs, (j) => f(t, i, j))));
  const load = (p: number): string =>
    `let row${p} = a * dims.stride_y + ty * dims.dilation_y - dims.padding_y;
    let in${p} = k + ${p}u < count && row${p} < dims.in_height;
    let x${p} = (n * dims.in_height + row${p}) * dims.in_width;
    let y${p} = select(0u, ((n * dims.out_height + a) * dims.out_width + b) * dims.out_quads, in${p});
    ${unroll(outputs, (j) => `let g${j}_${p} = dy(y${p} + out${j}_at);`)}
    ${
      unroll(taps, (t) =>
        `let column${t}_${p} = b * dims.stride_x + ${t}u * dims.dilation_x - dims.padding_x;
    let in${t}_${p} = in${p} && column${t}_${p} < dims.in_width && kept${t};
    let v${t}_${p} = select(vec4f(), x(select(0u, x${p} + column${t}_${p}, in${t}_${p})), in${t}_${p});`)
    }
    ${advance(p)}`;
  return defineKernel({
    name: `weight gradient ${channels}x${outputs * 4}, ${taps} taps`,
    workgroupSize: lanes,
    subgroup: broadcast > 0,
    reads: { x: "bulk", dy: "bulk" },
    writes: { part: "bulk" },
    dims: WEIGHT_GRADIENT_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
fn main(workgroup: u32, lane: u32) {
  let out_blocks = (dims.out_quads + ${outputs - 1}u) / ${outputs}u;
  let id = workgroup * ${lanes}u + lane;
  let ty = id % dims.kernel_height;
  let out_quad = ((id / dims.kernel_height) % out_blocks) * ${outputs}u;
  let split = id / (dims.kernel_height * out_blocks);
  let out_last = dims.out_quads - 1u - out_quad;
  ${unroll(outputs, (j) => `let out${j}_at = out_quad + min(${j}u, out_last);`)}
  ${unroll(taps, (t) => `let kept${t} = kept_tap(ty * ${taps}u + ${t}u);`)}
  ${sums((t, i, j) => `var s${t}_${i}_${j} = vec4f();`)}
  let rows = vec2u(0u, dims.out_height);
  let columns = vec2u(0u, dims.out_width);
  let total = dims.batch * dims.out_height * dims.out_width;
  let share = (total + dims.splits - 1u) / dims.splits;
  let begin = min(split * share, total);
  let count = min(share, total - begin);
  var b = begin % dims.out_width;
  var a = (begin / dims.out_width) % dims.out_height;
  var n = begin / (dims.out_width * dims.out_height);
  for (var k = 0u; k < count; k += ${AT_ONCE}u) {
    ${unroll(AT_ONCE, load)}
    ${
      sums((t, i, j) => {
        const sum = dot(AT_ONCE, (p) => `v${t}_${p}.${COMPONENTS[i]}`, (p) => `g${j}_${p}`);
        return `s${t}_${i}_${j} += ${sum};`;
      })
    }
  }
  if (split >= dims.splits) { return; }
  let at = (split * dims.kernel_height + ty) * ${taps * 4}u * dims.out_quads + out_quad;
  for (var j = 0u; j < min(${outputs}u, dims.out_quads - out_quad); j++) {
    ${
      unroll(taps, (t) =>
        unroll(channels, (i) =>
          `set_part(at + ${t * 4 + i}u * dims.out_quads + j, s${t}_${i}_0);
    ${
            unroll(outputs - 1, (j) => `s${t}_${i}_${j} = s${t}_${i}_${j + 1};`)
          }`))
    }
  }
}`,
    iterations: (dims) => Math.ceil(positionsOf(dims) / AT_ONCE) + 1 + outputs + 1,
  });
}

/** Vec4 of outputs that are held with a row of taps. */
const OUTPUTS = 4;

/** The weight gradient of images: few channels, and rows of taps short enough to be unrolled. */
export const imageWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "image weight gradient",
  timed: false,
  guessed: true,
  applies: (_gpu, { geometry: g }) =>
    isDense(g) && quads(g.keepIn) === 1 && g.kernelWidth <= WIDEST_ROW,
  variants: (_gpu, { geometry: g }) => [{ name: `${g.keepIn}x${OUTPUTS * 4}` }],
  estimate: () => 0,
  record: (trace, operands) => {
    const { preset: { lanes }, broadcast } = trace.gpu;
    const { geometry: g } = operands;
    const rows = g.kernelHeight * Math.ceil(quads(g.keepOut) / OUTPUTS);
    const splits = splitsFor(trace.gpu, g, 4 * rows);
    const shape = { channels: g.keepIn, taps: g.kernelWidth, outputs: OUTPUTS };
    return pendingSums(trace, operands, {
      kernel: kernelOf({ ...shape, lanes, broadcast }),
      splits,
      workgroups: Math.ceil(rows * splits / lanes),
      clip: false,
      eightAtATime: false,
    });
  },
});
