import { KEPT_TAPS } from "../wgsl/blocked.ts";
import { MOST_TAPS } from "./tiles.ts";

/** What a product by tiles in workgroup memory consists of, besides what all of them share. */
export interface ProductFrame {
  /** WGSL of the phases. */
  readonly phases: string;
  /** Positions of a tile. */
  readonly positions: number;
  /** Channels of a tile. */
  readonly channels: number;
  /** Declares workgroup memory. */
  readonly declared: string;
  /** Statements before the taps are collected. */
  readonly before?: string;
  /**
   * The product: `first` and `first_quad` are the first position and vec4 of channels of the
   * workgroup, `end` the number of positions, `out_quads` that of vec4 of channels, `window` the
   * window of its phase, `kept` the number of {@link MOST_TAPS} at most in `kept_taps`.
   */
  readonly body: string;
}

/** WGSL of a product by tiles in workgroup memory. */
export function productFrame(
  { phases, positions, channels, declared, before = "", body }: ProductFrame,
): string {
  return /* wgsl */ `
${KEPT_TAPS}
${phases}
// t + 256 s of each tap (s, t) that is kept.
var<workgroup> kept_taps: array<u32, ${MOST_TAPS}>;
${declared}

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
  let blocks = (out_quads + ${channels / 4 - 1}u) / ${channels / 4}u;
  let group = phase_of(workgroup / blocks, dims.groups);
  let window = window_of(group.x);
  let first = group.y * ${positions}u;
  let first_quad = workgroup % blocks * ${channels / 4}u;
  let end = dims.batch * window.grid.y * window.grid.x;
  ${before}
  workgroupBarrier();
  var kept = 0u;
  var each = vec2u();
  for (var i = 0u; i < window.taps.y * window.taps.x; i++) {
    if (kept_tap(number_of(window, each))) {
      if (lane == 0u) { kept_taps[kept] = each.x + each.y * 256u; }
      kept += 1u;
    }
    each.x += 1u;
    if (each.x == window.taps.x) { each = vec2u(0u, each.y + 1u); }
  }
  workgroupBarrier();
  ${body}
}`;
}

/** WGSL that names `pixel`, that of y in which the result of position `p` lies. */
export const PIXEL_OF_RESULT = /* wgsl */ `var pixel = p;
      if (!in_order()) {
        let b = p % window.grid.x;
        let a = (p / window.grid.x) % window.grid.y;
        let n = p / (window.grid.x * window.grid.y);
        pixel = (n * dims.out_height + a * out_scale().y + window.out.y) * dims.out_width
          + b * out_scale().x + window.out.x;
      }`;

/** The most iterations of the loops that all such products have, but for that over slices. */
export function frameIterations(
  { kernel_height, kernel_width }: {
    readonly kernel_height: number;
    readonly kernel_width: number;
  },
): number {
  return kernel_height * kernel_width + 1;
}
