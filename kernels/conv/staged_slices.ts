import { unroll } from "../wgsl/blocked.ts";
import type { Element } from "./staged.ts";
import { MOST_TAPS } from "./tiles.ts";
import type { ProductDirection } from "./work.ts";

/**
 * WGSL for the loads of a tiled product: the reduction runs over all pairs of a kept tap and a quad
 * of channels, slice by slice. Each invocation loads some vec4 of x and of the weights of a slice.
 */
export interface SliceLoads {
  /** The number of vec4 of x and of weights that an invocation loads. */
  readonly count: { readonly x: number; readonly w: number };
  /** Once, before the first slice: names `slices`, how many there are. */
  readonly before: string;
  /** Loads slice `s` as `x0`, … and `w0`, …; beyond the last slice they are zero. */
  readonly load: string;
}

/** Row and quad of the weights' slice, and the quad of outputs, that an invocation loads m-th. */
export interface StagedWeight {
  readonly quad: string;
  readonly row: string;
  readonly out: string;
}

/** How the invocations of a workgroup share in loading the slices of a tile. */
export interface Staging {
  /** Invocations of the workgroup. */
  readonly invocations: number;
  /** Positions of the tile. */
  readonly positions: number;
  /** Channels of the tile. */
  readonly channels: number;
  /** Channels of the reduction in a slice. */
  readonly depth: number;
  /** The WGSL type that `x` and `w` return. */
  readonly element: Element;
  /** The m-th vec4 of weights that an invocation loads. */
  weight(m: number): StagedWeight;
}

/** The m-th position of x that an invocation loads; its quad of the slice is `lane % slice`. */
export function stagedPosition(
  { invocations, depth }: Pick<Staging, "invocations" | "depth">,
  m: number,
): string {
  const slice = depth / 4;
  return `lane / ${slice}u + ${m * invocations / slice}u`;
}

function countOf({ invocations, positions, channels, depth }: Staging): SliceLoads["count"] {
  return { x: positions * depth / 4 / invocations, w: depth * channels / 4 / invocations };
}

/**
 * Names where a staged position of x lies: row `top` and column `left` of its first tap, and the
 * rows before its `image`.
 */
function stagedPixel(staging: Staging, m: number): string {
  return `let p${m} = first + ${stagedPosition(staging, m)};
  let top${m} = i32((p${m} / window.grid.x) % window.grid.y * scale().y) + window.offset.y;
  // Beyond the last image, a column that no offset brings back inside.
  let left${m} = select(i32(p${m} % window.grid.x * scale().x) + window.offset.x, -65536, p${m} >= end);
  let image${m} = p${m} / (window.grid.x * window.grid.y) * dims.in_height;`;
}

/** WGSL that names the pixel of x for `tap`; whether it is inside its image, and its first vec4. */
function pixel(m: number): { named: string; inside: string; start: string } {
  return {
    named: `let row${m} = u32(top${m} + i32(tap.y) * step().y);
    let column${m} = u32(left${m} + i32(tap.x) * step().x);`,
    inside: `row${m} < dims.in_height && column${m} < dims.in_width`,
    start: `((image${m} + row${m}) * dims.in_width + column${m}) * dims.in_quads`,
  };
}

/** Loads vec4 `at` of an operand as `name`, or zero. */
function loaded(
  operand: "x" | "w",
  m: number,
  { at, real, element }: { at: string; real: string; element: Staging["element"] },
): string {
  return `let ${operand}_real${m} = ${real};
    let ${operand}${m} = select(${element}(), ${operand}(select(0u, ${at}, ${operand}_real${m})), ${operand}_real${m});`;
}

/** Loads weights of quad `k` of the inputs of the tap with the number `number`, where `real`. */
function loadWeight(
  direction: ProductDirection,
  { weight, element }: Staging,
  m: number,
  { k, number, real }: { k: string; number: string; real: string },
): string {
  const { row, out } = weight(m);
  const column = `first_quad + ${out}`;
  const [weightRow, quad, within] = direction === "forward"
    ? [`(${k}) * 4u + ${row}`, column, ` && ${column} < out_quads`]
    : [`(${column}) * 4u + ${row}`, k, ""];
  return `let weight_row${m} = ${weightRow};
    ${
    loaded("w", m, {
      at: `(${number} * dims.weight_rows + weight_row${m}) * dims.weight_quads + ${quad}`,
      real: `${real} && weight_row${m} < dims.weight_rows${within}`,
      element,
    })
  }`;
}

/** Slices that lie within one tap each, as the quads of x are a multiple of them. */
export function slicesOfTaps(direction: ProductDirection, staging: Staging): SliceLoads {
  const { weight, element } = staging;
  const slice = staging.depth / 4;
  const count = countOf(staging);
  const enter = (m: number): string => {
    const { named, inside, start } = pixel(m);
    return `${named}
      inside${m} = more && ${inside};
      at${m} = ${start} + lane % ${slice}u;`;
  };
  return {
    count,
    before: `${unroll(count.x, (m) => stagedPixel(staging, m))}
  let slices = kept * (dims.in_quads / ${slice}u);
  // Quads of the tap before the slice; which of the kept taps it is, and its number in the filter.
  var c = 0u;
  var ordinal = 0u;
  var number = 0u;
  ${unroll(count.x, (m) => `var inside${m} = false; var at${m} = 0u;`)}`,
    load: `if (c == dims.in_quads) { c = 0u; ordinal += 1u; }
    let more = ordinal < kept;
    if (c == 0u) {
      let t = kept_taps[min(ordinal, ${MOST_TAPS - 1}u)];
      let tap = vec2u(t & 255u, t >> 8u);
      number = number_of(window, tap);
      ${unroll(count.x, enter)}
    }
    ${unroll(count.x, (m) => loaded("x", m, { at: `at${m} + c`, real: `inside${m}`, element }))}
    ${
      unroll(count.w, (m) => {
        const k = `c + ${weight(m).quad}`;
        return loadWeight(direction, staging, m, { k, number: "number", real: "more" });
      })
    }
    c += ${slice}u;`,
  };
}

/** Slices across taps: each quad finds its tap by a division. */
export function slicesAcrossTaps(direction: ProductDirection, staging: Staging): SliceLoads {
  const { weight, element } = staging;
  const slice = staging.depth / 4;
  const count = countOf(staging);
  const real = (quad: string): string => `${quad}.w < kept * dims.in_quads`;
  return {
    count,
    before: `${unroll(count.x, (m) => stagedPixel(staging, m))}
  let reciprocal = 1.0 / f32(dims.in_quads);
  let slices = (kept * dims.in_quads + ${slice - 1}u) / ${slice}u;`,
    load: `let quad = tap_at(s * ${slice}u + lane % ${slice}u, reciprocal);
    let tap = quad.xy;
    ${
      unroll(count.x, (m) => {
        const { named, inside, start } = pixel(m);
        const at = `${start} + quad.z`;
        return `${named}\n    ${
          loaded("x", m, { at, real: `${real("quad")} && ${inside}`, element })
        }`;
      })
    }
    ${
      unroll(count.w, (m) =>
        `let quad${m} = tap_at(s * ${slice}u + ${weight(m).quad}, reciprocal);
    ${
          loadWeight(direction, staging, m, {
            k: `quad${m}.z`,
            number: `number_of(window, quad${m}.xy)`,
            real: real(`quad${m}`),
          })
        }`)
    }`,
  };
}
