import { across, COMPONENTS, dot, KEPT_TAPS, loadShared, range, unroll } from "../wgsl/blocked.ts";
import { type Epilogue, epilogueStore, NO_EPILOGUE } from "../wgsl/epilogue.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { type Form, PHASES } from "./phases.ts";
import { destinations, positions } from "./positions.ts";

/** The numbers that a gathered product takes. */
export const GATHER_DIMS = {
  batch: "u32",
  /** Groups of positions of the largest phase. */
  groups: "u32",
  in_height: "u32",
  in_width: "u32",
  in_quads: "u32",
  stride: "u32",
  padding: "u32",
  kernel_height: "u32",
  kernel_width: "u32",
  /** Phases of columns. */
  phase_columns: "u32",
  weight_rows: "u32",
  weight_quads: "u32",
  out_height: "u32",
  out_width: "u32",
  out_channels: "u32",
  taps_low: "u32",
  taps_high: "u32",
} as const;

/** Their names. */
export type GatherDims = keyof typeof GATHER_DIMS;

/**
 * The blocked product that convolution and linear layers share, in either {@link Form}. One
 * invocation holds `rows` consecutive positions times `columns` vec4 of channels in registers.
 *
 * `outer`: w(s, t) maps inputs to outputs as stored, `[weight_rows][weight_quads]`: y_o = Σ_i x_i w_io.
 * `inner`: w(s, t) is used transposed, the reduction runs along its vec4: y_i = Σ_o x_o w_io.
 */
export function gatheredProduct(
  form: Form,
  { rows, columns, lanes, channels, broadcast, epilogue = NO_EPILOGUE }: {
    rows: number;
    columns: number;
    lanes: number;
    /** The channels of x where they are at most four, as those of images: the loop over them goes. */
    channels?: number;
    /** What is done to y before it is written. */
    epilogue?: Epilogue;
    /** The lanes of a subgroup that load weights for each other, or 0. */
    broadcast: number;
  },
): Kernel<string, "y", GatherDims> {
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
  const outer = [
    `let at = weights + c * 4u * dims.weight_quads;`,
    loadShared(depth * columns, {
      name: "w",
      load: (i) =>
        `w(at + (${i} / ${columns}u) * dims.weight_quads + min(${i} % ${columns}u, last))`,
      broadcast,
    }),
    unroll(columns, (j) => unroll(rows, (i) => products(i, j, (u) => `w${u * columns + j}`))),
  ].join("\n");
  const inner = [
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
  const body = `${unroll(rows, load)}\n${form === "outer" ? outer : inner}`;
  const weights = form === "outer"
    ? "tap * dims.weight_rows * dims.weight_quads + quad"
    : "(tap * dims.weight_rows + quad * 4u) * dims.weight_quads";
  const store = (i: number): string =>
    `if (n${i} < dims.batch) { set_y(to${i} + j, ${
      stored.value(`select(vec4f(), s${i}_0, kept)`, `to${i} + j`)
    }); }
    ${unroll(columns - 1, (j) => `s${i}_${j} = s${i}_${j + 1};`)}`;
  return defineKernel({
    name: `${form} product ${rows}x${columns * 4}${
      shallow ? `, ${depth} inputs` : ""
    }${stored.suffix}`,
    workgroupSize: lanes,
    subgroup: broadcast > 0,
    reads: { x: "bulk", w: "bulk", ...stored.reads },
    writes: { y: "bulk" },
    dims: GATHER_DIMS,
    wgsl: /* wgsl */ `
${KEPT_TAPS}
${PHASES[form]}
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
    let tap = (window.tap.y + ty * tap_step()) * dims.kernel_width + window.tap.x + tx * tap_step();
    let sy = i32(ty) * step;
    let sx = i32(tx) * step;
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
  });
}
