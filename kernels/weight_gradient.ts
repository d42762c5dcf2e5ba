import { KEPT_TAPS, LANES, range, unroll } from "./blocked.ts";
import { defineKernel, type Kernel } from "./kernel.ts";

/** The numbers that a weight gradient takes. */
export const WEIGHT_GRADIENT_DIMS = {
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
} as const;

/** Their names. */
export type WeightGradientDims = keyof typeof WEIGHT_GRADIENT_DIMS;

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
    dims: WEIGHT_GRADIENT_DIMS,
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
  // Four positions at a time, added up before they join the sum, as in the gathered product.
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
          return `s${i}_${j} += fma(${v(0)}, fma(${v(1)}, fma(${v(2)}, ${
            v(3).replace(", ", " * ")
          })));`;
        }).join("\n"))
    }
  }
  if (live) {
    let at = ((split * taps + tap) * dims.in_quads + in_quad) * 4u * dims.out_quads + out_quad;
    for (var j = 0u; j < min(${outputs}u, dims.out_quads - out_quad); j++) {
      ${
      unroll(inputs * 4, (i) =>
        `if (${i >> 2}u <= in_last) { set_part(at + ${i}u * dims.out_quads + j, s${i}_0); }
      ${
          unroll(outputs - 1, (j) => `s${i}_${j} = s${i}_${j + 1};`)
        }`)
    }
    }
  }
}`,
  });
}

/** The numbers that the sum of partial sums takes. */
export const SUM_DIMS = {
  taps: "u32",
  part_rows: "u32",
  part_quads: "u32",
  rows: "u32",
  channels: "u32",
  weight_rows: "u32",
  weight_quads: "u32",
  splits: "u32",
} as const;

/**
 * Adds up the partial sums of a weight gradient into the prefix slice
 * `[taps][rows of weight_rows][part_quads of weight_quads]` of a gradient, which it sets or, with
 * `accumulate`, adds to.
 */
export function sumParts(accumulate: boolean): Kernel<"part", "dw", keyof typeof SUM_DIMS> {
  return defineKernel({
    name: `sum of weight gradients${accumulate ? ", added" : ""}`,
    workgroupSize: 64,
    reads: { part: "bulk" },
    writes: { dw: accumulate ? "update" : "bulk" },
    dims: SUM_DIMS,
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
