import { defineKernel, type Kernel } from "./kernel.ts";

/** 0, 1, …, n - 1. */
function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Joins what `f` gives for 0, 1, …, n - 1 by line breaks. */
function unroll(n: number, f: (i: number) => string): string {
  return range(n).map(f).join("\n");
}

const LANES = "xyzw";

// Bit `tap` of a 64-bit mask says whether the spatial mask of a masked convolution keeps that tap.
const KEPT_TAPS = /* wgsl */ `
fn kept_tap(tap: u32) -> bool {
  return ((select(dims.taps_low, dims.taps_high, tap >= 32u) >> (tap & 31u)) & 1u) == 1u;
}`;

/** Names of the numbers that a gathered product takes. */
export type GatherDims =
  | "batch"
  | "grid_height"
  | "grid_width"
  | "groups"
  | "in_height"
  | "in_width"
  | "in_quads"
  | "in_stride"
  | "scale"
  | "offset_y"
  | "offset_x"
  | "step"
  | "taps_y"
  | "taps_x"
  | "tap_y"
  | "tap_x"
  | "tap_step"
  | "kernel_width"
  | "weight_rows"
  | "weight_quads"
  | "out_height"
  | "out_width"
  | "out_channels"
  | "out_scale"
  | "out_y"
  | "out_x"
  | "taps_low"
  | "taps_high";

/**
 * The blocked product that convolution and linear layers share. Over a grid of positions (a, b),
 *
 *     y[out_y + a·out_scale, out_x + b·out_scale, :]
 *       = Σ_(s,t) x[a·scale + offset_y + s·step, b·scale + offset_x + t·step, :] · w(s, t)
 *
 * with w(s, t) the weights of tap (tap_y + s·tap_step, tap_x + t·tap_step), and x zero outside.
 * Forward convolution and each phase of the input gradient are of this form. One invocation holds
 * `rows` consecutive positions times `columns` vec4 of channels in registers.
 *
 * `outer`: w(s, t) maps inputs to outputs as stored, `[weight_rows][weight_quads]`: y_o = Σ_i x_i w_io.
 * `inner`: w(s, t) is used transposed, the reduction runs along its vec4: y_i = Σ_o x_o w_io.
 */
