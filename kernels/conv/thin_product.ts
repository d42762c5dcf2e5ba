import {
  across,
  COMPONENTS,
  dot,
  FLOATS,
  KEPT_TAPS,
  loadShared,
  range,
  unroll,
  WIDEST_ROW,
} from "../wgsl/blocked.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import { defineAlgorithm } from "./algorithm.ts";
import { GEMM_DIMS, type GemmDims, type ProductAlgorithm, recordGemm } from "./gemm.ts";
import { quads } from "../gpu/tensor.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { PHASES, phasesOf } from "./phases.ts";
import { destinations, positions } from "./positions.ts";
import { isDense } from "./work.ts";
import { blockCost, registerBlocks } from "./register_blocks.ts";

/** The phase of columns of a tap, and the offset of its x in columns. */
function tapOf(t: number, { stride, padding }: { stride: number; padding: number }) {
  const phase = (t + stride - padding % stride) % stride;
  return { phase, shift: (phase + padding % stride - t) / stride };
}

/**
 * The input gradient for at most four channels of outputs, as of the gradient of an image, where
 * loads of x cost more than the products. It needs a grid as large as x in each phase: then what
 * the next position takes from x for one tap is what this position takes for another. `rows`
 * positions, in all phases of columns, load a few pixels more than `rows` for all `taps` of a row
 * at once. Phases are those of rows (`dims.phase_columns` is 1).
 */
function kernelOf(
  { rows, channels, taps, stride, padding, lanes, broadcast, epilogue }: {
    rows: number;
    /** Channels of y, at most four. */
    channels: number;
    /** Taps in a row of the kernel. */
    taps: number;
    stride: number;
    padding: number;
    lanes: number;
    broadcast: number;
    epilogue: Epilogue;
  },
): Kernel<string, "y", GemmDims> {
  const stored = epilogueStore(epilogue);
  const tap = range(taps).map((t) => tapOf(t, { stride, padding }));
  const shifts = [...new Set(tap.map(({ shift }) => shift))];
  const left = Math.min(...shifts);
  const pixels = rows + Math.max(...shifts) - left;
  const sum = FLOATS[channels - 1];
  const rest = ", 0.0".repeat(4 - channels);
  const keep = (i: number): string =>
    shifts.map((shift) =>
      `let keep${i}_${shift - left} = select(0.0, 1.0, u32(y${i} + sy) < dims.in_height
        && u32(x${i} + ${shift}) < dims.in_width);`
    ).join("\n");
  const pixelsOf = (i: number): string =>
    shifts.map((shift) =>
      `let v${i}_${shift - left} = p${i + shift - left} * keep${i}_${shift - left};`
    ).join("\n");
  const tapProducts = (t: number): string => {
    const { phase, shift } = tap[t];
    const weights = unroll(
      4,
      (u) =>
        `let t${t}_${u} = select(${sum}(), ${across("w", t * channels, u, channels)}, kept${t});`,
    );
    const products = unroll(
      rows,
      (i) =>
        `s${i}_${phase} += ${
          dot(4, (u) => `v${i}_${shift - left}.${COMPONENTS[u]}`, (u) => `t${t}_${u}`, sum)
        };`,
    );
    return `${weights}\n${products}`;
  };
  const sums = (f: (i: number, phase: number) => string): string =>
    unroll(rows, (i) => unroll(stride, (phase) => f(i, phase)));
  return defineKernel({
    name:
      `input gradient, thin product ${rows}x${stride}x${channels}, ${taps} taps from ${
        padding % stride
      }` +
      stored.suffix,
    workgroupSize: lanes,
    subgroup: broadcast > 0,
    reads: { x: "bulk", w: "bulk", ...stored.reads },
    writes: { y: "bulk" },
    dims: GEMM_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${PHASES["input gradient"]}
fn main(workgroup: u32, lane: u32) {
  // workgroup = phase * groups + group of ${rows * lanes} positions
  let group = phase_of(workgroup, dims.groups);
  let first = (group.y * ${lanes}u + lane) * ${rows}u;
  let window = window_of(group.x);
  let quad = 0u;
  let out_quads = 1u;
  ${positions(rows)}
  ${sums((i, phase) => `var s${i}_${phase} = ${sum}();`)}
  let total = i32(dims.batch * dims.in_height * dims.in_width);
  for (var s = 0u; s < window.taps.y; s++) {
    let sy = -i32(s);
    let tap = (window.tap.y + s * tap_step().y) * dims.kernel_width;
    ${unroll(taps, (t) => `let kept${t} = kept_tap(tap + ${t}u);`)}
    ${unroll(rows, keep)}
    // All positions follow each other in x as well, from one row and image to the next.
    let low = (i32(n0 * dims.in_height) + y0 + sy) * i32(dims.in_width)
      + i32(b0) + window.offset.x + ${left};
    ${
      unroll(pixels, (k) =>
        `let at${k} = select(0u, u32(low + ${k}) * dims.in_quads, low + ${k} >= 0 && low + ${k} < total);`)
    }
    let next_tap = dims.weight_rows * dims.weight_quads;
    let weights = tap * next_tap;
    for (var c = 0u; c < dims.in_quads; c++) {
      ${unroll(pixels, (k) => `let p${k} = x(at${k} + c);`)}
      ${
      loadShared(channels * taps, {
        name: "w",
        load: (i) =>
          `w(weights + (${i} / ${channels}u) * next_tap + (${i} % ${channels}u) * dims.weight_quads + c)`,
        broadcast,
      })
    }
      ${unroll(rows, pixelsOf)}
      ${unroll(taps, tapProducts)}
    }
  }
  ${destinations(rows)}
  ${
      sums((i, phase) =>
        `if (n${i} < dims.batch) { set_y(to${i} + ${phase}u, ${
          stored.value(`vec4f(s${i}_${phase}${rest})`, `to${i} + ${phase}u`)
        }); }`
      )
    }
}`,
    iterations: ({ kernel_height, in_quads }) => kernel_height * (in_quads + 2) + 1,
  });
}

/**
 * The input gradient of images: few channels, and a grid of positions that follows x in each phase.
 */
export const thinProduct: ProductAlgorithm = defineAlgorithm({
  name: "thin product",
  timed: false,
  guessed: true,
  applies: (_gpu, { direction, geometry: g }) => {
    const { rows } = phasesOf("input gradient", g);
    const follows = g.outHeight * rows === g.height && g.outWidth * g.stride[1] === g.width;
    return direction === "input gradient" && isDense(g) && !g.dilation.some((d) => d > 1) &&
      quads(g.keepIn) === 1 && follows &&
      g.kernelWidth > 1 && g.kernelWidth <= WIDEST_ROW;
  },
  variants: registerBlocks,
  estimate: (gpu, _work, block) => blockCost(gpu, 1, block),
  record: (trace, product, { rows }) => {
    const { preset: { lanes }, broadcast } = trace.gpu;
    const { keepIn, kernelWidth, stride: [, stride], padding: [, padding] } = product.geometry;
    const kernel = kernelOf({
      rows,
      channels: keepIn,
      taps: kernelWidth,
      stride,
      padding,
      lanes,
      broadcast,
      epilogue: epilogueOf(product.epilogue),
    });
    recordGemm(trace, product, kernel, { positions: rows * lanes, blocks: 1, allColumns: true });
  },
});
