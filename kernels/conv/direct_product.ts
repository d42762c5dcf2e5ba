import { KEPT_TAPS } from "../wgsl/blocked.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import { groupOf, placementDims } from "../wgsl/geometry.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { quads } from "../gpu/tensor.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { demandIterations, type Product, type ProductAlgorithm, sidesOf } from "./gemm.ts";
import { flopsOf, type ProductDirection, usedOfFilter } from "./work.ts";
import type { Trace } from "../program/trace.ts";

const DIRECT_DIMS = {
  batch: "u32",
  in_height: "u32",
  in_width: "u32",
  in_quads: "u32",
  /** Channels of a group that are read. */
  group_in: "u32",
  out_height: "u32",
  out_width: "u32",
  out_channels: "u32",
  /** Channels of a group that are written. */
  group_out: "u32",
  kernel_height: "u32",
  kernel_width: "u32",
  stride_y: "u32",
  stride_x: "u32",
  padding_y: "u32",
  padding_x: "u32",
  dilation_y: "u32",
  dilation_x: "u32",
  weight_rows: "u32",
  weight_quads: "u32",
  taps_low: "u32",
  taps_high: "u32",
} as const;

/**
 * WGSL that names what a tap meets along one side, `shift` behind the first: its place `into` in x,
 * and whether it is there, `into_real`.
 *
 * Forward: a·stride + shift - padding. Input gradient: the a with a·stride + shift - padding = c, if
 * there is one. Places before the first become large.
 */
function met(
  direction: ProductDirection,
  { into, of, side, shift, size }: {
    into: string;
    of: string;
    side: "y" | "x";
    shift: string;
    size: string;
  },
): string {
  const [stride, padding] = [`dims.stride_${side}`, `dims.padding_${side}`];
  return direction === "forward"
    ? `let ${into} = ${of} * ${stride} + ${shift} - ${padding};
    let ${into}_real = ${into} < ${size};`
    : `let ${into}_shifted = ${of} + ${padding} - ${shift};
    let ${into} = ${into}_shifted / ${stride};
    let ${into}_real = ${into} < ${size} && ${into} * ${stride} == ${into}_shifted;`;
}

/** One vec4 of y to an invocation, as in the definition: groups and steps of any size. */
function kernelOf(
  direction: ProductDirection,
  { oneGroup, epilogue }: {
    /** Whether the channels of a vec4 of y are of one group. */
    oneGroup: boolean;
    epilogue: Epilogue;
  },
): Kernel<string, "y", keyof typeof DIRECT_DIMS> {
  const stored = epilogueStore(epilogue);
  const four = (one: (j: number) => string): string =>
    oneGroup ? `vec4f(${one(0)})` : `vec4f(${[0, 1, 2, 3].map(one).join(", ")})`;
  const factors = four((j) => `x(at + source[${j}] / 4u)[source[${j}] % 4u]`);
  const weight = (j: number): string => {
    const row = `(tap * dims.weight_rows + within[${j}]) * dims.weight_quads`;
    return `w(${row} + source[${j}] / 4u)[source[${j}] % 4u]`;
  };
  const weights = direction === "forward"
    ? "w((tap * dims.weight_rows + k) * dims.weight_quads + quad)"
    : `vec4f(${[0, 1, 2, 3].map(weight).join(", ")})`;
  const rows = {
    into: "a",
    of: "row",
    side: "y",
    shift: "s * dims.dilation_y",
    size: "dims.in_height",
  } as const;
  const columns = {
    into: "b",
    of: "column",
    side: "x",
    shift: "t * dims.dilation_x",
    size: "dims.in_width",
  } as const;
  return defineKernel<string, "y", keyof typeof DIRECT_DIMS>({
    name: `${direction}, direct${oneGroup ? "" : ", several groups at once"}${stored.suffix}`,
    workgroupSize: LANES,
    reads: { x: "bulk", w: "bulk", ...stored.reads },
    writes: { y: "bulk" },
    dims: DIRECT_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let out_quads = (dims.out_channels + 3u) / 4u;
  let pixel = i / out_quads;
  let quad = i - pixel * out_quads;
  let row = pixel / dims.out_width % dims.out_height;
  let column = pixel % dims.out_width;
  let image = pixel / (dims.out_width * dims.out_height);
  if (image >= dims.batch) { return; }
  let channel = quad * 4u + vec4u(0u, 1u, 2u, 3u);
  let real = min(channel, vec4u(dims.out_channels - 1u));
  let first = real / dims.group_out * dims.group_in;
  let within = real % dims.group_out;
  var sum = vec4f();
  for (var s = 0u; s < dims.kernel_height; s++) {
    ${met(direction, rows)}
    for (var t = 0u; t < dims.kernel_width; t++) {
      let tap = s * dims.kernel_width + t;
      ${met(direction, columns)}
      let depth = select(0u, dims.group_in, a_real && b_real && kept_tap(tap));
      let at = ((image * dims.in_height + a) * dims.in_width + b) * dims.in_quads;
      for (var k = 0u; k < depth; k++) {
        let source = first + k;
        sum = fma(${factors}, ${weights}, sum);
      }
    }
  }
  set_y(i, ${stored.value("select(vec4f(), sum, channel < vec4u(dims.out_channels))", "i")});
}`,
    iterations: ({ kernel_height, kernel_width, group_in }) =>
      kernel_height * (kernel_width * (group_in + 2) + 2) + 1,
  });
}

function record(trace: Trace, product: Product): void {
  const { direction, geometry: g, x, w, y } = product;
  const { from, to } = sidesOf(product);
  const group = groupOf(g);
  const [groupIn, groupOut] = direction === "forward"
    ? [group.inputs, group.outputs]
    : [group.outputs, group.inputs];
  const oneGroup = g.groups === 1 || groupOut % 4 === 0;
  const kernel = kernelOf(direction, { oneGroup, epilogue: epilogueOf(product.epilogue) });
  const dims = {
    batch: g.batch,
    in_height: from[0],
    in_width: from[1],
    in_quads: quads(from[2]),
    group_in: groupIn,
    out_height: to[0],
    out_width: to[1],
    out_channels: to[2],
    group_out: groupOut,
    kernel_height: g.kernelHeight,
    kernel_width: g.kernelWidth,
    ...placementDims(g),
    weight_rows: g.filterIn,
    weight_quads: quads(g.filterOut),
    ...g.tapBits,
  };
  const iterations = (kernel.iterations?.(dims) ?? 0) + 2;
  const depth = g.kernelHeight * g.kernelWidth * groupIn;
  demandIterations(trace.gpu, { name: g.name, products: depth, iterations });
  trace.run(kernel, {
    reads: { x, w, ...product.epilogue },
    writes: { y },
    dims,
    workgroups: Math.ceil(g.batch * to[0] * to[1] * quads(to[2]) / LANES),
    flops: flopsOf(g),
    touched: { w: usedOfFilter(g) },
  });
}

/** Products of groups and steps of any size: it applies to everything. */
export const directProduct: ProductAlgorithm = defineAlgorithm({
  name: "direct product",
  timed: false,
  guessed: true,
  applies: () => true,
  variants: () => [{ name: "direct" }],
  estimate: () => 0,
  record: (trace, product) => record(trace, product),
});
