import { range, unroll } from "../wgsl/blocked.ts";
import { LANES } from "../wgsl/elementwise.ts";
import { type Epilogue, epilogueStore } from "../wgsl/epilogue.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";

/**
 * Winograd's F(2x2, 3x3): 2x2 outputs of a 3x3 filter g out of 4x4 inputs d take 16 products, not
 * 36 (Lavin and Gray, arXiv 1509.09308, section 4.1),
 *
 *     y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A,
 *
 * and likewise, as it is linear in either, dg = Gᵀ [(A dy Aᵀ) ⊙ (Bᵀ d B)] G.
 */
const MATRICES = {
  "Bᵀ": [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
  "G": [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]],
  "Aᵀ": [[1, 1, 1, 0], [0, 1, -1, -1]],
  "A": [[1, 0], [1, 1], [1, -1], [0, -1]],
  "Gᵀ": [[1, 0.5, 0.5, 0], [0, 0.5, -0.5, 0], [0, 0.5, 0.5, 1]],
} as const satisfies Record<string, readonly (readonly number[])[]>;

/** Products of a tile: places of the transformed input, filter and output. */
export const PLACES = 16;

/** Pixels of a side of a tile of outputs. */
export const TILE = 2;

/** WGSL of Σ_k row_k names_k. */
function combination(row: readonly number[], names: readonly string[]): string {
  const terms = row.flatMap((factor, k) => {
    if (factor === 0) return [];
    const sign = factor < 0 ? "-" : "+";
    return [[sign, Math.abs(factor) === 1 ? names[k] : `${Math.abs(factor)} * ${names[k]}`]];
  });
  const [[sign, first], ...rest] = terms;
  return [sign === "-" ? `-${first}` : first, ...rest.map(([sign, term]) => `${sign} ${term}`)]
    .join(" ");
}

/** WGSL that names M d Mᵀ `out00`, `out01`, …, for the square d of the names `in00`, `in01`, …. */
function transform(matrix: keyof typeof MATRICES): string {
  const rows = MATRICES[matrix];
  const side = rows[0].length;
  const half = rows.map((row, i) =>
    range(side).map((s) =>
      `let half${i}${s} = ${combination(row, range(side).map((r) => `in${r}${s}`))};`
    )
  );
  const whole = rows.map((_, i) =>
    rows.map((row, j) =>
      `let out${i}${j} = ${combination(row, range(side).map((s) => `half${i}${s}`))};`
    )
  );
  return [...half, ...whole].flat().join("\n  ");
}

/** Runs `body` for row i and column j of a square. */
function square(side: number, body: (i: number, j: number) => string): string {
  return unroll(side, (i) => unroll(side, (j) => body(i, j)));
}

/** WGSL that names tile (a, b) of image n, with its number `tile` and its vec4 of channels `c`. */
const EACH_TILE = /* wgsl */ `
  let i = workgroup * ${LANES}u + lane;
  let tile = i / dims.channel_quads;
  let c = i - tile * dims.channel_quads;
  if (tile >= dims.tiles) { return; }
  let b = tile % dims.tile_columns;
  let a = tile / dims.tile_columns % dims.tile_rows;
  let n = tile / (dims.tile_columns * dims.tile_rows);`;

const TILE_DIMS = {
  tiles: "u32",
  tile_rows: "u32",
  tile_columns: "u32",
  height: "u32",
  width: "u32",
  channel_quads: "u32",
} as const;

/** The numbers of kernels that visit tiles of images. */
export type TileDims = keyof typeof TILE_DIMS;

/**
 * Images `[batch, height, width, channels]` as the factors of products, `[16][tiles][channels]`: Bᵀ
 * d B of inputs, `padding` around them, or A dy Aᵀ of gradients of outputs.
 */
