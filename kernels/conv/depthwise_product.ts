import { COMPONENTS, KEPT_TAPS, range, unroll } from "../wgsl/blocked.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { type Product, type ProductAlgorithm, sidesOf } from "./gemm.ts";
import {
  axesOf,
  type Axis,
  depthwiseOutputs,
  heightOf,
  type Place,
  repeated,
  windowOf,
} from "./strip.ts";
import { flopsOf, type ProductDirection, usedOfFilter, type Work } from "./work.ts";

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
  /** Strips of an image, parts of each, and steps of a part. */
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

/** The taps of an output: first those that meet what was loaded last, which is in registers. */
function latestFirst(taps: Axis["taps"], of: number): Axis["taps"] {
  return taps.filter(({ out }) => out === of).toSorted((a, b) => b.offset - a.offset);
}

/** How a strip is walked along. */
interface Walk {
  /** Outputs to an input, or inputs to an output of the gradient. */
  readonly multiplier: number;
  /** Steps of the height of a strip. */
  readonly height: number;
  /** Whether strips, and their last steps, end where images do. */
  readonly ends: { readonly rows: boolean; readonly columns: boolean };
}

/** The forward pass or the input gradient of a depthwise convolution, strip by strip. */
function kernelOf(
  direction: ProductDirection,
  g: Geometry,
  { multiplier, height, ends }: Walk,
  { lanes, epilogue }: { lanes: number; epilogue: Epilogue },
): Kernel<string, "y", DepthwiseDims> {
  const forward = direction === "forward";
  const stored = epilogueStore(epilogue);
  const { rows, columns } = axesOf(direction, g);
  const deep = forward ? 1 : multiplier;
  const window = windowOf({ rows, columns, height, deep });
  const taps = g.kernelHeight * g.kernelWidth;
  /** Σ over the taps of output (v, u) of a step, of the products with vec4 `k` of the weights. */
  const product = (place: Place, v: number, u: number): string =>
    latestFirst(rows.taps, v).flatMap((row) =>
      latestFirst(columns.taps, u).map((column) => ({ row, column }))
    ).reduce((sum, { row, column }) => {
      const weight = `w${row.tap * g.kernelWidth + column.tap}_${place.k}`;
      const pixel = forward
        ? repeated(window.pixel(row, column, { ...place, k: 0 }), place.k, multiplier)
        : window.pixel(row, column, place);
      return sum ? `fma(${pixel}, ${weight}, ${sum})` : `${pixel} * ${weight}`;
    }, "") || "vec4f()";
  /** dx_j = Σ of the products of the outputs of input j. */
  const channel = (j: number): string =>
    range(multiplier).map((i) => {
      const at = j * multiplier + i;
      return `s_${at >> 2}.${COMPONENTS[at & 3]}`;
    }).join(" + ");
  const folded = `select(vec4f(), vec4f(${range(4).map(channel).join(", ")}), channel_kept)`;
  const store = (to: string, quad: string, value: string): string =>
    `{
        let to = (${to}) * out_quads + ${quad};
        set_y(to, ${stored.value(value, "to")});
      }`;
  const results = (to: string): string => {
    if (multiplier === 1) return store(to, "quad", "s_0");
    if (!forward) return store(to, "quad", folded);
    return unroll(multiplier, (k) => {
      const quad = `quad * ${multiplier}u + ${k}u`;
      return `if (${quad} < out_quads) ${store(to, quad, `s_${k}`)}`;
    });
  };
  const output = (line: number, v: number, u: number): string => {
    const inside = [
      ...ends.rows ? [] : [`line${line}_${v}_real`],
      ...ends.columns ? [] : [`column${u}_to < dims.out_width`],
    ];
    return `${inside.length ? `if (${inside.join(" && ")}) ` : ""}{
      ${unroll(multiplier, (k) => `let s_${k} = ${product({ line, k }, v, u)};`)}
      ${results(`line${line}_${v}_to + column${u}_to`)}
    }`;
  };
  const weight = multiplier === 1
    ? () => "quad"
    : (k: number) => `min(quad * ${multiplier}u + ${k}u, dims.weight_quads - 1u)`;
  const name = `${g.kernelHeight}x${g.kernelWidth}${multiplier > 1 ? ` to ${multiplier}` : ""}`;
  return defineKernel<string, "y", DepthwiseDims>({
    name: `${direction}, depthwise ${name}, stride ${g.stride}, dilation ${g.dilation}, strips of ${
      height * rows.outs
    }${stored.suffix}`,
    workgroupSize: lanes,
    reads: { x: "bulk", w: "bulk", ...stored.reads },
    writes: { y: "bulk" },
    dims: DEPTHWISE_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
fn main(workgroup: u32, lane: u32) {
  // number = ((image * strips + strip) * parts + part) * channel_quads + quad
  let number = workgroup * ${lanes}u + lane;
  let quad = number % dims.channel_quads;
  let part = number / dims.channel_quads % dims.parts;
  let rest = number / (dims.channel_quads * dims.parts);
  let strip = rest % dims.strips;
  let image = rest / dims.strips;
  if (image >= dims.batch) { return; }
  let out_quads = (dims.out_channels + 3u) / 4u;
  let channel_kept = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.out_channels);
  let top = strip * ${height * rows.step}u + u32(dims.first_y);
  ${
      unroll(taps, (t) =>
        unroll(multiplier, (k) =>
          `let w${t}_${k} = select(vec4f(), w(${t}u * dims.weight_quads + ${
            weight(k)
          }), kept_tap(${t}u));`))
    }
  ${window.before}
  ${
      unroll(height, (line) =>
        unroll(rows.outs, (v) =>
          `let line${line}_${v} = strip * ${height * rows.outs}u + ${line * rows.outs + v}u;
  let line${line}_${v}_real = line${line}_${v} < dims.out_height;
  let line${line}_${v}_to = (image * dims.out_height + line${line}_${v}) * dims.out_width;`))
    }
  let begin = part * dims.steps;
  let end = min(begin + dims.steps, (dims.out_width + ${columns.outs - 1}u) / ${columns.outs}u);
  var left = begin * ${columns.step}u + u32(dims.first_x);
  ${window.fill}
  for (var a = begin; a < end; a++) {
    ${window.next}
    ${
      unroll(columns.outs, (u) =>
        `let column${u}_to = a * ${columns.outs}u + ${u}u;
    ${unroll(height, (line) => unroll(rows.outs, (v) => output(line, v, u)))}`)
    }
    ${window.move}
    left += ${columns.step}u;
  }
}`,
    iterations: ({ steps }) => steps + 1,
  });
}

/** The walk along strips for a work: less high where more is held. */
function walkOf(work: Work, multiplier: number): Walk {
  const { geometry: g } = work;
  const direction = work.direction === "input gradient" ? "input gradient" : "forward";
  const { rows, columns } = axesOf(direction, g);
  const [high, wide] = direction === "forward" ? [g.outHeight, g.outWidth] : [g.height, g.width];
  const height = heightOf(g, Math.max(rows.step, rows.outs, multiplier));
  return {
    multiplier,
    height,
    ends: {
      rows: high % (height * rows.outs) === 0,
      columns: wide % columns.outs === 0,
    },
  };
}

function record(trace: Trace, product: Product, walk: Walk): void {
  const { gpu } = trace;
  const { direction, geometry: g, x, w, y } = product;
  const { lanes } = gpu.preset;
  const { height } = walk;
  const { rows, columns } = axesOf(direction, g);
  const { from, to } = sidesOf(product);
  const channelQuads = quads(g.keepIn);
  const strips = Math.ceil(to[0] / rows.outs / height);
  const all = Math.ceil(to[1] / columns.outs);
  const busy = Math.ceil(gpu.preset.invocations / (g.batch * strips * channelQuads));
  const fewest = Math.ceil(all / (gpu.iterations - 4));
  const steps = Math.ceil(all / Math.min(all, Math.max(busy, fewest)));
  const parts = Math.ceil(all / steps);
  const epilogue = epilogueOf(product.epilogue);
  trace.run(kernelOf(direction, g, walk, { lanes, epilogue }), {
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
      parts,
      steps,
      channel_quads: channelQuads,
      weight_quads: quads(g.filterOut),
      ...g.tapBits,
    },
    workgroups: Math.ceil(g.batch * strips * parts * channelQuads / lanes),
    flops: flopsOf(g),
    touched: { w: usedOfFilter(g) },
  });
}

/** Products of depthwise convolutions, a few outputs to each input at most. */
export const depthwiseProduct: ProductAlgorithm = defineAlgorithm({
  name: "depthwise product",
  timed: false,
  guessed: true,
  applies: (_gpu, { geometry }) => depthwiseOutputs(geometry) !== undefined,
  variants: (_gpu, work) => [{
    name: "depthwise",
    walk: walkOf(work, depthwiseOutputs(work.geometry) ?? 1),
  }],
  estimate: () => 0,
  record: (trace, product, { walk }) => record(trace, product, walk),
});
