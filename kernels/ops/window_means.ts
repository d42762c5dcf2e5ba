import { LANES } from "../wgsl/elementwise.ts";
import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import { type Along, ALONG_DIMS, eachPosition, sides } from "./along_sides.ts";
import { WINDOWS, windowsOf } from "./pool_windows.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Trace } from "../program/trace.ts";

/** How windows lie along a side. */
export interface MeanWindows {
  /** Positions of a window. */
  readonly kernel: number;
  /** Positions from one window to the next. */
  readonly stride: number;
  /** Zeros before the first position and after the last. */
  readonly padding: number;
  /** Of these zeros at each end, those that count as positions of a window. */
  readonly counted: number;
}

const DIMS = {
  ...ALONG_DIMS,
  kernel: "u32",
  stride: "u32",
  padding: "u32",
  counted: "u32",
} as const;

/** `divisor(start)`: the positions that count of the window from `start` on, padding included. */
const DIVISOR = /* wgsl */ `
fn divisor(start: u32) -> f32 {
  let end = min(start + dims.kernel, dims.length + dims.padding + dims.counted);
  return f32(end - max(start, dims.padding - dims.counted));
}`;

const means = defineKernel({
  name: "window means",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: DIMS,
  wgsl: DIVISOR + eachPosition(
    "windows",
    `let start = at * dims.stride;
  let first = max(start, dims.padding) - dims.padding;
  let end = min(start + dims.kernel, dims.length + dims.padding) - dims.padding;
  var sum = vec4f();
  for (var p = first; p < end; p++) { sum += x((o * dims.length + p) * dims.inner + c); }
  set_y(i, sum / divisor(start));`,
  ),
  iterations: ({ kernel }) => kernel + 1,
});

// Each position adds up dy / (positions that count of the window) of the windows that contain it.
const gradient = defineKernel({
  name: "window means gradient",
  workgroupSize: LANES,
  reads: { dy: "bulk" },
  writes: { dx: "bulk" },
  dims: DIMS,
  wgsl: WINDOWS + DIVISOR + eachPosition(
    "length",
    `let containing = windows(at + dims.padding, dims.windows);
  var sum = vec4f();
  for (var a = containing.x; a < containing.y; a++) {
    sum += dy((o * dims.windows + a) * dims.inner + c) / divisor(a * dims.stride);
  }
  set_dx(i, sum);`,
  ),
  iterations: (dims) => windowsOf(dims) + 1,
});

function run<R extends string, W extends string>(
  trace: Trace,
  kernel: Kernel<R, W, keyof typeof DIMS>,
  operands: { reads: Record<R, Tensor>; writes: Record<W, Tensor> },
  { along, windows, made }: { along: Along; windows: MeanWindows; made: Tensor },
): void {
  const workgroups = Math.ceil(made.quads / LANES);
  trace.run(kernel, { ...operands, dims: { ...along, ...windows }, workgroups });
}

/**
 * Records the means of the windows of images x into y: means along the rows, and of these along the
 * columns, as many loads for each as a window has on a side.
 */
export function recordWindowMeans(trace: Trace, x: Tensor, y: Tensor, windows: MeanWindows): void {
  const { across, down, between } = sides(x, y);
  const rows = trace.tensor("row means", between);
  run(trace, means, { reads: { x }, writes: { y: rows } }, { along: across, windows, made: rows });
  run(trace, means, { reads: { x: rows }, writes: { y } }, { along: down, windows, made: y });
}

/** Records the gradient of {@link recordWindowMeans} into dx, given dy. */
export function recordWindowMeansGradient(
  trace: Trace,
  dy: Tensor,
  dx: Tensor,
  windows: MeanWindows,
): void {
  const { across, down, between } = sides(dx, dy);
  const rows = trace.tensor("row means gradient", between);
  const first = { reads: { dy }, writes: { dx: rows } };
  run(trace, gradient, first, { along: down, windows, made: rows });
  const second = { reads: { dy: rows }, writes: { dx } };
  run(trace, gradient, second, { along: across, windows, made: dx });
}
