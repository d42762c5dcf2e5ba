import { COMPONENTS, KEPT_TAPS, range, unroll } from "./blocked.ts";
import { joinedStore, type Joins } from "./joins.ts";
import { GATHER_DIMS, type GatherDims } from "./gathered_product.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import { type Form, PHASES } from "./phases.ts";
import { MOST_TAPS, productLayout, type ProductTile, stagedProduct } from "./tiles.ts";
import { laneGrid } from "./workgroup_lanes.ts";

/** How the reduction of a tiled product is walked, and what its result is joined with. */
export interface TiledProduct {
  /** Whether the quads of x are a multiple of the slice: then a slice lies within one tap. */
  readonly aligned: boolean;
  readonly joins?: Joins;
  /** WGSL of the phases, and what they are called, where they are not those of the form. */
  readonly phases?: { readonly name: string; readonly wgsl: string };
}

/**
 * The product of {@link gatheredProduct} by workgroup tiles. The reduction runs over all pairs of a
 * kept tap and a quad of channels, slice by slice: while a workgroup multiplies one slice out of
 * workgroup memory, the next is on its way to registers.
 */
export function tiledProduct(
  form: Form,
  tile: ProductTile,
  { aligned, joins = { plus: false, gate: false }, phases }: TiledProduct,
): Kernel<string, "y", GatherDims> {
  const joined = joinedStore(joins);
  const { positions, channels, depth, rows, columns } = tile;
  const { down, across, invocations } = productLayout(tile);
  const { row, column } = laneGrid(down, across);
  const slice = depth / 4;
  const quads = channels / 4;
  const staged = { x: positions * slice / invocations, w: depth * quads / invocations };
  const { x: xTile, w: wTile } = stagedProduct(tile);

  // The m-th position that this invocation stages.
  const place = (m: number): string => `lane / ${slice}u + ${m * invocations / slice}u`;
  const gathered = (m: number): string =>
    `let p${m} = first + ${place(m)};
  let y${m} = i32((p${m} / window.grid.x) % window.grid.y * scale()) + window.offset.y;
  // Beyond the last image, a column that no offset brings back inside.
  let x${m} = select(i32(p${m} % window.grid.x * scale()) + window.offset.x, -65536, p${m} >= end);
  let base${m} = p${m} / (window.grid.x * window.grid.y) * dims.in_height;`;
  // Where x is for tap (t, s) of \`tap\`, and whether it is inside its image.
  const pixel = (m: number): string =>
    `let iy${m} = u32(y${m} + i32(tap.y) * step);
    let ix${m} = u32(x${m} + i32(tap.x) * step);`;
  const isInside = (m: number): string => `iy${m} < dims.in_height && ix${m} < dims.in_width`;
  const start = (m: number): string =>
    `((base${m} + iy${m}) * dims.in_width + ix${m}) * dims.in_quads`;

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
  // Row and column of the filter of a tap, for the quad \`k\` of the reduction's channels.
  const weight = (m: number, k: string): { row: string; quad: string; inside: string } => {
    const { row, out } = w(m);
    return form === "outer"
      ? {
        row: `(${k}) * 4u + ${row}`,
        quad: `first_quad + ${out}`,
        inside: `first_quad + ${out} < out_quads && `,
      }
      : { row: `(first_quad + ${out}) * 4u + ${row}`, quad: k, inside: "" };
  };
  const loadW = (m: number, { k, number, real }: Record<"k" | "number" | "real", string>) => {
    const { row, quad, inside } = weight(m, k);
    return `let row${m} = ${row};
    let real${m} = ${real} && ${inside}row${m} < dims.weight_rows;
    let wat${m} = (${number} * dims.weight_rows + row${m}) * dims.weight_quads + ${quad};
    let g${m} = select(vec4f(), w(select(0u, wat${m}, real${m})), real${m});`;
  };

  const packed = {
    before: `let reciprocal = 1.0 / f32(dims.in_quads);
  let slices = (kept * dims.in_quads + ${slice - 1}u) / ${slice}u;`,
    load: `let xt = tap_at(s * ${slice}u + lane % ${slice}u, reciprocal);
    let tap = xt.xy;
    ${
      unroll(staged.x, (m) =>
        `${pixel(m)}
    let inside${m} = xt.w < kept * dims.in_quads && ${isInside(m)};
    let v${m} = select(vec4f(), x(select(0u, ${start(m)} + xt.z, inside${m})), inside${m});`)
    }
    ${
      unroll(staged.w, (m) =>
        `let wt${m} = tap_at(s * ${slice}u + ${w(m).quad}, reciprocal);
    ${
          loadW(m, {
            k: `wt${m}.z`,
            number: `number_of(window, wt${m}.xy)`,
            real: `wt${m}.w < kept * dims.in_quads`,
          })
        }`)
    }`,
  };
  const walked = {
    before: `let slices = kept * (dims.in_quads / ${slice}u);
  // The quads before the slice to load, of the tap with the number \`number\` in the filter.
  var c = 0u;
  var ordinal = 0u;
  var number = 0u;
  ${unroll(staged.x, (m) => `var inside${m} = false; var at${m} = 0u;`)}`,
    load: `if (c == dims.in_quads) { c = 0u; ordinal += 1u; }
    let more = ordinal < kept;
    if (c == 0u) {
      let t = kept_taps[min(ordinal, ${MOST_TAPS - 1}u)];
      let tap = vec2u(t & 255u, t >> 8u);
      number = number_of(window, tap);
      ${
      unroll(staged.x, (m) =>
        `${pixel(m)}
      inside${m} = more && ${isInside(m)};
      at${m} = ${start(m)} + lane % ${slice}u;`)
    }
    }
    ${
      unroll(staged.x, (m) =>
        `let v${m} = select(vec4f(), x(select(0u, at${m} + c, inside${m})), inside${m});`)
    }
    ${unroll(staged.w, (m) => loadW(m, { k: `c + ${w(m).quad}`, number: "number", real: "more" }))}
    c += ${slice}u;`,
  };
  const { before, load } = aligned ? walked : packed;

  const storeX = (m: number): string =>
    `${
      xTile.at({
        row: `(${place(m)}) / ${down}u`,
        quad: `lane % ${slice}u`,
        lane: `(${place(m)}) % ${down}u`,
      })
    } = v${m};`;
  const storeW = (m: number): string => {
    const { quad, row, out } = w(m);
    return `${
      wTile.at({
        column: `(${out}) / ${across}u`,
        quad,
        row,
        lane: `(${out}) % ${across}u`,
      })
    } = g${m};`;
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
  const multiply = (c: string): string =>
    `${unroll(rows, (i) => `let u${i} = ${xTile.at({ row: `${i}`, quad: c, lane: "lane_row" })};`)}
        ${
      unroll(columns, (j) =>
        unroll(4, (u) =>
          `let w${j}_${u} = ${
            wTile.at({ column: `${j}`, quad: c, row: `${u}`, lane: "lane_column" })
          };`) +
        "\n" +
        unroll(rows, (i) =>
          products(i, j)))
    }`;
  const store = (i: number): string =>
    `{
    let p = first + lane_row + ${i * down}u;
    if (p < end) {
      var pixel = p;
      if (!in_order()) {
        let b = p % window.grid.x;
        let a = (p / window.grid.x) % window.grid.y;
        let n = p / (window.grid.x * window.grid.y);
        pixel = (n * dims.out_height + a * out_scale() + window.out.y) * dims.out_width
          + b * out_scale() + window.out.x;
      }
      let at = pixel * out_quads;
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
    name: `${form} product by tiles ${tile.name}${phases ? `, ${phases.name}` : ""}${
      aligned ? "" : ", packed"
    }${joined.suffix}`,
    workgroupSize: invocations,
    reads: { x: "bulk", w: "bulk", ...joined.reads },
    writes: { y: "bulk" },
    dims: GATHER_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${phases?.wgsl ?? PHASES[form]}
// t + 256 s of each tap (s, t) that is kept.
var<workgroup> kept_taps: array<u32, ${MOST_TAPS}>;
${xTile.declared}
${wTile.declared}

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
  let lane_row = ${row};
  let lane_column = ${column};
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
  workgroupBarrier();
  ${unroll(staged.x, gathered)}
  ${unroll(rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  ${before}
  // One more round than slices: each loads slice s and multiplies slice s - 1.
  for (var s = 0u; s <= slices; s++) {
    ${load}
    if (s > 0u) {
      ${unroll(slice, (c) => `{ ${multiply(`${c}`)} }`)}
    }
    workgroupBarrier();
    ${unroll(staged.x, storeX)}
    ${unroll(staged.w, storeW)}
    workgroupBarrier();
  }
  ${unroll(columns, (j) => `let quad${j} = first_quad + lane_column + ${j * across}u;`)}
  ${unroll(rows, store)}
}`,
  });
}
