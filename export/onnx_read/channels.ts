import type { Operators } from "./operator.ts";
import { made, type Reading } from "./reading.ts";
import type { Step } from "./step.ts";
import {
  axesOf,
  type FileValue,
  type ImageValue,
  isPixel,
  type RowsValue,
  sizesOf,
  sizesText,
} from "./value.ts";

type Tensor = ImageValue | RowsValue;

/** Raises an error for an axis that does not run over channels alone. */
function demandChannels(step: Step, x: Tensor, axis: number): void {
  const wide = x.kind === "image" && x.layout === "flat" && !isPixel(x);
  if (axesOf(x).at(axis) === "c" && !wide) return;
  step.refuse(`wanted an axis of channels, found axis ${axis} of ${sizesText(x)}`);
}

/** Some channels of a value. */
function chosen(step: Step, reading: Reading, x: Tensor, channels: readonly number[]): FileValue {
  if (!channels.length || channels.some((c) => !(c >= 0 && c < x.channels))) {
    return step.refuse(`wanted some of ${x.channels} channels, found others`);
  }
  const isPrefix = channels.every((c, i) => c === i);
  if (isPrefix && channels.length === x.channels) return x;
  const value = isPrefix
    ? reading.n.narrow(x.value, channels.length)
    : reading.n.select(x.value, { channels });
  return { ...made(x, value), channels: channels.length };
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

function concat(step: Step, reading: Reading): FileValue {
  let parts: Tensor[] = step.inputs.map((_, i) => reading.tensor(step, i));
  const [first] = parts;
  const axis = step.int("axis", 1);
  if (parts.some((x) => x.kind === "rows")) parts = parts.map((x) => reading.rows(step, x));
  for (const x of parts) {
    demandChannels(step, x, axis);
    const alike = x.kind === first.kind && (x.kind === "rows" || first.kind === "rows" ||
      (x.layout === first.layout && x.height === first.height && x.width === first.width));
    if (!alike && x.kind === first.kind) {
      return step.refuse(
        `wanted inputs of equal sides, found ${sizesText(first)} and ${sizesText(x)}`,
      );
    }
  }
  if (parts.length === 1) return first;
  const channels = parts.reduce((sum, x) => sum + x.channels, 0);
  const value = reading.n.concat(parts.map((x) => x.value));
  const stages = parts.flatMap((x) => x.kind === "image" && x.stage !== undefined ? [x.stage] : []);
  const joined = { ...made(parts[0], value), channels };
  return joined.kind === "image" && stages.length
    ? { ...joined, stage: Math.max(...stages) }
    : joined;
}

/** The places from one bound to another, which may count from the end or lie outside, by a step. */
function places(size: number, start: number, end: number, by: number): number[] {
  const from = start < 0 ? start + size : start;
  const to = end < 0 ? end + size : end;
  const found: number[] = [];
  if (by > 0) { for (let i = Math.max(0, from); i < Math.min(size, to); i += by) found.push(i); }
  else for (let i = Math.min(size - 1, from); i > Math.max(-1, to); i += by) found.push(i);
  return found;
}

function slice(step: Step, reading: Reading): FileValue {
  const [starts = [], ends = []] = [1, 2].map((i) => reading.wholes(step, i));
  const axes = reading.wholes(step, 3) ?? starts.map((_, i) => i);
  const steps = reading.wholes(step, 4) ?? starts.map(() => 1);
  let x = reading.tensor(step, 0);
  for (const [i, axis] of axes.entries()) {
    const count = axesOf(x).length;
    const at = axis < 0 ? axis + count : axis;
    if (![starts, ends, steps].every((list) => list.length === axes.length) || steps[i] === 0) {
      return step.refuse(
        "wanted a start, an end and a step for each of its axes, found other numbers",
      );
    }
    const size = at === 0 ? undefined : sizesOf(x)[at - 1];
    const whole = steps[i] === 1 && starts[i] === 0 && ends[i] >= (size ?? 2 ** 31 - 1);
    if (whole) continue;
    demandChannels(step, x, axis);
    const next = chosen(step, reading, x, places(x.channels, starts[i], ends[i], steps[i]));
    if (next.kind === "constant") return next;
    x = next;
  }
  return x;
}

function split(step: Step, reading: Reading): FileValue[] {
  const x = reading.tensor(step, 0);
  demandChannels(step, x, step.int("axis", 0));
  const parts = step.node.output.length;
  step.ignore("num_outputs");
  const given = (reading.has(step, 1) ? reading.wholes(step, 1) : step.ints("split")) ?? [];
  const each = Math.ceil(x.channels / parts);
  const sizes = given.length
    ? given
    : range(0, parts).map((i) => Math.min(each, x.channels - i * each));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length !== parts || total !== x.channels || sizes.some((size) => size < 1)) {
    return step.refuse(
      `wanted ${parts} parts of ${x.channels} channels, found ${sizes.join(", ")}`,
    );
  }
  let start = 0;
  return sizes.map((size) => chosen(step, reading, x, range(start, start += size)));
}

function gather(step: Step, reading: Reading): FileValue {
  const x = reading.tensor(step, 0);
  demandChannels(step, x, step.int("axis", 0));
  const indices = reading.wholes(step, 1) ?? [];
  if (reading.constant(step, 1).shape.length !== 1) {
    return step.refuse("wanted a list of channels, found other indices");
  }
  return chosen(step, reading, x, indices.map((c) => c < 0 ? c + x.channels : c));
}

/** Operators that put channels together, or take some. */
export const CHANNELS: Operators = {
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
};
