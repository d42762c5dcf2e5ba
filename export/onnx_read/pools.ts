import type { ImageSize } from "../../nn/count.ts";
import type { Operator, Operators } from "./operator.ts";
import { type Floats, made, type Reading } from "./reading.ts";
import type { Step } from "./step.ts";
import { axesOf, type FileValue, type ImageValue } from "./value.ts";
import {
  demandWindow,
  pairOf,
  sidesAfter,
  stageAfter,
  symmetric,
  type Windows,
  windowsOf,
} from "./windows.ts";

function windowsOfPool(step: Step, x: ImageValue): Windows {
  const kernel = pairOf(step, "kernel_shape") ?? step.refuse("wanted a kernel_shape, found none");
  const windows = windowsOf(step, x, kernel);
  if (windows.dilation.join() !== "1,1") step.refuse("wanted 1 as its dilations, found others");
  return windows;
}

/** What a pool is to its layer. */
interface Pool {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly ceilMode: boolean;
}

/** A pool, and the sides that it leaves. */
interface ReadPool {
  readonly pool: Pool;
  readonly sides: ImageSize;
}

/** The side where the last window may hang over the edge, but not begin behind it. */
function ceilSide(side: number, { kernel, stride, padding }: Omit<Pool, "ceilMode">): number {
  const windows = Math.ceil((side + 2 * padding - kernel) / stride) + 1;
  return (windows - 1) * stride >= side + padding ? windows - 1 : windows;
}

function areEqual(a: ImageSize, b: ImageSize): boolean {
  return a.height === b.height && a.width === b.width;
}

/**
 * A pool of square windows, as layers have them. Padding below and at the right may be other than
 * above and at the left, where it makes as many windows as either mode of rounding.
 */
function poolOf(step: Step, x: ImageValue): ReadPool {
  const windows = windowsOfPool(step, x);
  const { kernel, stride, padding: [top, left] } = windows;
  if (kernel[0] !== kernel[1] || stride[0] !== stride[1] || top !== left) {
    return step.refuse(
      `wanted square windows, found ${kernel.join("x")} with strides ${stride.join(" and ")} and ` +
        `padding ${top} and ${left}`,
    );
  }
  const pool = { kernel: kernel[0], stride: stride[0], padding: top };
  const ceil = { height: ceilSide(x.height, pool), width: ceilSide(x.width, pool) };
  const floor = sidesAfter(x, { ...windows, padding: [top, left, top, left] });
  const asks = step.int("ceil_mode", 0) !== 0;
  if (asks) symmetric(step, windows.padding);
  const sides = asks ? ceil : sidesAfter(x, windows);
  demandWindow(step, x, sides);
  if (areEqual(sides, floor)) return { pool: { ...pool, ceilMode: false }, sides };
  if (areEqual(sides, ceil)) return { pool: { ...pool, ceilMode: true }, sides };
  return step.refuse(`wanted symmetric padding, found ${windows.padding.join(", ")}`);
}

function pooled(x: ImageValue, { pool: { stride }, sides }: ReadPool, value: number): FileValue {
  const stage = stageAfter(x, sides, [stride, stride]);
  return {
    ...{ kind: "image", value, channels: x.channels, ...sides, layout: "nchw" },
    ...stage === undefined ? {} : { stage },
  };
}

const maxPool: Operator = (step, reading) => {
  step.ignore("storage_order");
  const x = reading.image(step, 0);
  const read = poolOf(step, x);
  return pooled(x, read, reading.n.maxPool2d(x.value, read.pool));
};

/** By how many pixels the last windows hang over what is padded. */
function overhang(x: ImageValue, { pool: { kernel, stride, padding }, sides }: ReadPool): number {
  const beyond = (side: number, count: number) =>
    (count - 1) * stride + kernel - side - 2 * padding;
  return Math.max(beyond(x.height, sides.height), beyond(x.width, sides.width));
}

