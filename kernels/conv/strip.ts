import { range, unroll } from "../wgsl/blocked.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import type { ProductDirection } from "./work.ts";

/*
 * A depthwise convolution is bound by its loads. An invocation makes a strip of outputs, `width`
 * steps wide, from the top down: it holds a window of inputs, and loads of the next row only what
 * is new. Along each side, with g the number of a step,
 *
 *     output g·outs + out  =  Σ input g·step + first + offset · weight(tap)
 *
 * over the taps that belong to `out`. The forward pass has one output to a step. The input gradient
 * has one input to a step, and as many outputs as the stride: each is met by taps of its own.
 */

/** A tap along one side: the output that it belongs to, and the input that it meets there. */
interface AxisTap {
  readonly out: number;
  readonly offset: number;
  readonly tap: number;
}

/** One side of a depthwise product. */
export interface Axis {
  /** Outputs of a step. */
  readonly outs: number;
  /** Inputs from one step to the next. */
  readonly step: number;
  /** Inputs of the window of a step. */
  readonly extent: number;
  /** The taps of all outputs of a step. */
  readonly taps: readonly AxisTap[];
  /** The first input of the window of the first step, which may lie outside the image. */
  readonly first: number;
}

/** The sides of a depthwise convolution or of its input gradient. */
export function axesOf(direction: ProductDirection, g: Geometry): { rows: Axis; columns: Axis } {
  const of = (side: 0 | 1, kernel: number): Axis => {
    const [stride, padding, dilation] = [g.stride[side], g.padding[side], g.dilation[side]];
    const extent = dilation * (kernel - 1) + 1;
    if (direction === "forward") {
      const taps = range(kernel).map((tap) => ({ out: 0, offset: tap * dilation, tap }));
      return { outs: 1, step: stride, extent, taps, first: -padding };
    }
    // a·stride + tap·dilation - padding = out, for a whole a.
    const taps = range(stride).flatMap((out) =>
      range(kernel).map((tap) => ({ out, a: (out + padding - tap * dilation) / stride, tap }))
    ).filter(({ a }) => Number.isInteger(a));
    const places = taps.map(({ a }) => a);
    const first = Math.min(...places);
    return {
      outs: stride,
      step: 1,
      extent: Math.max(...places) - first + 1,
      taps: taps.map(({ out, a, tap }) => ({ out, offset: a - first, tap })),
      first,
    };
  };
  return { rows: of(0, g.kernelHeight), columns: of(1, g.kernelWidth) };
}

/** The most vec4 of a window that stays while a strip is walked down. */
const MOST_HELD = 96;

/** A strip: its sides, its width in steps, and the vec4 that are read of a pixel. */
export interface Strip {
  readonly rows: Axis;
  readonly columns: Axis;
  readonly width: number;
  readonly deep: number;
}

/** WGSL that moves a window over the rows of a strip. */
export interface Window {
  /** Names the columns, once for a strip whose first column of inputs is `left`. */
  readonly before: string;
  /** Fills the window but for what {@link next} loads, for the row of inputs `top`. */
  readonly fill: string;
  /** Loads the rows that are new in the window, which begins at the row `top`. */
  readonly next: string;
  /** Makes room for the next rows. */
  readonly move: string;
  /** The input that a tap meets in a step across: vec4 `k` of it. */
  pixel(row: AxisTap, column: AxisTap, at: { step: number; k: number }): string;
}

function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/**
 * The window of a strip over `x`, image number `image`, vec4 `quad * deep` and on of the channels.
 * Columns and rows before the first are large numbers.
 */
export function windowOf({ rows, columns, width, deep }: Strip): Window {
  const { extent, step } = rows;
  const across = distinct(
    range(width).flatMap((w) => columns.taps.map(({ offset }) => w * columns.step + offset)),
  );
  const down = distinct(rows.taps.map(({ offset }) => offset));
  const stays = step < extent && extent * across.length * deep <= MOST_HELD;
  const name = (r: number, c: number, k: number): string => `p${r}_${c}_${k}`;
  const each = (row: number, f: (name: string, c: number, k: number) => string): string =>
    across.map((c) => unroll(deep, (k) => f(name(row, c, k), c, k))).join("\n");
  const load = (r: number, assign: string): string =>
    `let y${r} = top + ${r}u;
    let y${r}_real = y${r} < dims.in_height;
    let row${r} = select(0u, (image * dims.in_height + y${r}) * dims.in_width, y${r}_real) * dims.in_quads;
    ${
      each(
        r,
        (pixel, c, k) =>
          `${assign}${pixel} = select(vec4f(), x(row${r} + at${c}_${k}), y${r}_real && x${c}_real);`,
      )
    }`;
  const fresh = stays ? range(step).map((r) => extent - step + r) : down;
  const kept = stays ? range(extent - step) : [];
  return {
    before: across.map((c) =>
      `let x${c} = left + ${c}u;
  let x${c}_real = x${c} < dims.in_width;
  ${
        unroll(deep, (k) =>
          `let at${c}_${k} = select(0u, x${c}, x${c}_real) * dims.in_quads + ${
            deep === 1 ? "quad" : `min(quad * ${deep}u + ${k}u, dims.in_quads - 1u)`
          };`)
      }`
    ).join("\n"),
    fill: stays
      ? [
        ...range(extent).map((r) => each(r, (pixel) => `var ${pixel} = vec4f();`)),
        "{",
        ...kept.map((r) => load(r, "")),
        "}",
      ].join("\n")
      : "",
    next: fresh.map((r) => load(r, stays ? "" : "let ")).join("\n"),
    move: kept.map((r) => each(r, (pixel, c, k) => `${pixel} = ${name(r + step, c, k)};`))
      .join("\n"),
    pixel: (row, column, { step: w, k }) => name(row.offset, w * columns.step + column.offset, k),
  };
}

/** WGSL for the channels of the input of vec4 `k` of the outputs, of `multiplier` to an input. */
export function repeated(pixel: string, k: number, multiplier: number): string {
  if (multiplier === 1) return pixel;
  const components = range(4).map((j) => "xyzw"[Math.floor((4 * k + j) / multiplier)]).join("");
  return `${pixel}.${components}`;
}

/** The most outputs to an input of a depthwise convolution by strips. */
const MOST_OUTPUTS = 4;

/** The most taps whose weights are held. */
const MOST_TAPS = 49;

/** Outputs to each input, where strips are for a convolution: it is depthwise. */
export function depthwiseOutputs(g: Geometry): number | undefined {
  const outputs = g.filterOut / g.groups;
  const depthwise = g.filterIn === 1 && g.groups === g.keepIn && g.groups > 1;
  const taps = g.kernelHeight * g.kernelWidth * outputs;
  return depthwise && outputs <= MOST_OUTPUTS && taps <= MOST_TAPS ? outputs : undefined;
}
