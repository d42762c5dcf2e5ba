import { COMPONENTS, KEPT_TAPS, range, unroll } from "./blocked.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import { filterLayout, type FilterTile } from "./tiles.ts";
import { SUM_DIMS, WEIGHT_GRADIENT_DIMS, type WeightGradientDims } from "./weight_gradient.ts";

/**
 * The partial sums of {@link weightGradient} by workgroup tiles. The rows of a tile are quads of
 * inputs of all taps, tap after tap: few inputs share a tile between taps. A position whose x lies
 * outside the image counts as zero.
 */
export function tiledWeightGradient(
  tile: FilterTile,
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  const { depth, rows, columns } = tile;
  const { down, across, invocations } = filterLayout(tile);
  const inputs = tile.inputs / 4;
  const outputs = tile.outputs / 4;
  const staged = range(depth * inputs / invocations);
  const position = (m: number, quads: number): string =>
    `begin + s * ${depth}u + lane / ${quads}u + ${m * invocations / quads}u`;
  // Position (a, b) of image n that this invocation stages next, ${depth} further on each time.
  const begin = (m: number): string =>
    `let p${m} = begin + lane / ${inputs}u + ${m * invocations / inputs}u;
  var n${m} = p${m} / image;
  var a${m} = p${m} % image / dims.out_width;
  var b${m} = p${m} % dims.out_width;`;
  const advanceBy = (m: number): string =>
    `b${m} += step_b;
    let right${m} = b${m} >= dims.out_width;
    b${m} -= select(0u, dims.out_width, right${m});
    a${m} += step_a + select(0u, 1u, right${m});
    let low${m} = a${m} >= dims.out_height;
    a${m} -= select(0u, dims.out_height, low${m});
    n${m} += step_n + select(0u, 1u, low${m});`;
  const loadX = (m: number): string =>
    `let iy${m} = a${m} * dims.stride + ty - dims.padding;
    let ix${m} = b${m} * dims.stride + tx - dims.padding;
    let inside${m} = live && ${
      position(m, inputs)
    } < end && iy${m} < dims.in_height && ix${m} < dims.in_width;
    let at${m} = ((n${m} * dims.in_height + iy${m}) * dims.in_width + ix${m}) * dims.in_stride + in_quad;
    let v${m} = select(vec4f(), x(select(0u, at${m}, inside${m})), inside${m});
    ${advanceBy(m)}`;
  const loadDy = (m: number): string =>
    `let q${m} = ${position(m, outputs)};
    let real${m} = q${m} < end && first_out + lane % ${outputs}u < dims.out_quads;
    let g${m} = select(vec4f(), dy(select(0u, q${m} * dims.out_quads + first_out + lane % ${outputs}u, real${m})), real${m});`;
  const products = (i: number, j: number): string =>
    range(4).map((u) =>
      `s${4 * i + u}_${j} = fma(vec4f(a${i}.${COMPONENTS[u]}), b${j}, s${4 * i + u}_${j});`
    ).join(" ");
  return defineKernel({
    name: `weight gradient by tiles ${tile.name}`,
    workgroupSize: invocations,
    reads: { x: "bulk", dy: "bulk" },
    writes: { part: "bulk" },
    dims: WEIGHT_GRADIENT_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
var<workgroup> x_tile: array<vec4f, ${depth * inputs}>;
var<workgroup> dy_tile: array<vec4f, ${depth * outputs}>;

fn main(workgroup: u32, lane: u32) {
  // workgroup = (split * blocks of ${tile.inputs} rows + row block) * blocks of outputs + block
  let taps = dims.kernel_height * dims.kernel_width;
  let row_quads = taps * dims.in_quads;
  let row_blocks = (row_quads + ${inputs - 1}u) / ${inputs}u;
  let out_blocks = (dims.out_quads + ${outputs - 1}u) / ${outputs}u;
  let first_out = workgroup % out_blocks * ${outputs}u;
  let first_row = workgroup / out_blocks % row_blocks * ${inputs}u;
  let split = workgroup / (out_blocks * row_blocks);
  let image = dims.out_height * dims.out_width;
  let positions = dims.batch * image;
  let share = (positions + dims.splits - 1u) / dims.splits;
  let begin = min(split * share, positions);
  let end = min(begin + share, positions);
  // The row that this invocation stages.
  let row = first_row + lane % ${inputs}u;
  let tap = row / dims.in_quads;
  let in_quad = row % dims.in_quads;
  let ty = tap / dims.kernel_width;
  let tx = tap % dims.kernel_width;
  let live = row < row_quads && kept_tap(min(tap, taps - 1u));
  ${unroll(4 * rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  let step_b = ${depth}u % dims.out_width;
  let step_a = ${depth}u / dims.out_width % dims.out_height;
  let step_n = ${depth}u / image;
  ${staged.map(begin).join("\n")}
  let slices = (end - begin + ${depth - 1}u) / ${depth}u;
  // One more round than slices: each loads slice s and multiplies slice s - 1.
  for (var s = 0u; s <= slices; s++) {
    ${staged.map(loadX).join("\n")}
    ${unroll(depth * outputs / invocations, loadDy)}
    if (s > 0u) {
      for (var d = 0u; d < ${depth}u; d += 2u) {
        ${
      unroll(2, (k) =>
        `{
          let x_at = (d + ${k}u) * ${inputs}u + lane / ${across}u;
          let dy_at = (d + ${k}u) * ${outputs}u + lane % ${across}u;
          ${unroll(rows, (i) => `let a${i} = x_tile[x_at + ${i * down}u];`)}
          ${unroll(columns, (j) => `let b${j} = dy_tile[dy_at + ${j * across}u];`)}
          ${unroll(rows, (i) => unroll(columns, (j) => products(i, j)))}
        }`)
    }
      }
    }
    workgroupBarrier();
    ${staged.map((m) => `x_tile[lane + ${m * invocations}u] = v${m};`).join("\n")}
    ${
      unroll(
        depth * outputs / invocations,
        (m) => `dy_tile[lane + ${m * invocations}u] = g${m};`,
      )
    }
    workgroupBarrier();
  }
  ${
      unroll(rows, (i) =>
        unroll(columns, (j) =>
          `{
    let quad = first_out + lane % ${across}u + ${j * across}u;
    let mine = first_row + lane / ${across}u + ${i * down}u;
    if (mine < row_quads && quad < dims.out_quads) {
      let at = (split * row_quads + mine) * 4u * dims.out_quads + quad;
      ${unroll(4, (u) => `set_part(at + ${u}u * dims.out_quads, s${4 * i + u}_${j});`)}
    }
  }`))
    }
}`,
  });
}

/** Quads of a workgroup of {@link sumManyParts}. */
export const SUMMED_QUADS = 8;

/**
 * What {@link sumParts} does, for many splits: {@link SUMMED_QUADS} quads times eight shares of the
 * splits for each workgroup, the shares added up in order.
 */
export function sumManyParts(accumulate: boolean): Kernel<"part", "dw", keyof typeof SUM_DIMS> {
  return defineKernel({
    name: `sum of many weight gradients${accumulate ? ", added" : ""}`,
    workgroupSize: 64,
    reads: { part: "bulk" },
    writes: { dw: accumulate ? "update" : "bulk" },
    dims: SUM_DIMS,
    wgsl: /* wgsl */ `
var<workgroup> shares: array<vec4f, 64>;

fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${SUMMED_QUADS}u + lane % 8u;
  let count = dims.taps * dims.rows * dims.part_quads;
  let quad = i % dims.part_quads;
  let row = (i / dims.part_quads) % dims.rows;
  let tap = i / (dims.part_quads * dims.rows);
  let stride = dims.taps * dims.part_rows * dims.part_quads;
  let start = (tap * dims.part_rows + row) * dims.part_quads + quad;
  let share = (dims.splits + 7u) / 8u;
  let begin = lane / 8u * share;
  let end = select(begin, min(begin + share, dims.splits), i < count);
  // Four loads are under way at a time.
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var split = begin; split < end; split += 4u) {
    ${
      unroll(4, (u) =>
        `let in${u} = split + ${u}u < end;
    sum${u} += select(vec4f(), part(select(0u, (split + ${u}u) * stride + start, in${u})), in${u});`)
    }
  }
  workgroupBarrier();
  shares[lane] = (sum0 + sum1) + (sum2 + sum3);
  workgroupBarrier();
  if (lane < 8u && i < count) {
    var sum = vec4f();
    for (var s = lane; s < 64u; s += 8u) { sum += shares[s]; }
    let channel = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
    sum = select(vec4f(), sum, channel < vec4u(dims.channels));
    let at = (tap * dims.weight_rows + row) * dims.weight_quads + quad;
    set_dw(at, sum${accumulate ? " + dw(at)" : ""});
  }
}`,
  });
}
