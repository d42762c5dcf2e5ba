import { LANES } from "../wgsl/elementwise.ts";
import { addPartialSums, addTwoSums, partialSumKernel, twoSums } from "../wgsl/partial_sums.ts";
import {
  eachChannelQuad,
  eachPixel,
  PIXEL_DIMS,
  type PixelDims,
  pixelIterations,
  pixelShares,
  pixelWorkgroups,
} from "../wgsl/pixel_sums.ts";
import { reductionPresets } from "../wgsl/reduction_preset.ts";
import { alongRuns, cut, over, pixelsOf, RUN_DIMS } from "../wgsl/runs.ts";
import type { Shaped } from "../wgsl/geometry.ts";
import { CHANNEL_QUADS, defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Case, Op } from "../op.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";
import { vectorGradient } from "./vector_gradient.ts";

/** Attributes of a layer norm. */
export interface LayerNormAttributes {
  /** Added to the variance. */
  readonly eps: number;
}

// Statistics of a pixel: its mean is x + y in twice the precision of either, 1 / std is z.
const NORMALIZED = /* wgsl */ `
fn normalized(x: vec4f, s: vec4f) -> vec4f { return ((x - s.x) - s.y) * s.z; }`;

function forward(shares: number): Kernel<"x" | "weight" | "bias", "y" | "found", string> {
  return defineKernel<"x" | "weight" | "bias", "y" | "found", PixelDims | "eps">({
    name: "layer norm",
    workgroupSize: LANES,
    reads: { x: "bulk", weight: "channel", bias: "channel" },
    writes: { y: "bulk", found: "bulk" },
    dims: { ...PIXEL_DIMS, eps: "f32" },
    wgsl: NORMALIZED + eachPixel(
      shares,
      /* wgsl */ `
  let count = f32(dims.channels);
  var sum = vec4f();
  ${eachChannelQuad(shares)} { sum += x(first + c); }
  let mean = over_pixel(vec2f(sum_of(sum), 0.0), lane).x / count;
  // What the mean has lost to rounding is found from the differences.
  var gap = vec4f();
  var m2 = vec4f();
  ${eachChannelQuad(shares)} {
    let d = select(vec4f(), x(first + c) - mean, inside(c));
    gap += d;
    m2 = fma(d, d, m2);
  }
  let moments = over_pixel(vec2f(sum_of(gap), sum_of(m2)), lane) / count;
  let variance = max(moments.y - moments.x * moments.x, 0.0);
  let statistics = vec4f(mean, moments.x, inverseSqrt(variance + dims.eps), 0.0);
  if (!counts) { return; }
  if (share == 0u) { set_found(pixel, statistics); }
  ${eachChannelQuad(shares)} {
    set_y(first + c, fma(normalized(x(first + c), statistics), weight(c), bias(c)));
  }`,
    ),
    iterations: ({ channels }) => pixelIterations(shares, channels, 3),
  });
}

// With g = dy · weight and x' = (x - mean) / std: dx = (g - mean(g) - x' · mean(g · x')) / std.
function inputGradient(
  shares: number,
): Kernel<"x" | "dy" | "found" | "weight", "dx", PixelDims> {
  return defineKernel<"x" | "dy" | "found" | "weight", "dx", PixelDims>({
    name: "layer norm input gradient",
    workgroupSize: LANES,
    reads: { x: "bulk", dy: "bulk", found: "bulk", weight: "channel" },
    writes: { dx: "bulk" },
    dims: PIXEL_DIMS,
    wgsl: NORMALIZED + eachPixel(
      shares,
      /* wgsl */ `
  let statistics = found(pixel);
  var sum = vec4f();
  var moment = vec4f();
  ${eachChannelQuad(shares)} {
    let g = dy(first + c) * weight(c);
    sum += g;
    moment = fma(g, normalized(x(first + c), statistics), moment);
  }
  let means = over_pixel(vec2f(sum_of(sum), sum_of(moment)), lane) / f32(dims.channels);
  if (!counts) { return; }
  ${eachChannelQuad(shares)} {
    let g = dy(first + c) * weight(c) - means.x;
    let dx = fma(normalized(x(first + c), statistics), vec4f(-means.y), g) * statistics.z;
    set_dx(first + c, select(vec4f(), dx, inside(c)));
  }`,
    ),
    iterations: ({ channels }) => pixelIterations(shares, channels, 2),
  });
}

/** part: `[Σ dy, Σ dy·x'][parts][channels]`, one run of pixels per invocation. */
const gradientSums = defineKernel({
  name: "layer norm gradient sums",
  workgroupSize: LANES,
  reads: { x: "bulk", dy: "bulk", found: "bulk" },
  writes: { part: "bulk" },
  dims: RUN_DIMS,
  wgsl: NORMALIZED + alongRuns(/* wgsl */ `
  var sum = vec4f();
  var moment = vec4f();
  for (var p = first; p < end; p++) {
    let at = p * stride + c;
    let g = dy(at);
    sum += g;
    moment = fma(g, normalized(x(at), found(p)), moment);
  }
  set_part(i, sum);
  set_part(i + dims.parts * stride, moment);`),
  iterations: ({ chunk }) => chunk + 1,
});

const parameterGradients = partialSumKernel(
  "layer norm parameter gradients",
  { dweight: "bulk", dbias: "bulk" },
  { sums: twoSums, store: "set_dweight(i, moment);\n  set_dbias(i, sum);" },
);

