import { KEPT_TAPS, unroll } from "../wgsl/blocked.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { axesOf, depthwiseOutputs, repeated, windowOf } from "./strip.ts";
import {
  OTHER_ITERATIONS,
  pendingSums,
  WEIGHT_GRADIENT_DIMS,
  type WeightGradientAlgorithm,
  type WeightGradientDims,
} from "./weight_gradient_parts.ts";

/**
 * Partial sums of the weight gradient of a depthwise convolution, `[splits][taps][outputs]`. One
 * invocation walks down every so many strips of the output, with the sums of all taps.
 */
function kernelOf(
  g: Geometry,
  { multiplier, width, lanes }: { multiplier: number; width: number; lanes: number },
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  const { rows, columns } = axesOf("forward", g);
  const window = windowOf({ rows, columns, width, deep: 1 });
  const taps = g.kernelHeight * g.kernelWidth;
  const sums = (f: (tap: number, k: number) => string): string =>
    unroll(taps, (tap) => unroll(multiplier, (k) => f(tap, k)));
  const added = (tap: number, k: number): string => {
    const row = rows.taps[Math.floor(tap / g.kernelWidth)];
    const column = columns.taps[tap % g.kernelWidth];
    let sum = `s${tap}_${k}`;
    for (let step = 0; step < width; step++) {
      const pixel = repeated(window.pixel(row, column, { step, k: 0 }), k, multiplier);
      sum = `fma(${pixel}, g${step}_${k}, ${sum})`;
    }
    return `s${tap}_${k} = ${sum};`;
  };
  const gradient = (w: number): string =>
    `let g${w}_real = across + ${w}u < dims.out_width;
      ${
      unroll(
        multiplier,
        (k) =>
          `let g${w}_${k} = select(vec4f(), dy(select(0u, (row_to + across + ${w}u) * dims.out_quads + ${
            multiplier === 1 ? "quad" : `min(quad * ${multiplier}u + ${k}u, dims.out_quads - 1u)`
          }, g${w}_real)), g${w}_real);`,
      )
    }`;
  const to = (tap: number, k: number): string => {
    const at = `(split * ${taps}u + ${tap}u) * dims.out_quads`;
    if (multiplier === 1) {
      return `set_part(${at} + quad, select(vec4f(), s${tap}_${k}, kept_tap(${tap}u)));`;
    }
    return `if (quad * ${multiplier}u + ${k}u < dims.out_quads) {
    set_part(${at} + quad * ${multiplier}u + ${k}u, select(vec4f(), s${tap}_${k}, kept_tap(${tap}u)));
  }`;
  };
  return defineKernel({
    name:
      `weight gradient, depthwise ${g.kernelHeight}x${g.kernelWidth} to ${multiplier}, stride ` +
      `${g.stride}, dilation ${g.dilation}, strips of ${width}`,
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
  let strips = (dims.out_width + ${width - 1}u) / ${width}u;
  ${sums((tap, k) => `var s${tap}_${k} = vec4f();`)}
  for (var strip = split; strip < dims.batch * strips; strip += dims.splits) {
    let image = strip / strips;
    let across = (strip - image * strips) * ${width}u;
    let left = across * ${columns.step}u - dims.padding_x;
    ${window.before}
    var top = 0u - dims.padding_y;
    ${window.fill}
    for (var a = 0u; a < dims.out_height; a++) {
      ${window.next}
      let row_to = (image * dims.out_height + a) * dims.out_width;
      ${unroll(width, gradient)}
      ${sums(added)}
      ${window.move}
      top += ${rows.step}u;
    }
  }
  ${sums(to)}
}`,
    iterations: ({ batch, out_height, out_width, splits }) =>
      Math.ceil(batch * Math.ceil(out_width / width) / splits) * (out_height + 2) + 1,
  });
}

function widthOf(g: Geometry, multiplier: number): number {
  return Math.max(1, Math.floor(4 / Math.max(g.stride[1], multiplier)));
}

/** The weight gradient of depthwise convolutions, a few outputs to each input at most. */
export const depthwiseWeightGradient: WeightGradientAlgorithm = defineAlgorithm({
  name: "depthwise weight gradient",
  timed: false,
  guessed: true,
  applies: (_gpu, { geometry }) => depthwiseOutputs(geometry) !== undefined,
  variants: (_gpu, { geometry: g }) => {
    const multiplier = depthwiseOutputs(g) ?? 1;
    return [{ name: "depthwise", multiplier, width: widthOf(g, multiplier) }];
  },
  estimate: () => 0,
  record: (trace, operands, { multiplier, width }) => {
    const { gpu } = trace;
    const { lanes, invocations } = gpu.preset;
    const { geometry: g } = operands;
    const strips = g.batch * Math.ceil(g.outWidth / width);
    const inQuads = quads(g.keepIn);
    const fewest = Math.ceil(strips * (g.outHeight + 2) / (gpu.iterations - OTHER_ITERATIONS));
    const splits = Math.min(strips, Math.max(fewest, Math.ceil(invocations / inQuads)));
    return pendingSums(trace, operands, {
      kernel: kernelOf(g, { multiplier, width, lanes }),
      splits,
      workgroups: Math.ceil(splits * inQuads / lanes),
      clip: false,
      eightAtATime: false,
      rows: 1,
    });
  },
});