export function gatheredProduct(
  form: "outer" | "inner",
  { rows, columns, lanes, shallow }: {
    rows: number;
    columns: number;
    lanes: number;
    /** Whether x has at most four channels, as images have: then the loop over them goes. */
    shallow: boolean;
  },
): Kernel<"x" | "w", "y", GatherDims> {
  const position = (i: number): string =>
    i === 0
      ? `let b0 = first % dims.grid_width;
         let a0 = (first / dims.grid_width) % dims.grid_height;
         let n0 = first / (dims.grid_width * dims.grid_height);`
      : `let right${i} = b${i - 1} + 1u == dims.grid_width;
         let b${i} = select(b${i - 1} + 1u, 0u, right${i});
         let down${i} = right${i} && a${i - 1} + 1u == dims.grid_height;
         let a${i} = select(a${i - 1} + select(0u, 1u, right${i}), 0u, down${i});
         let n${i} = n${i - 1} + select(0u, 1u, down${i});`;
  const corner = (i: number): string =>
    `let y${i} = i32(a${i} * dims.scale) + dims.offset_y;
     let x${i} = select(i32(b${i} * dims.scale) + dims.offset_x, -65536, n${i} >= dims.batch);
     let base${i} = n${i} * dims.in_height;`;
  const address = (i: number): string =>
    `let iy${i} = u32(y${i} + sy);
     let ix${i} = u32(x${i} + sx);
     let inside${i} = iy${i} < dims.in_height && ix${i} < dims.in_width${
      shallow ? " && kept_tap(tap)" : ""
    };
     let at${i} = select(0u, ((base${i} + iy${i}) * dims.in_width + ix${i}) * dims.in_stride, inside${i});
     let keep${i} = select(0.0, 1.0, inside${i});`;
  const load = (i: number): string => `let v${i} = x(at${i} + c) * keep${i};`;
  // A sum stays in a register over the four products of a vec4 of inputs: w${u}_${j} is row u of
  // column j, and each of its sums takes them one after the other.
  const products = (i: number, j: number, w: (u: number) => string): string =>
    `s${i}_${j} = fma(vec4f(v${i}.x), ${w(0)}, fma(vec4f(v${i}.y), ${w(1)},
       fma(vec4f(v${i}.z), ${w(2)}, fma(vec4f(v${i}.w), ${w(3)}, s${i}_${j}))));`;
  const outer = `let at = weights + c * 4u * dims.weight_quads;\n` +
    unroll(
      columns,
      (j) =>
        unroll(4, (u) => `let w${j}_${u} = w(at + ${u}u * dims.weight_quads + column${j});`) +
        "\n" +
        unroll(rows, (i) => products(i, j, (u) => `w${j}_${u}`)),
    );
  const inner = unroll(
    columns,
    (j) =>
      unroll(
        4,
        (r) =>
          `let w${j}_${r} = w(weights + min(${j * 4 + r}u, last_row) * dims.weight_quads + c);`,
      ) +
      "\n" +
      unroll(
        4,
        (u) =>
          `let t${j}_${u} = vec4f(${range(4).map((r) => `w${j}_${r}.${LANES[u]}`).join(", ")});`,
      ) +
      "\n" +
      unroll(rows, (i) => products(i, j, (u) => `t${j}_${u}`)),
  );
  const body = `${unroll(rows, load)}\n${form === "outer" ? outer : inner}`;
  const weights = form === "outer"
    ? "tap * dims.weight_rows * dims.weight_quads + quad"
    : "(tap * dims.weight_rows + quad * 4u) * dims.weight_quads";
  const store = (i: number): string =>
    `if (n${i} < dims.batch) {
       let at = ((n${i} * dims.out_height + a${i} * dims.out_scale + dims.out_y) * dims.out_width
         + b${i} * dims.out_scale + dims.out_x) * out_quads + quad;
       ${
      range(columns).map((j) =>
        `if (${j}u <= last) { set_y(at + ${j}u, select(vec4f(), s${i}_${j}, kept${j})); }`
      ).join("\n")
    }
     }`;
  return defineKernel({
    name: `${form} product ${rows}x${columns * 4}${shallow ? ", shallow" : ""}`,
    workgroupSize: lanes,
    reads: { x: "bulk", w: "bulk" },
    writes: { y: "bulk" },
    dims: {
      batch: "u32",
      grid_height: "u32",
      grid_width: "u32",
      groups: "u32",
      in_height: "u32",
      in_width: "u32",
      in_quads: "u32",
      in_stride: "u32",
      scale: "u32",
      offset_y: "i32",
      offset_x: "i32",
      step: "i32",
      taps_y: "u32",
      taps_x: "u32",
      tap_y: "u32",
      tap_x: "u32",
      tap_step: "u32",
      kernel_width: "u32",
      weight_rows: "u32",
      weight_quads: "u32",
      out_height: "u32",
      out_width: "u32",
      out_channels: "u32",
      out_scale: "u32",
      out_y: "u32",
      out_x: "u32",
      taps_low: "u32",
      taps_high: "u32",
    },
    wgsl: /* wgsl */ `
${KEPT_TAPS}
fn main(workgroup: u32, lane: u32) {
  // workgroup = block of channels * groups + group of ${rows * lanes} positions
  let first = ((workgroup % dims.groups) * ${lanes}u + lane) * ${rows}u;
  let quad = (workgroup / dims.groups) * ${columns}u;
  let out_quads = (dims.out_channels + 3u) / 4u;
  let last = out_quads - 1u - quad;
  ${unroll(columns, (j) => `let column${j} = min(${j}u, last);`)}
  let last_row = dims.weight_rows - 1u - min(quad * 4u, dims.weight_rows - 1u);
  ${unroll(rows, position)}
  ${unroll(rows, corner)}
  ${unroll(rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  // One loop over taps and one over inputs: each loop level copies all sums once.
  let taps = dims.taps_y * dims.taps_x;
  var ty = 0u;
  var tx = 0u;
  for (var t = 0u; t < taps; t++) {
    let tap = (dims.tap_y + ty * dims.tap_step) * dims.kernel_width + dims.tap_x + tx * dims.tap_step;
    let sy = i32(ty) * dims.step;
    let sx = i32(tx) * dims.step;
    ${unroll(rows, address)}
    let weights = ${weights};
    ${
      shallow
        ? `let c = 0u;
    ${body}`
        : `let depth = select(0u, dims.in_quads, kept_tap(tap));
    for (var c = 0u; c < depth; c++) {
      ${body}
    }`
    }
    tx += 1u;
    let last_column = tx == dims.taps_x;
    tx = select(tx, 0u, last_column);
    ty += select(0u, 1u, last_column);
  }
  let channel = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
  ${
      unroll(
        columns,
        (j) => `let kept${j} = channel + vec4u(${j * 4}u) < vec4u(dims.out_channels);`,
      )
    }
  ${unroll(rows, store)}
}`,
  });
}