export function imageFactors(of: "inputs" | "gradients"): Kernel<"x", "y", TileDims | "padding"> {
  const matrix = of === "inputs" ? "Bᵀ" : "A";
  const side = MATRICES[matrix][0].length;
  return defineKernel({
    name: `winograd factors of ${of}`,
    workgroupSize: LANES,
    reads: { x: "bulk" },
    writes: { y: "bulk" },
    dims: { ...TILE_DIMS, padding: "u32" },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  ${EACH_TILE}
  // Rows and columns before the first become large.
  let top = a * ${TILE}u - dims.padding;
  let left = b * ${TILE}u - dims.padding;
  ${
      square(side, (r, s) =>
        `let inside${r}${s} = top + ${r}u < dims.height && left + ${s}u < dims.width;
  let at${r}${s} = ((n * dims.height + top + ${r}u) * dims.width + left + ${s}u) * dims.channel_quads + c;
  let in${r}${s} = select(vec4f(), x(select(0u, at${r}${s}, inside${r}${s})), inside${r}${s});`)
    }
  ${transform(matrix)}
  let plane = dims.tiles * dims.channel_quads;
  ${square(4, (i, j) => `set_y(i + ${4 * i + j}u * plane, out${i}${j});`)}
}`,
  });
}

/**
 * The filter's factors G g Gᵀ, `[16][rows][quads]`, of the prefix slice that is used; rows may be
 * padding.
 */
export const filterFactors = defineKernel({
  name: "winograd factors of filters",
  workgroupSize: LANES,
  reads: { w: "bulk" },
  writes: { y: "bulk" },
  dims: { rows: "u32", quads: "u32", channels: "u32", weight_rows: "u32", weight_quads: "u32" },
  wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let row = i / dims.quads;
  if (row >= dims.rows) { return; }
  let real = row < dims.channels;
  let at = select(0u, row * dims.weight_quads + i % dims.quads, real);
  let tap = dims.weight_rows * dims.weight_quads;
  ${square(3, (r, s) => `let in${r}${s} = select(vec4f(), w(at + ${3 * r + s}u * tap), real);`)}
  ${transform("G")}
  let plane = dims.rows * dims.quads;
  ${square(4, (i, j) => `set_y(i + ${4 * i + j}u * plane, out${i}${j});`)}
}`,
});

/** Images Aᵀ m A out of products m, `[16][tiles][channels]`, with an epilogue. */
export function images(epilogue: Epilogue): Kernel<string, "y", TileDims | "channels"> {
  const stored = epilogueStore(epilogue);
  return defineKernel<string, "y", TileDims | "channels">({
    name: `winograd images${stored.suffix}`,
    workgroupSize: LANES,
    reads: { x: "bulk", ...stored.reads },
    writes: { y: "bulk" },
    dims: { ...TILE_DIMS, channels: "u32" },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  ${EACH_TILE}
  let plane = dims.tiles * dims.channel_quads;
  ${square(4, (i, j) => `let in${i}${j} = x(i + ${4 * i + j}u * plane);`)}
  ${transform("Aᵀ")}
  let kept = vec4u(c * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.channels);
  ${
      square(TILE, (i, j) =>
        `if (a * ${TILE}u + ${i}u < dims.height && b * ${TILE}u + ${j}u < dims.width) {
    let at = ((n * dims.height + a * ${TILE}u + ${i}u) * dims.width + b * ${TILE}u + ${j}u) * dims.channel_quads + c;
    set_y(at, ${stored.value(`select(vec4f(), out${i}${j}, kept)`, "at")});
  }`)
    }
}`,
  });
}

/**
 * The filter's gradient Gᵀ m G out of products m, `[splits][16][rows][quads]`, which are added up.
 * It sets the prefix slice of a gradient or, with `accumulate`, adds to it.
 */
export function filterGradientOf(accumulate: boolean): Kernel<"part", "dw", string> {
  return defineKernel<"part", "dw", string>({
    name: `winograd filter gradient${accumulate ? ", added" : ""}`,
    workgroupSize: LANES,
    reads: { part: "bulk" },
    writes: { dw: accumulate ? "update" : "bulk" },
    dims: {
      splits: "u32",
      part_rows: "u32",
      part_quads: "u32",
      rows: "u32",
      channels: "u32",
      weight_rows: "u32",
      weight_quads: "u32",
    },
    wgsl: /* wgsl */ `
fn main(workgroup: u32, lane: u32) {
  let i = workgroup * ${LANES}u + lane;
  let row = i / dims.part_quads;
  let quad = i - row * dims.part_quads;
  if (row >= dims.rows) { return; }
  let plane = dims.part_rows * dims.part_quads;
  ${square(4, (i, j) => `var in${i}${j} = vec4f();`)}
  for (var split = 0u; split < dims.splits; split++) {
    let at = split * ${PLACES}u * plane + i;
    ${square(4, (i, j) => `in${i}${j} += part(at + ${4 * i + j}u * plane);`)}
  }
  ${transform("Gᵀ")}
  let kept = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.channels);
  let tap = dims.weight_rows * dims.weight_quads;
  let to = row * dims.weight_quads + quad;
  ${
      square(3, (r, s) => {
        const at = `to + ${3 * r + s}u * tap`;
        return `set_dw(${at}, select(vec4f(), out${r}${s}, kept)${
          accumulate ? ` + dw(${at})` : ""
        });`;
      })
    }
}`,
    iterations: ({ splits }) => splits + 1,
  });
}
