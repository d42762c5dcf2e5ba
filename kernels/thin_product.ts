import { across, COMPONENTS, dot, FLOATS, KEPT_TAPS, loadShared, unroll } from "./blocked.ts";
import { joinedStore, type Joins } from "./joins.ts";
import { GATHER_DIMS, type GatherDims } from "./gathered_product.ts";
import { defineKernel, type Kernel } from "./kernel.ts";
import { PHASES } from "./phases.ts";
import { destinations, positions } from "./positions.ts";

/**
 * The `inner` product of {@link gatheredProduct} for at most four channels of outputs, as of the
 * gradient of an image, where loads of x cost more than the products. It needs a grid as large as x
 * in each phase: then what the next position takes from x for one tap is what this position takes for
 * another, and `rows` positions load `rows + taps - 1` pixels for all `taps` of a row at once.
 */
export function thinProduct(
  { rows, channels, taps, lanes, broadcast, joins }: {
    rows: number;
    /** Of y, at most four. */
    channels: number;
    /** Taps in a row of the kernel, those of the phase that has most. */
    taps: number;
    lanes: number;
    broadcast: number;
    joins: Joins;
  },
): Kernel<string, "y", GatherDims> {
  const joined = joinedStore(joins);
  const pixels = rows + taps - 1;
  const sum = FLOATS[channels - 1];
  const rest = ", 0.0".repeat(4 - channels);
  const keep = (i: number): string =>
    unroll(taps, (t) =>
      `let keep${i}_${t} = select(0.0, 1.0, u32(y${i} + sy) < dims.in_height
        && u32(x${i} - ${t}) < dims.in_width && kept${t});`);
  const tapProducts = (t: number): string => {
    const weights = unroll(4, (u) => `let t${t}_${u} = ${across("w", t * channels, u, channels)};`);
    const products = unroll(rows, (i) =>
      `let v${i}_${t} = p${i + taps - 1 - t} * keep${i}_${t};
      s${i} += ${dot(4, (u) => `v${i}_${t}.${COMPONENTS[u]}`, (u) => `t${t}_${u}`, sum)};`);
    return `${weights}\n${products}`;
  };
  return defineKernel({
    name: `inner product ${rows}x${channels}, ${taps} taps${joined.suffix}`,
    workgroupSize: lanes,
    subgroup: broadcast > 0,
    reads: { x: "bulk", w: "bulk", ...joined.reads },
    writes: { y: "bulk" },
    dims: GATHER_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${PHASES.inner}
fn main(workgroup: u32, lane: u32) {
  // workgroup = phase * groups + group of ${rows * lanes} positions
  let group = phase_of(workgroup, dims.groups);
  let first = (group.y * ${lanes}u + lane) * ${rows}u;
  let window = window_of(group.x);
  let quad = 0u;
  let out_quads = 1u;
  ${positions(rows)}
  ${unroll(rows, (i) => `var s${i} = ${sum}();`)}
  let total = i32(dims.batch * dims.in_height * dims.in_width);
  for (var s = 0u; s < window.taps.y; s++) {
    let sy = -i32(s);
    let tap = (window.tap.y + s * tap_step()) * dims.kernel_width + window.tap.x;
    ${
      unroll(taps, (t) =>
        `let kept${t} = ${t}u < window.taps.x && kept_tap(tap + ${t}u * tap_step());`)
    }
    ${unroll(rows, keep)}
    // All positions follow each other in x as well, from one row and image to the next.
    let low = (i32(n0 * dims.in_height) + y0 + sy) * i32(dims.in_width)
      + i32(b0) + window.offset.x - ${taps - 1};
    ${
      unroll(pixels, (k) =>
        `let at${k} = select(0u, u32(low + ${k}) * dims.in_quads, low + ${k} >= 0 && low + ${k} < total);`)
    }
    let weights = tap * dims.weight_rows * dims.weight_quads;
    let next_tap = tap_step() * dims.weight_rows * dims.weight_quads;
    for (var c = 0u; c < dims.in_quads; c++) {
      ${unroll(pixels, (k) => `let p${k} = x(at${k} + c);`)}
      ${
      loadShared(channels * taps, {
        name: "w",
        load: (i) =>
          `w(weights + min(${i} / ${channels}u, window.taps.x - 1u) * next_tap + (${i} % ${channels}u) * dims.weight_quads + c)`,
        broadcast,
      })
    }
      ${unroll(taps, tapProducts)}
    }
  }
  ${destinations(rows)}
  ${
      unroll(rows, (i) =>
        `if (n${i} < dims.batch) { set_y(to${i}, ${
          joined.value(`vec4f(s${i}${rest})`, `to${i}`)
        }); }`)
    }
}`,
  });
}