/** Names of the numbers that a weight gradient takes. */
export type WeightGradientDims =
  | "in_height"
  | "in_width"
  | "in_stride"
  | "in_quads"
  | "out_height"
  | "out_width"
  | "out_quads"
  | "stride"
  | "padding"
  | "kernel_height"
  | "kernel_width"
  | "batch"
  | "splits"
  | "taps_low"
  | "taps_high";

/**
 * Partial sums of a weight gradient. For each tap (s, t) and each of `splits` runs of image rows,
 *
 *     part[split, s, t, i, o] = Σ_(n,a,b) x[n, a·stride + s - padding, b·stride + t - padding, i] · dy[n, a, b, o]
 *
 * One invocation holds `inputs` x `outputs` vec4 (16·inputs·outputs sums) of one tap in registers,
 * and only visits positions whose x lies inside the image.
 */
export function weightGradient(
  { inputs, outputs, lanes }: { inputs: number; outputs: number; lanes: number },
): Kernel<"x" | "dy", "part", WeightGradientDims> {
  return defineKernel({
    name: `weight gradient ${inputs * 4}x${outputs * 4}`,
    workgroupSize: lanes,
    reads: { x: "bulk", dy: "bulk" },
    writes: { part: "bulk" },
    dims: {
      in_height: "u32",
      in_width: "u32",
      in_stride: "u32",
      in_quads: "u32",
      out_height: "u32",
      out_width: "u32",
      out_quads: "u32",
      stride: "u32",
      padding: "u32",
      kernel_height: "u32",
      kernel_width: "u32",
      batch: "u32",
      splits: "u32",
      taps_low: "u32",
      taps_high: "u32",
    },
    wgsl: /* wgsl */ `
${KEPT_TAPS}
// The positions a with 0 <= a * stride + tap - padding < size.
fn inside(tap: u32, size: u32, positions: u32) -> vec2u {
  let low = (max(dims.padding, tap) - tap + dims.stride - 1u) / dims.stride;
  let high = (size + dims.padding + dims.stride - 1u - min(tap, size + dims.padding)) / dims.stride;
  return vec2u(low, max(low, min(high, positions)));
}

fn main(workgroup: u32, lane: u32) {
  let in_blocks = (dims.in_quads + ${inputs - 1}u) / ${inputs}u;
  let out_blocks = (dims.out_quads + ${outputs - 1}u) / ${outputs}u;
  let id = workgroup * ${lanes}u + lane;
  let in_quad = (id % in_blocks) * ${inputs}u;
  let out_quad = ((id / in_blocks) % out_blocks) * ${outputs}u;
  let taps = dims.kernel_height * dims.kernel_width;
  let tap = (id / (in_blocks * out_blocks)) % taps;
  let split = id / (in_blocks * out_blocks * taps);
  let live = split < dims.splits;
  let ty = tap / dims.kernel_width;
  let tx = tap % dims.kernel_width;
  let in_last = dims.in_quads - 1u - in_quad;
  let out_last = dims.out_quads - 1u - out_quad;
  ${unroll(inputs, (i) => `let in${i}_at = min(${i}u, in_last);`)}
  ${unroll(outputs, (j) => `let out${j}_at = min(${j}u, out_last);`)}
  let rows = inside(ty, dims.in_height, dims.out_height);
  let columns = inside(tx, dims.in_width, dims.out_width);
  ${unroll(inputs * 4, (i) => range(outputs).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  // The positions of this split, out of those whose x lies inside: b first, then a, then images.
  let across = columns.y - columns.x;
  let down = rows.y - rows.x;
  let total = select(0u, dims.batch * down * across, live && kept_tap(tap));
  let share = ((total + dims.splits - 1u) / dims.splits + 3u) & ~3u;
  let begin = min(split * share, total);
  let count = min(share, total - begin);
  var b = columns.x + begin % max(across, 1u);
  var a = rows.x + (begin / max(across, 1u)) % max(down, 1u);
  let n = begin / max(across * down, 1u);
  let y = a * dims.stride + ty - dims.padding;
  var x_at = ((n * dims.in_height + y) * dims.in_width + b * dims.stride + tx - dims.padding)
    * dims.in_stride + in_quad;
  var dy_at = ((n * dims.out_height + a) * dims.out_width + b) * dims.out_quads + out_quad;
  // What the addresses grow by to the next position, next row, next image.
  let x_next = dims.stride * dims.in_stride;
  let x_row = (dims.stride * dims.in_width - (across - 1u) * dims.stride) * dims.in_stride;
  let x_image = x_row + (dims.in_height - down * dims.stride) * dims.in_width * dims.in_stride;
  let dy_row = (dims.out_width - across + 1u) * dims.out_quads;
  let dy_image = dy_row + (dims.out_height - down) * dims.out_width * dims.out_quads;
  // Four positions at a time, so that a sum stays in a register over four products.
  for (var k = 0u; k < count; k += 4u) {
    ${
      unroll(4, (p) =>
        `let in${p} = k + ${p}u < count;
    let x${p} = select(in_quad, x_at, in${p});
    let y${p} = select(out_quad, dy_at, in${p});
    ${unroll(inputs, (i) => `let v${i}_${p} = x(x${p} + in${i}_at);`)}
    ${
          unroll(outputs, (j) =>
            p === 0
              ? `let g${j}_0 = dy(y0 + out${j}_at);`
              : `let g${j}_${p} = select(vec4f(), dy(y${p} + out${j}_at), in${p});`)
        }
    b += 1u;
    let right${p} = b == columns.y;
    b = select(b, columns.x, right${p});
    a += select(0u, 1u, right${p});
    let low${p} = a == rows.y;
    a = select(a, rows.x, low${p});
    x_at += select(x_next, select(x_row, x_image, low${p}), right${p});
    dy_at += select(dims.out_quads, select(dy_row, dy_image, low${p}), right${p});`)
    }
    ${
      unroll(inputs * 4, (i) =>
        range(outputs).map((j) => {
          const v = (p: number): string => `vec4f(v${i >> 2}_${p}.${LANES[i & 3]}), g${j}_${p}`;
          return `s${i}_${j} = fma(${v(0)}, fma(${v(1)}, fma(${v(2)}, fma(${v(3)}, s${i}_${j}))));`;
        }).join("\n"))
    }
  }
  if (live) {
    let at = (split * taps + tap) * dims.in_quads * 4u;
    ${
      unroll(inputs * 4, (i) =>
        `if (${i >> 2}u <= in_last) {
      ${
          range(outputs).map((j) =>
            `if (${j}u <= out_last) { set_part((at + in_quad * 4u + ${i}u) * dims.out_quads + out_quad + ${j}u, s${i}_${j}); }`
          ).join("\n")
        }
    }`)
    }
  }
}`,
  });
}

