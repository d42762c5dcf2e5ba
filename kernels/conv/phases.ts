import type { Geometry } from "../wgsl/geometry.ts";
import type { ProductDirection } from "./work.ts";

/*
 * An implicit GEMM, over a grid of positions (a, b):
 *
 *     y[out + (a, b)·out_scale, :] = Σ_(s,t) x[(a, b)·scale + offset + (s, t)·step, :] · w(s, t)
 *
 * with w(s, t) the weights of tap `tap + (s, t)·tap_step`, and x zero outside.
 *
 * The forward convolution has x[(a, b)·stride - padding + (s, t)·dilation], and w(s, t) maps
 * inputs to outputs as it is stored.
 *
 * The input gradient is dx[c] = Σ_s dy[a] w(s)ᵀ over a·stride + s·dilation - padding = c. Without
 * dilation, rows c = a'·stride + r of one phase r use the taps s ≡ r + padding (mod stride) only,
 * and columns likewise, so each pair of phases is a dense product of its own. One kernel run holds
 * them all. With dilation and a stride of 1, there is one phase, of all taps.
 */

/** Phases of rows and of columns. */
export interface Phases {
  readonly rows: number;
  readonly columns: number;
}

/** All phases of a product: none is without pixels. */
export function phasesOf(direction: ProductDirection, g: Geometry): Phases {
  const of = (size: number, stride: number): number =>
    direction === "forward" ? 1 : Math.min(stride, size);
  return { rows: of(g.height, g.stride[0]), columns: of(g.width, g.stride[1]) };
}

/** The phases of an input gradient without padding that have taps; the others are zero. */
export function phasesWithTaps(g: Geometry): Phases {
  const { rows, columns } = phasesOf("input gradient", g);
  return { rows: Math.min(rows, g.kernelHeight), columns: Math.min(columns, g.kernelWidth) };
}

const WINDOW = /* wgsl */ `
// The window that a phase of a product reads, in the terms of its formula; all pairs are (column, row).
struct Window {
  grid: vec2u,
  out: vec2u,
  offset: vec2i,
  tap: vec2u,
  taps: vec2u,
}`;

const PHASE_OF = /* wgsl */ `
fn phase_of(part: u32, parts: u32) -> vec2u {
  let phase = part / parts;
  return vec2u(phase, part - phase * parts);
}`;

const FORWARD = /* wgsl */ `${WINDOW}
fn step() -> vec2i { return vec2i(vec2u(dims.dilation_x, dims.dilation_y)); }
fn scale() -> vec2u { return vec2u(dims.stride_x, dims.stride_y); }
fn tap_step() -> vec2u { return vec2u(1u); }
fn out_scale() -> vec2u { return vec2u(1u); }
fn in_order() -> bool { return true; }

fn phase_of(part: u32, parts: u32) -> vec2u { return vec2u(0u, part); }

fn window_of(phase: u32) -> Window {
  let grid = vec2u(dims.out_width, dims.out_height);
  let taps = vec2u(dims.kernel_width, dims.kernel_height);
  return Window(grid, vec2u(), -vec2i(vec2u(dims.padding_x, dims.padding_y)), vec2u(), taps);
}`;

const INPUT_GRADIENT = /* wgsl */ `${WINDOW}
fn step() -> vec2i { return -vec2i(vec2u(dims.dilation_x, dims.dilation_y)); }
fn scale() -> vec2u { return vec2u(1u); }
fn tap_step() -> vec2u { return vec2u(dims.stride_x, dims.stride_y); }
fn out_scale() -> vec2u { return vec2u(dims.stride_x, dims.stride_y); }
fn in_order() -> bool { return dims.stride_x == 1u && dims.stride_y == 1u; }

// By way of floats, as a processor cannot divide several integers at once. The half keeps a rounded
// quotient on the right side of a whole number.
fn over(numbers: vec2u, divisor: vec2u) -> vec2u {
  return vec2u((vec2f(numbers) + 0.5) * (1.0 / vec2f(divisor)));
}

${PHASE_OF}

fn window_of(phase: u32) -> Window {
  let row = over(vec2u(phase), vec2u(dims.phase_columns)).x;
  let out = vec2u(phase - row * dims.phase_columns, row);
  let stride = vec2u(dims.stride_x, dims.stride_y);
  let padded = out + vec2u(dims.padding_x, dims.padding_y);
  let grid = over(vec2u(dims.out_width, dims.out_height) + stride - 1u - out, stride);
  let offset = over(padded, stride);
  let tap = padded - offset * stride;
  let taps = over(vec2u(dims.kernel_width, dims.kernel_height) + stride - 1u - tap, stride);
  return Window(grid, out, vec2i(offset), tap, taps);
}`;

/**
 * As {@link PHASES}, for a batch of products, one to a phase: rows of x and y are those of a phase,
 * `[phases][positions]`, and columns of the filter, `[1][phases]`; `placeOf` is WGSL for that of
 * `phase`.
 */
export function phasesApart(placeOf: string): string {
  return /* wgsl */ `${WINDOW}
fn step() -> vec2i { return vec2i(1); }
fn scale() -> vec2u { return vec2u(1u); }
fn tap_step() -> vec2u { return vec2u(1u); }
fn out_scale() -> vec2u { return vec2u(1u); }
fn in_order() -> bool { return false; }
fn place_of(phase: u32) -> u32 { return ${placeOf}; }
${PHASE_OF}

fn window_of(phase: u32) -> Window {
  let grid = vec2u(dims.out_width, 1u);
  return Window(grid, vec2u(0u, phase), vec2i(0, i32(phase)), vec2u(place_of(phase), 0u), vec2u(1u));
}`;
}

/**
 * WGSL that all products of a direction share. `phase_of(part, parts)` is the phase that a part of
 * the work belongs to, with `parts` to a phase, and its number among them; `window_of(phase)` is
 * the window that the phase reads. `in_order()` tells whether the pixels of y are numbered as the
 * positions are.
 */
export const PHASES: Readonly<Record<ProductDirection, string>> = {
  "forward": FORWARD,
  "input gradient": INPUT_GRADIENT,
};
