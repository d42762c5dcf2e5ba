import { range, unroll } from "../wgsl/blocked.ts";
import type { Geometry } from "../wgsl/geometry.ts";
import type { ProductDirection } from "./work.ts";

/*
 * A depthwise convolution is bound by its loads. An invocation makes a strip of outputs, `height`
 * steps high, from left to right, along which neighbours lie in memory: it holds a window of inputs,
 * and loads the next columns alone. Along each side, with g the number of a step,
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

/** The most vec4 of a window that stays while a strip is walked along. */
const MOST_HELD = 96;

/** A strip: its sides, its height in steps, and the vec4 that are read of a pixel. */
export interface Strip {
  readonly rows: Axis;
  readonly columns: Axis;
  readonly height: number;
  readonly deep: number;
}

/** Where a tap meets the window: in a step of the height, at vec4 `k`. */
export interface Place {
  readonly line: number;
  readonly k: number;
}

/** WGSL that moves a window over the columns of a strip. */
export interface Window {
  /** Names the rows, once for a strip whose first row of inputs is `top`. */
  readonly before: string;
  /** Fills the window but for what {@link next} loads, for the column of inputs `left`. */
  readonly fill: string;
  /** Loads the columns that are new in the window, which begins at the column `left`. */
  readonly next: string;
  /** Makes room for the next columns. */
  readonly move: string;
  /** The input that a tap meets. */
  pixel(row: AxisTap, column: AxisTap, place: Place): string;
}

function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/**
 * The window of a strip over `x`, image number `image`, vec4 `quad * deep` and on of the channels.
 * Columns and rows before the first are large numbers.
 */
export function windowOf({ rows, columns, height, deep }: Strip): Window {
  const { extent, step } = columns;
  const lines = distinct(
    range(height).flatMap((line) => rows.taps.map(({ offset }) => line * rows.step + offset)),
  );
  const wanted = distinct(columns.taps.map(({ offset }) => offset));
  const stays = step < extent && extent * lines.length * deep <= MOST_HELD;
  const held = stays ? range(extent - step) : [];
  const name = (r: number, c: number, k: number): string => `p${r}_${c}_${k}`;
  const each = (column: number, f: (name: string, r: number, k: number) => string): string =>
    lines.map((r) => unroll(deep, (k) => f(name(r, column, k), r, k))).join("\n");
  const load = (c: number, assign: string): string =>
    `let x${c} = left + ${c}u;
    let x${c}_real = x${c} < dims.in_width;
    let column${c} = select(0u, x${c}, x${c}_real) * dims.in_quads;
    ${
      each(
        c,
        (pixel, r, k) =>
          `${assign}${pixel} = select(vec4f(), x(at${r}_${k} + column${c}), x${c}_real && y${r}_real);`,
      )
    }`;
  const fresh = stays ? range(step).map((c) => extent - step + c) : wanted;
  return {
    before: lines.map((r) =>
      `let y${r} = top + ${r}u;
  let y${r}_real = y${r} < dims.in_height;
  let line${r} = (image * dims.in_height + select(0u, y${r}, y${r}_real)) * dims.in_width * dims.in_quads;
  ${
        unroll(deep, (k) =>
          `let at${r}_${k} = line${r} + ${
            deep === 1 ? "quad" : `min(quad * ${deep}u + ${k}u, dims.in_quads - 1u)`
          };`)
      }`
    ).join("\n"),
    fill: [
      ...held.map((c) => each(c, (pixel) => `var ${pixel} = vec4f();`)),
      "{",
      ...held.map((c) => load(c, "")),
      "}",
    ].join("\n"),
    next: fresh.map((c) => load(c, "let ")).join("\n"),
    move: held.map((c) => each(c, (pixel, r, k) => `${pixel} = ${name(r, c + step, k)};`))
      .join("\n"),
    pixel: (row, column, { line, k }) => name(line * rows.step + row.offset, column.offset, k),
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

/** Outputs of a strip in a column, with few taps; a processor has few registers for more. */
const HEIGHT = 4;

/** The steps of the height of a strip: fewer where more is held, or where taps make long kernels. */
export function heightOf(g: Geometry, perStep: number): number {
  const most = g.kernelHeight * g.kernelWidth > 25 ? HEIGHT / 2 : HEIGHT;
  return Math.max(1, Math.floor(most / perStep));
}
