import { COMPONENTS, KEPT_TAPS, range, unroll } from "../wgsl/blocked.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { type Product, type ProductAlgorithm, sidesOf } from "./gemm.ts";
import { axesOf, depthwiseOutputs, repeated, windowOf } from "./strip.ts";
import type { ProductDirection } from "./work.ts";

const DEPTHWISE_DIMS = {
  batch: "u32",
  in_height: "u32",
  in_width: "u32",
  in_quads: "u32",
  out_height: "u32",
  out_width: "u32",
  out_channels: "u32",
  /** The first row and column of the first window, which may be negative. */
  first_y: "i32",
  first_x: "i32",
  /** Strips beside each other, parts of each, and steps of a part. */
  strips: "u32",
  parts: "u32",
  steps: "u32",
  /** Vec4 of the channels of the convolution's input. */
  channel_quads: "u32",
  weight_quads: "u32",
  taps_low: "u32",
  taps_high: "u32",
} as const;

type DepthwiseDims = keyof typeof DEPTHWISE_DIMS;

/** The forward pass or the input gradient of a depthwise convolution, strip by strip. */
function kernelOf(
  direction: ProductDirection,
  g: Geometry,
  { multiplier, width, lanes, epilogue }: {
    multiplier: number;
    width: number;
    lanes: number;
    epilogue: Epilogue;
  },
): Kernel<string, "y", DepthwiseDims> {
  const forward = direction === "forward";
  const stored = epilogueStore(epilogue);
  const { rows, columns } = axesOf(direction, g);
  const window = windowOf({ rows, columns, width, deep: forward ? 1 : multiplier });
  const taps = g.kernelHeight * g.kernelWidth;
  const factor = (row: typeof rows.taps[number], column: typeof columns.taps[number], at: {
    step: number;
    k: number;
  }): string =>
    forward
      ? repeated(window.pixel(row, column, { ...at, k: 0 }), at.k, multiplier)
      : window.pixel(row, column, at);
  /** Σ over the taps of an output, of the products with vec4 `k` of the weights. */
  const product = (at: { step: number; k: number }, v: number, u: number): string =>
    rows.taps.filter(({ out }) => out === v).flatMap((row) =>
      columns.taps.filter(({ out }) => out === u).map((column) => ({ row, column }))
    ).reduce((sum, { row, column }) => {
      const weight = `w${row.tap * g.kernelWidth + column.tap}_${at.k}`;
      const pixel = factor(row, column, at);
      return sum ? `fma(${pixel}, ${weight}, ${sum})` : `${pixel} * ${weight}`;
    }, "") || "vec4f()";
  /** dx_j = Σ of the products of the outputs of input j. */
  const folded = (name: string): string => {
    const channel = (j: number): string =>
      range(multiplier).map((i) => {
        const at = j * multiplier + i;
        return `${name}_${at >> 2}.${COMPONENTS[at & 3]}`;
      }).join(" + ");
    return `vec4f(${range(4).map(channel).join(", ")})`;
  };
  const store = (pixel: string, quad: string, value: string): string =>
    `{
        let to = (${pixel}) * out_quads + ${quad};
        set_y(to, ${stored.value(value, "to")});
      }`;
  const output = (v: number, w: number, u: number): string => {
    const column = w * columns.outs + u;
    const sums = unroll(
      multiplier,
      (k) => `let s_${k} = ${product({ step: w, k }, v, u)};`,
    );
    const pixel = `row${v}_to + across + ${column}u`;
    const stores = forward
      ? unroll(
        multiplier,
        (k) =>
          multiplier === 1
            ? store(pixel, "quad", "s_0")
            : `if (quad * ${multiplier}u + ${k}u < out_quads) ${
              store(pixel, `quad * ${multiplier}u + ${k}u`, `s_${k}`)
            }`,
      )
      : store(
        pixel,
        "quad",
        multiplier === 1 ? "s_0" : `select(vec4f(), ${folded("s")}, channel_kept)`,
      );
    return `if (row${v}_real && across + ${column}u < dims.out_width) {
      ${sums}
      ${stores}
    }`;
  };
  const name = `${g.kernelHeight}x${g.kernelWidth}${multiplier > 1 ? ` to ${multiplier}` : ""}`;
  return defineKernel<string, "y", DepthwiseDims>({
    name: `${direction}, depthwise ${name}, stride ${g.stride}, dilation ${g.dilation}, padding ${
      forward ? "any" : g.padding.map((padding, side) => padding % g.stride[side])
    }, strips of ${width}${stored.suffix}`,
    workgroupSize: lanes,
    reads: { x: "bulk", w: "bulk", ...stored.reads },
    writes: { y: "bulk" },
    dims: DEPTHWISE_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
fn main(workgroup: u32, lane: u32) {
  // number = ((image * parts + part) * strips + strip) * channel_quads + quad
  let number = workgroup * ${lanes}u + lane;
  let quad = number % dims.channel_quads;
  let strip = number / dims.channel_quads % dims.strips;
  let rest = number / (dims.channel_quads * dims.strips);
  let part = rest % dims.parts;
  let image = rest / dims.parts;
  if (image >= dims.batch) { return; }
  let out_quads = (dims.out_channels + 3u) / 4u;
  let channel_kept = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.out_channels);
  let left = strip * ${width * columns.step}u + u32(dims.first_x);
  let across = strip * ${width * columns.outs}u;
  ${
      unroll(taps, (t) =>
        unroll(multiplier, (k) =>
          `let w${t}_${k} = select(vec4f(), w(${t}u * dims.weight_quads + ${
            multiplier === 1
              ? "quad"
              : `min(quad * ${multiplier}u + ${k}u, dims.weight_quads - 1u)`
          }), kept_tap(${t}u));`))
    }
  ${window.before}
  let begin = part * dims.steps;
  let end = min(begin + dims.steps, (dims.out_height + ${rows.outs - 1}u) / ${rows.outs}u);
  var top = begin * ${rows.step}u + u32(dims.first_y);
  ${window.fill}
  for (var a = begin; a < end; a++) {
    ${window.next}
    ${
      unroll(rows.outs, (v) =>
        `let row${v}_real = a * ${rows.outs}u + ${v}u < dims.out_height;
    let row${v}_to = (image * dims.out_height + a * ${rows.outs}u + ${v}u) * dims.out_width;
    ${unroll(width, (w) => unroll(columns.outs, (u) => output(v, w, u)))}`)
    }
    ${window.move}
    top += ${rows.step}u;
  }
}`,
    iterations: ({ steps }) => steps + 1,
  });
}

/** The width of a strip: less where more is held. */
function widthOf(
  direction: ProductDirection,
  g: Geometry,
  multiplier: number,
): number {
  const { columns } = axesOf(direction, g);
  return Math.max(1, Math.floor(4 / Math.max(columns.step, columns.outs, multiplier)));
}

function record(trace: Trace, product: Product, multiplier: number): void {
  const { gpu } = trace;
  const { direction, geometry: g, x, w, y } = product;
  const { lanes } = gpu.preset;
  const width = widthOf(direction, g, multiplier);
  const { rows, columns } = axesOf(direction, g);
  const { from, to } = sidesOf(product);
  const channelQuads = quads(g.keepIn);
  const strips = Math.ceil(to[1] / columns.outs / width);
  const all = Math.ceil(to[0] / rows.outs);
  const busy = Math.ceil(gpu.preset.invocations / (g.batch * strips * channelQuads));
  const fewest = Math.ceil(all / (gpu.iterations - 4));
  const parts = Math.min(all, Math.max(busy, fewest));
  const steps = Math.ceil(all / parts);
  const epilogue = epilogueOf(product.epilogue);
  trace.run(kernelOf(direction, g, { multiplier, width, lanes, epilogue }), {
    reads: { x, w, ...product.epilogue },
    writes: { y },
    dims: {
      batch: g.batch,
      in_height: from[0],
      in_width: from[1],
      in_quads: quads(from[2]),
      out_height: to[0],
      out_width: to[1],
      out_channels: to[2],
      first_y: rows.first,
      first_x: columns.first,
      strips,
      parts: Math.ceil(all / steps),
      steps,
      channel_quads: channelQuads,
      weight_quads: quads(g.filterOut),
      ...g.tapBits,
    },
    workgroups: Math.ceil(g.batch * Math.ceil(all / steps) * strips * channelQuads / lanes),
  });
}

/** Products of depthwise convolutions, a few outputs to each input at most. */
export const depthwiseProduct: ProductAlgorithm = defineAlgorithm({
  name: "depthwise product",
  timed: false,
  guessed: true,
  applies: (_gpu, { geometry }) => depthwiseOutputs(geometry) !== undefined,
  variants: (_gpu, { geometry }) => [{
    name: "depthwise",
    multiplier: depthwiseOutputs(geometry) ?? 1,
  }],
  estimate: () => 0,
  record: (trace, product, { multiplier }) => record(trace, product, multiplier),
});