/**
 * Adds up the partial sums of a weight gradient into the prefix slice
 * `[taps][rows of weight_rows][part_quads of weight_quads]` of a gradient, which it sets or, with
 * `accumulate`, adds to.
 */
export function sumParts(accumulate: boolean): Kernel<
  "part",
  "dw",
  | "taps"
  | "part_rows"
  | "part_quads"
  | "rows"
  | "channels"
  | "weight_rows"
  | "weight_quads"
  | "splits"
> {
  return defineKernel({
    name: `sum of weight gradients${accumulate ? ", added" : ""}`,
    workgroupSize: 64,
    reads: { part: "bulk" },
    writes: { dw: accumulate ? "update" : "bulk" },
    dims: {
      taps: "u32",
      part_rows: "u32",
      part_quads: "u32",
      rows: "u32",
      channels: "u32",
      weight_rows: "u32",
      weight_quads: "u32",
      splits: "u32",
    },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * 64u + lane;
  let quad = i % dims.part_quads;
  let row = (i / dims.part_quads) % dims.rows;
  let tap = i / (dims.part_quads * dims.rows);
  if (tap >= dims.taps) { return; }
  let stride = dims.taps * dims.part_rows * dims.part_quads;
  var sum = vec4f();
  for (var split = 0u; split < dims.splits; split++) {
    sum += part(split * stride + (tap * dims.part_rows + row) * dims.part_quads + quad);
  }
  let channel = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
  sum = select(vec4f(), sum, channel < vec4u(dims.channels));
  let at = (tap * dims.weight_rows + row) * dims.weight_quads + quad;
  set_dw(at, sum${accumulate ? " + dw(at)" : ""});
}`,
  });
}