const averagePool: Operator = (step, reading) => {
  const x = reading.paddedImage(step, 0);
  const counts = step.int("count_include_pad", 0) !== 0;
  const read = poolOf(step, x);
  const own = step.ints("pads") ?? [0, 0];
  // Zeros of a Pad before it always count.
  const before = x.padding !== undefined;
  if (before && !counts && (own[0] > 0 || own[1] > 0)) {
    return step.refuse("wanted padding that counts, or none, behind a Pad");
  }
  if (counts && overhang(x, read) > 0 && step.int("ceil_mode", 0) === 0) {
    return step.refuse("wanted symmetric padding beside count_include_pad, found other");
  }
  const { padding } = read.pool;
  const value = reading.n.avgPool2d(x.value, {
    ...read.pool,
    ...padding > 0 ? { padding, countPadding: counts || before } : { padding },
  });
  return pooled(x, read, value);
};

/** The mean over each image, with the axes of the image left or not. */
function globalPool(step: Step, reading: Reading, x: ImageValue, keeps: boolean): FileValue {
  const { channels, stage, value: pooled } = x;
  if (!keeps && !reading.staysImage(step)) {
    return { kind: "rows", channels, value: reading.n.globalAvgPool2d(pooled) };
  }
  const value = reading.n.globalAvgPool2d(pooled, { keepImage: true });
  return {
    ...{ kind: "image", value, channels, height: 1, width: 1, pooled },
    ...{ layout: keeps ? "nchw" : "flat" },
    ...stage === undefined ? {} : { stage },
  };
}

const reduceMean: Operator = (step, reading) => {
  const x = reading.tensor(step, 0);
  const axes = (reading.has(step, 1) ? reading.wholes(step, 1) : step.ints("axes")) ?? [];
  step.ignore("noop_with_empty_axes");
  const over = axes.map((axis) => axesOf(x).at(axis)).sort().join(" and ");
  const keeps = step.int("keepdims", 1) !== 0;
  if (x.kind === "image" && over === "h and w" && (!keeps || x.layout === "nchw")) {
    return globalPool(step, reading, x, keeps);
  }
  return step.refuse(`wanted the mean over height and width, found that over ${over || "nothing"}`);
};

/** Whether a matrix has the part of each pixel of a side in the means of some windows. */
function areShares({ data, shape: [side, windows] }: Floats): boolean {
  for (let a = 0; a < windows; a++) {
    const [first, end] = [Math.floor(a * side / windows), Math.ceil((a + 1) * side / windows)];
    for (let p = 0; p < side; p++) {
      const part = p >= first && p < end ? 1 / (end - first) : 0;
      if (!(Math.abs(data[p * windows + a] - part) < 1e-6)) return false;
    }
  }
  return true;
}

/**
 * Means that make an image of one size out of any. Sides that differ are those of a pool that leaves
 * larger ones as they are.
 */
const adaptivePool: Operator = (step, reading) => {
  const x = reading.image(step, 0);
  const [rows, columns] = [reading.floats(step, 1), reading.floats(step, 2)];
  const [[above, height = 0], [left, width = 0]] = [rows.shape, columns.shape];
  const size = Math.min(height, width);
  const atLeast = height !== width;
  const fits = [rows, columns].every(({ shape }) => shape.length === 2) && above === x.height &&
    left === x.width && areShares(rows) && areShares(columns) &&
    (!atLeast || (height === Math.max(size, above) && width === Math.max(size, left)));
  if (!fits) {
    return step.refuse("wanted the means of an adaptive pool to a square, found other products");
  }
  const options = atLeast ? { size, atLeast } : { size };
  return { ...made(x, reading.n.adaptiveAvgPool2d(x.value, options)), height, width };
};

/** Pools. */
export const POOLS: Operators = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: (step, reading) => globalPool(step, reading, reading.image(step, 0), true),
  ReduceMean: reduceMean,
  adaptivePool,
};