function checkShapes(
  { shape }: Shaped,
  vectors: Readonly<Record<"weight" | "bias", Shaped>>,
  { eps }: LayerNormAttributes,
): void {
  const channels = shape.at(-1) ?? 0;
  for (const [name, vector] of Object.entries(vectors)) {
    if (vector.shape.length === 1 && vector.shape[0] === channels) continue;
    throw new TypeError(
      `Cannot apply layer norm: the input has shape [${shape}] and ${name} [${vector.shape}]; ` +
        `wanted ${name} [${channels}]`,
    );
  }
  if (channels > CHANNEL_QUADS * 4) {
    throw new RangeError(
      `Cannot apply layer norm: wanted at most ${CHANNEL_QUADS * 4} channels, found ${channels}`,
    );
  }
  if (!(eps > 0)) {
    throw new RangeError(`Cannot apply layer norm: wanted an eps above 0, found ${eps}`);
  }
}

/** The gradients of weight and bias. */
function recordSums(
  trace: Trace,
  { x, found, dy }: Record<"x" | "found" | "dy", Tensor>,
): { dweight: Tensor; dbias: Tensor } {
  const runs = cut(trace, x);
  const shape = x.shape.slice(-1);
  const part = trace.tensor("layer norm sums", [2, runs.parts, ...shape]);
  trace.run(gradientSums, { reads: { x, dy, found }, writes: { part }, ...over(runs, x) });
  const { part: last, dims, workgroups } = addPartialSums(trace, addTwoSums, part, runs);
  const writes = {
    dweight: trace.tensor("layer norm dweight", shape),
    dbias: trace.tensor("layer norm dbias", shape),
  };
  trace.run(parameterGradients(reductionPresets.of(trace.gpu).shares), {
    reads: { part: last },
    writes,
    dims,
    workgroups,
  });
  return writes;
}

// A pixel of values about `mean`, whose spread differs from pixel to pixel.
function on(
  shape: readonly number[],
  { eps = 1e-6, mean = 0, std = 1 }: { eps?: number; mean?: number; std?: number } = {},
): Case<LayerNormAttributes> {
  const channels = shape[shape.length - 1];
  return {
    inputs: [
      {
        shape,
        sample: (normal, i) =>
          mean + std * ((i % channels) % 2 + normal()) * (1 + Math.floor(i / channels) % 3),
      },
      [channels],
      [channels],
    ],
    attributes: { eps },
  };
}

/**
 * `layerNorm(x, weight, bias)` over the channels of each pixel, the last dimension: `(x - mean) /
 * sqrt(variance + eps) * weight + bias`, with the biased variance. x of any shape, vectors
 * `[channels]`. Outputs: the result, and `[pixels, 3]`: two numbers whose sum is the mean, and 1 /
 * std.
 */
export const layerNorm: Op<LayerNormAttributes> = {
  name: "layer norm",
  forward: (trace, [x, weight, bias], { eps }) => {
    checkShapes(x, { weight, bias }, { eps });
    const channels = x.shape.at(-1) ?? 1;
    const pixels = pixelsOf(x);
    const y = trace.tensor("layer norm", x.shape);
    const found = trace.tensor("layer norm statistics", [pixels, 3]);
    const shares = pixelShares(trace, channels);
    trace.run(forward(shares), {
      reads: { x, weight, bias },
      writes: { y, found },
      dims: { pixels, channels, eps },
      workgroups: pixelWorkgroups(shares, pixels),
    });
    return [y, found];
  },
  vjp: (trace, { inputs: [x, weight], outputs: [, found], wanted }, dy) => {
    let dx: Tensor | null = null;
    if (wanted[0]) {
      const channels = x.shape.at(-1) ?? 1;
      const pixels = pixelsOf(x);
      const shares = pixelShares(trace, channels);
      dx = trace.tensor("layer norm input gradient", x.shape);
      trace.run(inputGradient(shares), {
        reads: { x, dy, found, weight },
        writes: { dx },
        dims: { pixels, channels },
        workgroups: pixelWorkgroups(shares, pixels),
      });
    }
    const sums = wanted[1] || wanted[2] ? recordSums(trace, { x, found, dy }) : undefined;
    return [
      dx,
      sums && wanted[1] ? vectorGradient(trace, "layer norm", sums.dweight) : null,
      sums && wanted[2] ? vectorGradient(trace, "layer norm", sums.dbias) : null,
    ];
  },
  reference: ([x, weight, bias], { eps }) => {
    checkShapes(x, { weight, bias }, { eps });
    const [channels] = weight.shape;
    const data = new Float64Array(x.data.length);
    for (let first = 0; first < data.length; first += channels) {
      const pixel = x.data.subarray(first, first + channels);
      const mean = pixel.reduce((sum, v) => sum + v, 0) / channels;
      const variance = pixel.reduce((sum, v) => sum + (v - mean) ** 2, 0) / channels;
      pixel.forEach((v, c) => {
        const x = (v - mean) / Math.sqrt(variance + eps);
        data[first + c] = x * weight.data[c] + bias.data[c];
      });
    }
    return [{ shape: x.shape, data }];
  },
  cases: [
    on([1, 3], { eps: 0.1 }),
    on([7, 17]),
    on([2, 3, 5, 7], { eps: 1e-3 }),
    on([3, 5, 7, 64]),
    on([1, 23, 29, 20]),
    on([5, 259]),
    on([4, 65, 63, 5], { eps: 1e-5 }),
    on([2, 3, 3, 96], { mean: 100, std: 0.1 }),
    // The mean lies between two float32.
    on([1, 3, 3, 6], { mean: 1000001, std: 4 }),
  ],
};
