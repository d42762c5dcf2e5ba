import { COMPONENTS, KEPT_TAPS, range, unroll } from "./blocked.ts";
import { joinedStore, type Joins } from "./joins.ts";
import { GATHER_DIMS, type GatherDims } from "./gathered_product.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import { type Form, PHASES } from "./phases.ts";
import { MOST_TAPS, positionPitch, productLayout, type ProductTile, weightPitch } from "./tiles.ts";

/**
 * The product of {@link gatheredProduct} by workgroup tiles. The reduction runs over all pairs of a
 * kept tap and a quad of channels, slice by slice: while a workgroup multiplies one slice out of
 * workgroup memory, the next is on its way to registers.
 */
export function tiledProduct(
  form: Form,
  tile: ProductTile,
  joins: Joins = { plus: false, gate: false },
): Kernel<string, "y", GatherDims> {
  const joined = joinedStore(joins);
  const { positions, channels, depth, rows, columns } = tile;
  const { down, across, invocations } = productLayout(tile);
  const slice = depth / 4;
  const quads = channels / 4;
  const pitch = { x: positionPitch(tile), w: weightPitch(tile) };
  const staged = { x: positions * slice / invocations, w: depth * quads / invocations };

  const gathered = (m: number): string =>
    `let p${m} = first + lane / ${slice}u + ${m * invocations / slice}u;
  let y${m} = i32((p${m} / window.grid.x) % window.grid.y * scale()) + window.offset.y;
  // Beyond the last image, a column that no offset brings back inside.
  let x${m} = select(i32(p${m} % window.grid.x * scale()) + window.offset.x, -65536, p${m} >= end);
  let base${m} = p${m} / (window.grid.x * window.grid.y) * dims.in_height;`;
  const loadX = (m: number): string =>
    `let iy${m} = u32(y${m} + i32(xt.y) * step);
    let ix${m} = u32(x${m} + i32(xt.x) * step);
    let inside${m} = xt.w < depth && iy${m} < dims.in_height && ix${m} < dims.in_width;
    let at${m} = ((base${m} + iy${m}) * dims.in_width + ix${m}) * dims.in_quads + xt.z;
    let v${m} = select(vec4f(), x(select(0u, at${m}, inside${m})), inside${m});`;
  const storeX = (m: number): string =>
    `x_tile[(lane % ${slice}u) * ${pitch.x}u + lane / ${slice}u + ${
      m * invocations / slice
    }u] = v${m};`;

  // What the m-th staged vec4 of weights is: a quad of the slice, a row in it, a quad of outputs.
  const w = form === "outer"
    ? (m: number) => ({
      quad: `(lane / ${quads}u + ${m * invocations / quads}u) / 4u`,
      row: `(lane / ${quads}u + ${m * invocations / quads}u) % 4u`,
      out: `lane % ${quads}u`,
    })
    : (m: number) => ({
      quad: `lane / 4u % ${slice}u`,
      row: `lane % 4u`,
      out: `lane / ${depth}u + ${m * invocations / depth}u`,
    });
  const loadW = (m: number): string => {
    const { quad, row, out } = w(m);
    return form === "outer"
      ? `let wt${m} = tap_at(s * ${slice}u + ${quad}, reciprocal);
    let row${m} = wt${m}.z * 4u + ${row};
    let real${m} = wt${m}.w < depth && row${m} < dims.weight_rows && first_quad + ${out} < out_quads;
    let wat${m} = (number_of(window, wt${m}.xy) * dims.weight_rows + row${m}) * dims.weight_quads + first_quad + ${out};
    let g${m} = select(vec4f(), w(select(0u, wat${m}, real${m})), real${m});`
      : `let wt${m} = tap_at(s * ${slice}u + ${quad}, reciprocal);
    let row${m} = (first_quad + ${out}) * 4u + ${row};
    let real${m} = wt${m}.w < depth && row${m} < dims.weight_rows;
    let wat${m} = (number_of(window, wt${m}.xy) * dims.weight_rows + row${m}) * dims.weight_quads + wt${m}.z;
    let g${m} = select(vec4f(), w(select(0u, wat${m}, real${m})), real${m});`;
  };
  const storeW = (m: number): string => {
    const { quad, row, out } = w(m);
    return `w_tile[(${quad} * 4u + ${row}) * ${pitch.w}u + ${out}] = g${m};`;
  };

  const products = (i: number, j: number): string => {
    const factor = (u: number): string =>
      form === "outer"
        ? `w${j}_${u}`
        : `vec4f(${range(4).map((r) => `w${j}_${r}.${COMPONENTS[u]}`).join(", ")})`;
    return range(4).map((u) =>
      `s${i}_${j} = fma(vec4f(u${i}.${COMPONENTS[u]}), ${factor(u)}, s${i}_${j});`
    ).join(" ");
  };
  const store = (i: number): string =>
    `{
    let p = first + lane / ${across}u + ${i * down}u;
    if (p < end) {
      let b = p % window.grid.x;
      let a = (p / window.grid.x) % window.grid.y;
      let n = p / (window.grid.x * window.grid.y);
      let at = ((n * dims.out_height + a * out_scale() + window.out.y) * dims.out_width
        + b * out_scale() + window.out.x) * out_quads;
      ${
      unroll(columns, (j) =>
        `if (quad${j} < out_quads) {
        let kept = vec4u(quad${j} * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.out_channels);
        set_y(at + quad${j}, ${joined.value(`select(vec4f(), s${i}_${j}, kept)`, `at + quad${j}`)});
      }`)
    }
    }
  }`;

  return defineKernel({
    name: `${form} product by tiles ${tile.name}${joined.suffix}`,
    workgroupSize: invocations,
    reads: { x: "bulk", w: "bulk", ...joined.reads },
    writes: { y: "bulk" },
    dims: GATHER_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${PHASES[form]}
// t + 256 s of each tap (s, t) that is kept.
var<workgroup> kept_taps: array<u32, ${MOST_TAPS}>;
var<workgroup> x_tile: array<vec4f, ${slice * pitch.x}>;
var<workgroup> w_tile: array<vec4f, ${depth * pitch.w}>;

fn number_of(window: Window, tap: vec2u) -> u32 {
  let of_kernel = window.tap + tap * tap_step();
  return of_kernel.y * dims.kernel_width + of_kernel.x;
}

// The t and s of the tap of quad k of the reduction, its quad of channels, and k. The half keeps
// the rounded quotient on the right side of a whole number.
fn tap_at(k: u32, reciprocal: f32) -> vec4u {
  let ordinal = u32((f32(k) + 0.5) * reciprocal);
  let t = kept_taps[min(ordinal, ${MOST_TAPS - 1}u)];
  return vec4u(t & 255u, t >> 8u, k - ordinal * dims.in_quads, k);
}

fn main(workgroup: u32, lane: u32) {
  // workgroup = (phase * groups + group of ${positions} positions) * blocks + block of ${channels} channels
  let out_quads = (dims.out_channels + 3u) / 4u;
  let blocks = (out_quads + ${quads - 1}u) / ${quads}u;
  let group = phase_of(workgroup / blocks, dims.groups);
  let window = window_of(group.x);
  let first = group.y * ${positions}u;
  let first_quad = workgroup % blocks * ${quads}u;
  let end = dims.batch * window.grid.y * window.grid.x;
  let reciprocal = 1.0 / f32(dims.in_quads);
  workgroupBarrier();
  var kept = 0u;
  var tap = vec2u();
  for (var i = 0u; i < window.taps.y * window.taps.x; i++) {
    if (kept_tap(number_of(window, tap))) {
      if (lane == 0u) { kept_taps[kept] = tap.x + tap.y * 256u; }
      kept += 1u;
    }
    tap.x += 1u;
    if (tap.x == window.taps.x) { tap = vec2u(0u, tap.y + 1u); }
  }
  let depth = kept * dims.in_quads;
  workgroupBarrier();
  ${unroll(staged.x, gathered)}
  ${unroll(rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  let slices = (depth + ${slice - 1}u) / ${slice}u;
  // One more round than slices: each loads slice s and multiplies slice s - 1.
  for (var s = 0u; s <= slices; s++) {
    let xt = tap_at(s * ${slice}u + lane % ${slice}u, reciprocal);
    ${unroll(staged.x, loadX)}
    ${unroll(staged.w, loadW)}
    if (s > 0u) {
      for (var c = 0u; c < ${slice}u; c++) {
        let x_at = c * ${pitch.x}u + lane / ${across}u;
        let w_at = c * ${4 * pitch.w}u + lane % ${across}u;
        ${unroll(rows, (i) => `let u${i} = x_tile[x_at + ${i * down}u];`)}
        ${
      unroll(columns, (j) =>
        unroll(4, (u) =>
          `let w${j}_${u} = w_tile[w_at + ${u * pitch.w + j * across}u];`) +
        "\n" +
        unroll(rows, (i) =>
          products(i, j)))
    }
      }
    }
    workgroupBarrier();
    ${unroll(staged.x, storeX)}
    ${unroll(staged.w, storeW)}
    workgroupBarrier();
  }
  ${unroll(columns, (j) => `let quad${j} = first_quad + lane % ${across}u + ${j * across}u;`)}
  ${unroll(rows, store)}
}`,
  });
}
