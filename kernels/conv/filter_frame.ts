import { KEPT_TAPS, unroll } from "../wgsl/blocked.ts";
import type { Element } from "./staged.ts";

/** Where an invocation stages a vec4: its position in the slice, and its quad of the tile. */
export interface StagedQuad {
  /** WGSL for the position. */
  readonly position: string;
  /** WGSL for the vec4: of rows for x, of outputs for dy. */
  readonly quad: string;
}

/** What a weight gradient by tiles in workgroup memory consists of, besides what all of them share. */
export interface FilterFrame {
  /** Invocations of the workgroup. */
  readonly invocations: number;
  /** Vec4 of rows of a tile: inputs of all taps, tap after tap. */
  readonly inputs: number;
  /** Vec4 of outputs of a tile. */
  readonly outputs: number;
  /** Positions of a slice. */
  readonly depth: number;
  /** The WGSL type that `x` and `dy` return. */
  readonly element: Element;
  /** Whether each tap has a dy of its own, `[taps][positions]`: rows of a tile are of one tap. */
  readonly apart?: boolean;
  /** Declares workgroup memory. */
  readonly declared: string;
  /** Statements before the first slice, such as the sums. */
  readonly begin: string;
  /** Adds the products of the staged slice to the sums. */
  readonly multiply: string;
  /** WGSL that stages the vec4 `value` of x. */
  stageX(at: StagedQuad, value: string): string;
  /** WGSL that stages the vec4 `value` of dy. */
  stageDy(at: StagedQuad, value: string): string;
  /**
   * Stores the sums: `first_row` and `first_out` are the first vec4 of rows and of outputs of the
   * workgroup, `row_quads` the number of those of rows, `split` the run of positions.
   */
  readonly store: string;
}

/**
 * WGSL of the partial sums of a weight gradient by tiles in workgroup memory. The rows of a tile are
 * quads of inputs of all taps, tap after tap: few inputs share a tile between taps. A position whose
 * x lies outside the image counts as zero. While a slice of positions is multiplied, the next one is
 * on its way.
 */
export function filterFrame(
  {
    invocations,
    inputs,
    outputs,
    depth,
    element,
    apart = false,
    declared,
    begin,
    multiply,
    stageX,
    stageDy,
    store,
  }: FilterFrame,
): string {
  const staged = { x: depth * inputs / invocations, dy: depth * outputs / invocations };
  // Slices whose places the invocations find at a time, one each.
  const placed = invocations / depth;
  const slot = (m: number, quads: number): StagedQuad => ({
    position: `lane / ${quads}u + ${m * invocations / quads}u`,
    quad: `lane % ${quads}u`,
  });
  const loadX = (m: number): string =>
    `let place${m} = places[s % ${placed}u * ${depth}u + ${slot(m, inputs).position}];
    let iy${m} = place${m}.y + shift.y;
    let ix${m} = place${m}.x + shift.x;
    let inside${m} = live && iy${m} < dims.in_height && ix${m} < dims.in_width;
    let at${m} = (place${m}.z + tap_shift) * dims.in_stride + in_quad;
    let x${m} = select(${element}(), x(select(0u, at${m}, inside${m})), inside${m});`;
  const dyRow = apart ? "dy_row + " : "";
  const loadDy = (m: number): string =>
    `let q${m} = begin + s * ${depth}u + ${slot(m, outputs).position};
    let real${m} = q${m} < end && out_quad < dims.out_quads;
    let dy${m} = select(${element}(), dy(select(0u, (${dyRow}q${m}) * dims.out_quads + out_quad, real${m})), real${m});`;
  return /* wgsl */ `
${KEPT_TAPS}
${declared}
// Column, row and number of the pixel that a tap at (0, 0) meets, without padding, by position.
var<workgroup> places: array<vec3u, ${invocations}>;

fn main(workgroup: u32, lane: u32) {
  // workgroup = (split * blocks of ${inputs} vec4 of rows + row block) * blocks of outputs + block
  let taps = dims.kernel_height * dims.kernel_width;
  let row_quads = taps * dims.in_quads;
  let row_blocks = (row_quads + ${inputs - 1}u) / ${inputs}u;
  let out_blocks = (dims.out_quads + ${outputs - 1}u) / ${outputs}u;
  let first_out = workgroup % out_blocks * ${outputs}u;
  let first_row = workgroup / out_blocks % row_blocks * ${inputs}u;
  let split = workgroup / (out_blocks * row_blocks);
  let image = dims.out_height * dims.out_width;
  let positions = dims.batch * image;
  let share = (positions + dims.splits - 1u) / dims.splits;
  let begin = min(split * share, positions);
  let end = min(begin + share, positions);
  ${apart ? "let dy_row = first_row / dims.in_quads * positions;" : ""}
  // The rows and the outputs that this invocation stages.
  let row_quad = first_row + lane % ${inputs}u;
  let out_quad = first_out + lane % ${outputs}u;
  let tap = row_quad / dims.in_quads;
  let in_quad = row_quad % dims.in_quads;
  let shift = vec2u(tap % dims.kernel_width, tap / dims.kernel_width)
    * vec2u(dims.dilation_x, dims.dilation_y) - vec2u(dims.padding_x, dims.padding_y);
  let tap_shift = shift.y * dims.in_width + shift.x;
  let live = row_quad < row_quads && kept_tap(min(tap, taps - 1u));
  ${begin}
  let slices = (end - begin + ${depth - 1}u) / ${depth}u;
  // One more round than slices: each loads slice s and multiplies slice s - 1.
  for (var s = 0u; s <= slices; s++) {
    if (s % ${placed}u == 0u) {
      let p = begin + s * ${depth}u + lane;
      let a = p % image / dims.out_width * dims.stride_y;
      let b = p % dims.out_width * dims.stride_x;
      // Beyond the end, a row that no tap brings back inside.
      let top = select(a, 0x40000000u, p >= end);
      places[lane] = vec3u(b, top, (p / image * dims.in_height + a) * dims.in_width + b);
      workgroupBarrier();
    }
    ${unroll(staged.x, loadX)}
    ${unroll(staged.dy, loadDy)}
    if (s > 0u) {
      ${multiply}
    }
    workgroupBarrier();
    ${unroll(staged.x, (m) => stageX(slot(m, inputs), `x${m}`))}
    ${unroll(staged.dy, (m) => stageDy(slot(m, outputs), `dy${m}`))}
    workgroupBarrier();
  }
  ${store}
}`;
}
