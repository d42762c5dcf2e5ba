import { defineKernel, type Kernel } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Case, Op, Values } from "../op.ts";
import type { Trace } from "../program/trace.ts";
import { type Along, ALONG_DIMS, eachPosition, sides } from "./along_sides.ts";
import { LANES } from "../wgsl/elementwise.ts";
import type { Shaped } from "../wgsl/geometry.ts";

/** Attributes of an adaptive average pool. */
export interface AdaptiveAvgPool2dAttributes {
  /** Rows of the result. */
  readonly height: number;
  /** Columns of the result. */
  readonly width: number;
}

// Window a of n over a side begins at floor(a side / n) and ends before ceil((a + 1) side / n).
const RANGE = /* wgsl */ `
fn covered(a: u32, side: u32, n: u32) -> vec2u {
  return vec2u(a * side / n, ((a + 1u) * side + n - 1u) / n);
}`;

const forward = defineKernel({
  name: "adaptive avg pool2d",
  workgroupSize: LANES,
  reads: { x: "bulk" },
  writes: { y: "bulk" },
  dims: ALONG_DIMS,
  wgsl: RANGE + eachPosition(
    "windows",
    `let window = covered(at, dims.length, dims.windows);
  var sum = vec4f();
  for (var p = window.x; p < window.y; p++) {
    sum += x((o * dims.length + p) * dims.inner + c);
  }
  set_y(i, sum / f32(window.y - window.x));`,
  ),
  iterations: ({ length, windows }) => Math.ceil(length / windows) + 2,
});

// Window a has position p where floor(a l / n) <= p < ceil((a + 1) l / n), which is where
// floor(p n / l) <= a < ceil((p + 1) n / l).
const backward = defineKernel({
  name: "adaptive avg pool2d gradient",
  workgroupSize: LANES,
  reads: { dy: "bulk" },
  writes: { dx: "bulk" },
  dims: ALONG_DIMS,
  wgsl: RANGE + eachPosition(
    "length",
    `let windows = covered(at, dims.windows, dims.length);
  var sum = vec4f();
  for (var a = windows.x; a < windows.y; a++) {
    let window = covered(a, dims.length, dims.windows);
    sum += dy((o * dims.windows + a) * dims.inner + c) / f32(window.y - window.x);
  }
  set_dx(i, sum);`,
  ),
  iterations: ({ length, windows }) => Math.ceil(windows / length) + 2,
});

function outputShape({ shape }: Shaped, { height, width }: AdaptiveAvgPool2dAttributes): number[] {
  if (shape.length !== 4) {
    throw new TypeError(
      `Cannot apply adaptive avg pool2d: wanted an input [batch, height, width, channels], found ` +
        `[${shape}]`,
    );
  }
  // Products of two sides have 32 bits.
  const sides = [height, width];
  if (!sides.every((side) => Number.isInteger(side) && side >= 1 && side < 2 ** 15)) {
    throw new RangeError(
      `Cannot apply adaptive avg pool2d: wanted whole sides from 1 to ${2 ** 15 - 1}, found ` +
        `${height}x${width}`,
    );
  }
  return [shape[0], height, width, shape[3]];
}

function run<R extends string, W extends string>(
  trace: Trace,
  kernel: Kernel<R, W, keyof Along>,
  operands: { reads: Record<R, Tensor>; writes: Record<W, Tensor> },
  { along, made }: { along: Along; made: Tensor },
): void {
  trace.run(kernel, { ...operands, dims: along, workgroups: Math.ceil(made.quads / LANES) });
}

/** The means of windows along one side of `[outer, length, inner]`. */
function meansAlong(data: Float64Array, { outer, length, windows, inner }: Along): Float64Array {
  const means = new Float64Array(outer * windows * inner);
  return means.map((_, i) => {
    const c = i % inner;
    const a = Math.floor(i / inner) % windows;
    const o = Math.floor(i / (inner * windows));
    const [first, end] = [Math.floor(a * length / windows), Math.ceil((a + 1) * length / windows)];
    let sum = 0;
    for (let p = first; p < end; p++) sum += data[(o * length + p) * inner + c];
    return sum / (end - first);
  });
}

function reference(x: Values, attributes: AdaptiveAvgPool2dAttributes): Values {
  const shape = outputShape(x, attributes);
  const [batch, height, width, channels] = x.shape;
  const across = meansAlong(Float64Array.from(x.data), {
    outer: batch * height,
    length: width,
    windows: attributes.width,
    inner: channels,
  });
  const data = meansAlong(across, {
    outer: batch,
    length: height,
    windows: attributes.height,
    inner: attributes.width * channels,
  });
  return { shape, data };
}

function on(
  shape: readonly number[],
  height: number,
  width: number,
): Case<AdaptiveAvgPool2dAttributes> {
  return { inputs: [shape], attributes: { height, width } };
}

/**
 * `adaptiveAvgPool2d(x)`: an image of given sides, whatever those of x are. Each pixel is the mean
 * of a window; windows overlap where sides are no multiples, and repeat pixels of smaller images, as
 * in PyTorch.
 */
export const adaptiveAvgPool2d: Op<AdaptiveAvgPool2dAttributes> = {
  name: "adaptive avg pool2d",
  forward: (trace, [x], attributes) => {
    const y = trace.tensor("adaptive avg pool2d", outputShape(x, attributes));
    const { across, down, between } = sides(x, y);
    const rows = trace.tensor("row means", between);
    run(trace, forward, { reads: { x }, writes: { y: rows } }, { along: across, made: rows });
    run(trace, forward, { reads: { x: rows }, writes: { y } }, { along: down, made: y });
    return [y];
  },
  vjp: (trace, { inputs: [x], outputs: [y] }, dy) => {
    const dx = trace.tensor("dadaptive avg pool2d", x.shape);
    const { across, down, between } = sides(x, y);
    const rows = trace.tensor("row means gradient", between);
    run(trace, backward, { reads: { dy }, writes: { dx: rows } }, { along: down, made: rows });
    run(trace, backward, { reads: { dy: rows }, writes: { dx } }, { along: across, made: dx });
    return [dx];
  },
  reference: ([x], attributes) => [reference(x, attributes)],
  cases: [
    on([1, 1, 1, 1], 1, 1),
    on([2, 2, 3, 5], 7, 7),
    on([1, 9, 8, 3], 7, 7),
    on([3, 7, 7, 4], 7, 7),
    on([2, 13, 1, 17], 4, 5),
    on([1, 65, 6, 1], 3, 2),
  ],
};
