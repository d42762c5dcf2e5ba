import { across, COMPONENTS, dot, KEPT_TAPS, loadShared, range, unroll } from "../wgsl/blocked.ts";
import { type Epilogue, epilogueOf, epilogueStore } from "../wgsl/epilogue.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { defineAlgorithm } from "./algorithm.ts";
import {
  GEMM_DIMS,
  type GemmDims,
  type ProductAlgorithm,
  recordGemm,
  resultChannels,
  sidesOf,
} from "./gemm.ts";
import { PHASES } from "./phases.ts";
import { destinations, positions } from "./positions.ts";
import { blockCost, registerBlocks } from "./register_blocks.ts";
import { isProduct, type ProductDirection } from "./work.ts";
import { quads } from "../gpu/tensor.ts";

/**
 * An implicit GEMM in registers: one invocation holds `rows` consecutive positions times `columns`
 * vec4 of channels.
 *
 * Forward: w(s, t) maps inputs to outputs as stored, `[weight_rows][weight_quads]`: y_o = Σ_i x_i
 * w_io. Input gradient: w(s, t) is used transposed, the reduction runs along its vec4: y_i = Σ_o
 * x_o w_io.
 */
function kernelOf(
  direction: ProductDirection,
  { rows, columns, lanes, channels, broadcast, epilogue }: {
    rows: number;
    columns: number;
    lanes: number;
    /**
     * The channels of x where they are at most four, as those of images: the loop over them goes.
     */
    channels?: number;
    epilogue: Epilogue;
    /** The lanes of a subgroup that load weights for each other, or 0. */
    broadcast: number;
  },
): Kernel<string, "y", GemmDims> {
  const stored = epilogueStore(epilogue);
  const shallow = channels !== undefined;
  const depth = channels ?? 4;
  const address = (i: number): string =>
    `let iy${i} = u32(y${i} + sy);
     let ix${i} = u32(x${i} + sx);
     let inside${i} = iy${i} < dims.in_height && ix${i} < dims.in_width${
      shallow ? " && kept_tap(tap)" : ""
    };
     let at${i} = select(0u, ((n${i} * dims.in_height + iy${i}) * dims.in_width + ix${i}) * dims.in_quads, inside${i});
     let keep${i} = select(0.0, 1.0, inside${i});`;
  const load = (i: number): string => `let v${i} = x(at${i} + c) * keep${i};`;
  const products = (i: number, j: number, w: (u: number) => string): string =>
    `s${i}_${j} += ${dot(depth, (u) => `v${i}.${COMPONENTS[u]}`, w)};`;
  const forward = [
    `let at = weights + c * 4u * dims.weight_quads;`,
    loadShared(depth * columns, {
      name: "w",
      load: (i) =>
        `w(at + (${i} / ${columns}u) * dims.weight_quads + min(${i} % ${columns}u, last))`,
      broadcast,
    }),
    unroll(columns, (j) => unroll(rows, (i) => products(i, j, (u) => `w${u * columns + j}`))),
  ].join("\n");
  const transposed = [
    loadShared(4 * columns, {
      name: "w",
      load: (i) => `w(weights + min(${i}, last_row) * dims.weight_quads + c)`,
      broadcast,
    }),
    unroll(
      columns,
      (j) =>
        unroll(depth, (u) => `let t${j}_${u} = ${across("w", j * 4, u)};`) + "\n" +
        unroll(rows, (i) => products(i, j, (u) => `t${j}_${u}`)),
    ),
  ].join("\n");
  const body = `${unroll(rows, load)}\n${direction === "forward" ? forward : transposed}`;
  const weights = direction === "forward"
    ? "tap * dims.weight_rows * dims.weight_quads + quad"
    : "(tap * dims.weight_rows + quad * 4u) * dims.weight_quads";
  const store = (i: number): string =>
    `if (n${i} < dims.batch) { set_y(to${i} + j, ${
      stored.value(`select(vec4f(), s${i}_0, kept)`, `to${i} + j`)
    }); }
    ${unroll(columns - 1, (j) => `s${i}_${j} = s${i}_${j + 1};`)}`;
  return defineKernel({
    name: `${direction}, implicit GEMM ${rows}x${columns * 4}${
      shallow ? `, ${depth} inputs` : ""
    }${stored.suffix}`,
    workgroupSize: lanes,
    subgroup: broadcast > 0,
    reads: { x: "bulk", w: "bulk", ...stored.reads },
    writes: { y: "bulk" },
    dims: GEMM_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${PHASES[direction]}
fn main(workgroup: u32, lane: u32) {
  // workgroup = (phase * blocks + block of channels) * groups + group of ${rows * lanes} positions
  let first = ((workgroup % dims.groups) * ${lanes}u + lane) * ${rows}u;
  let out_quads = (dims.out_channels + 3u) / 4u;
  let block = phase_of(workgroup / dims.groups, (out_quads + ${columns - 1}u) / ${columns}u);
  let window = window_of(block.x);
  let quad = block.y * ${columns}u;
  let last = out_quads - 1u - quad;
  let last_row = dims.weight_rows - 1u - min(quad * 4u, dims.weight_rows - 1u);
  ${positions(rows)}
  ${unroll(rows, (i) => range(columns).map((j) => `var s${i}_${j} = vec4f();`).join(" "))}
  // One loop over taps and one over inputs: each loop level copies all sums once.
  let taps = window.taps.y * window.taps.x;
  var ty = 0u;
  var tx = 0u;
  for (var t = 0u; t < taps; t++) {
    let tap = (window.tap.y + ty * tap_step().y) * dims.kernel_width + window.tap.x + tx * tap_step().x;
    let sy = i32(ty) * step().y;
    let sx = i32(tx) * step().x;
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
    let last_column = tx == window.taps.x;
    tx = select(tx, 0u, last_column);
    ty += select(0u, 1u, last_column);
  }
  ${destinations(rows)}
  // A loop, not ${columns} times the code: what stores compile to is most of a kernel on a processor.
  for (var j = 0u; j < min(${columns}u, out_quads - quad); j++) {
    let kept = (quad + j) * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.out_channels);
    ${unroll(rows, store)}
  }
}`,
    iterations: ({ kernel_height, kernel_width, in_quads }) =>
      kernel_height * kernel_width * (in_quads + 2) + 1 + columns + 1,
  });
}

/** The implicit GEMM in registers, for all that has no groups. */
export const implicitGemm: ProductAlgorithm = defineAlgorithm({
  name: "implicit GEMM",
  timed: false,
  guessed: true,
  applies: (_gpu, work) => isProduct(work),
  variants: registerBlocks,
  estimate: (gpu, work, block) => blockCost(gpu, quads(resultChannels(work)), block),
  record: (trace, product, { rows, columns }) => {
    const { preset: { lanes }, broadcast } = trace.gpu;
    const { from: [, , inputs], to: [, , outputs] } = sidesOf(product);
    const channels = inputs <= 4 ? inputs : undefined;
    const epilogue = epilogueOf(product.epilogue);
    const kernel = kernelOf(product.direction, {
      rows,
      columns,
      lanes,
      channels,
      broadcast,
      epilogue,
    });
    const blocks = Math.ceil(quads(outputs) / columns);
    recordGemm(trace, product, kernel, { positions: rows * lanes, blocks });
  },
});
