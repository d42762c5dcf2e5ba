import { KEPT_TAPS, range, unroll } from "../wgsl/blocked.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { axesOf, depthwiseOutputs, heightOf, repeated, windowOf } from "./strip.ts";
import {
  OTHER_ITERATIONS,
  pendingSums,
  WEIGHT_GRADIENT_DIMS,
  type WeightGradientAlgorithm,
  type WeightGradientDims,
} from "./weight_gradient_parts.ts";

/**
 * Partial sums of the weight gradient of a depthwise convolution, `[splits][taps][outputs]`. One
 * invocation walks along every so many strips of the output, with the sums of all taps.
 */
function kernelOf(
  g: Geometry,
  { multiplier, height, lanes }: { multiplier: number; height: number; lanes: number },
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  const { rows, columns } = axesOf("forward", g);
  const window = windowOf({ rows, columns, height, deep: 1 });
  const taps = g.kernelHeight * g.kernelWidth;
  const sums = (f: (tap: number, k: number) => string): string =>
    unroll(taps, (tap) => unroll(multiplier, (k) => f(tap, k)));
  const quadOf = (k: number): string => multiplier === 1 ? "quad" : `quad * ${multiplier}u + ${k}u`;
  const added = (tap: number, k: number): string => {
    const row = rows.taps[Math.floor(tap / g.kernelWidth)];
    const column = columns.taps[tap % g.kernelWidth];
    const sum = range(height).reduce((sum, line) => {
      const pixel = window.pixel(row, column, { line, k: 0 });
      return `fma(${repeated(pixel, k, multiplier)}, g${line}_${k}, ${sum})`;
    }, `s${tap}_${k}`);
    return `s${tap}_${k} = ${sum};`;
  };
  const last = multiplier === 1
    ? (quad: string) => quad
    : (quad: string) => `min(${quad}, dims.out_quads - 1u)`;
  const gradient = (line: number): string =>
    unroll(
      multiplier,
      (k) =>
        `let g${line}_${k} = select(vec4f(), dy((line${line}_to + b) * dims.out_quads + ${
          last(quadOf(k))
        }), line${line}_real);`,
    );
  const store = (tap: number, k: number): string =>
    `${multiplier === 1 ? "" : `if (${quadOf(k)} < dims.out_quads) `}{
    let sum = select(vec4f(), s${tap}_${k}, kept_tap(${tap}u));
    set_part((split * ${taps}u + ${tap}u) * dims.out_quads + ${quadOf(k)}, sum);
  }`;
  return defineKernel({
    name:
      `weight gradient, depthwise ${g.kernelHeight}x${g.kernelWidth} to ${multiplier}, stride ` +
      `${g.stride}, dilation ${g.dilation}, strips of ${height}`,
    workgroupSize: lanes,
    reads: { x: "bulk", dy: "bulk" },
    writes: { part: "bulk" },
    dims: WEIGHT_GRADIENT_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
fn main(workgroup: u32, lane: u32) {
  let number = workgroup * ${lanes}u + lane;
  let quad = number % dims.in_quads;
  let split = number / dims.in_quads;
  if (split >= dims.splits) { return; }
  let strips = (dims.out_height + ${height - 1}u) / ${height}u;
  ${sums((tap, k) => `var s${tap}_${k} = vec4f();`)}
  for (var strip = split; strip < dims.batch * strips; strip += dims.splits) {
    let image = strip / strips;
    let first = (strip - image * strips) * ${height}u;
    let top = first * ${rows.step}u - dims.padding_y;
    ${window.before}
    ${
      unroll(height, (line) =>
        `let line${line}_real = first + ${line}u < dims.out_height;
    let line${line}_to = (image * dims.out_height + select(0u, first + ${line}u, line${line}_real)) * dims.out_width;`)
    }
    var left = 0u - dims.padding_x;
    ${window.fill}
    for (var b = 0u; b < dims.out_width; b++) {
      ${window.next}
      ${unroll(height, gradient)}
      ${sums(added)}
      ${window.move}
      left += ${columns.step}u;
    }
  }
  ${sums(store)}
}`,
    iterations: ({ batch, out_height, out_width, splits }) =>
      Math.ceil(batch * Math.ceil(out_height / height) / splits) * (out_width + 2) + 1,
  });
}

/** The weight gradient of depthwise convolutions, a few outputs to each input at most. */
export const depthwiseWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "depthwise weight gradient",
  timed: false,
  guessed: true,
  applies: (_gpu, { geometry }) => depthwiseOutputs(geometry) !== undefined,
  variants: (_gpu, { geometry: g }) => {
    const multiplier = depthwiseOutputs(g) ?? 1;
    return [{
      name: "depthwise",
      multiplier,
      height: heightOf(g, Math.max(g.stride[0], multiplier)),
    }];
  },
  estimate: () => 0,
  record: (trace, operands, { multiplier, height }) => {
    const { gpu } = trace;
    const { lanes, invocations } = gpu.preset;
    const { geometry: g } = operands;
    const strips = g.batch * Math.ceil(g.outHeight / height);
    const inQuads = quads(g.keepIn);
    const fewest = Math.ceil(strips * (g.outWidth + 2) / (gpu.iterations - OTHER_ITERATIONS));
    const splits = Math.min(strips, Math.max(fewest, Math.ceil(invocations / inQuads)));
    return pendingSums(trace, operands, {
      kernel: kernelOf(g, { multiplier, height, lanes }),
      splits,
      workgroups: Math.ceil(splits * inQuads / lanes),
      clip: false,
      eightAtATime: false,
      rows: 1,
    });
  },
});
