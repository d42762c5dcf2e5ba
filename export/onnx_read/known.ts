import { shapeText } from "../../nn/layout.ts";
import { BATCH, type Constant, numbersOf, type Size, sizesConstant } from "./constant.ts";
import type { Operators } from "./operator.ts";
import type { Reading } from "./reading.ts";
import type { Step } from "./step.ts";

/** The most numbers that are computed one by one: sizes and axes, but no weights. */
const FEW = 4096;

function few(step: Step, constant: Constant): readonly Size[] {
  const numbers = constant.floats ?? constant.sizes ?? [];
  if (numbers.length <= FEW) return numbersOf(constant);
  return step.refuse(
    `wanted weights as they are, found some that are computed of ${numbers.length}`,
  );
}

/** The same numbers in another shape. */
function inShape(step: Step, constant: Constant, shape: readonly number[]): Constant {
  const count = (constant.floats ?? constant.sizes ?? []).length;
  if (shape.reduce((product, size) => product * size, 1) === count) return { ...constant, shape };
  return step.refuse(`wanted a shape of ${count} numbers, found ${shapeText(shape)}`);
}

function computed(
  of: readonly Constant[],
  numbers: readonly Size[],
  shape: readonly number[],
): Constant {
  if (of.every(({ floats }) => floats === undefined)) return sizesConstant(numbers, shape);
  return { kind: "constant", shape, floats: Float32Array.from(numbers, Number) };
}

/** A sum, a product and so on of constants: of as many numbers, or of one with several. */
function arithmetic(compute: (a: number, b: number) => number): Operators[string] {
  return (step, reading) => {
    const both = [0, 1].map((i) => reading.constant(step, i));
    const [a, b] = both.map((constant) => few(step, constant));
    const whole = both.every(({ floats }) => floats === undefined);
    if (a.length !== b.length && a.length !== 1 && b.length !== 1) {
      return step.refuse(`wanted constants of as many numbers, found ${a.length} and ${b.length}`);
    }
    const [longer] = both.toSorted((x, y) => y.shape.length - x.shape.length);
    const numbers = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
      const [x, y] = [a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]];
      if (x === BATCH || y === BATCH) {
        return step.refuse("wanted nothing computed of the number of images, found this");
      }
      const value = compute(x, y);
      return whole ? Math.trunc(value) : value;
    });
    const wide = both.find(({ shape }) => shape.length && numbers.length > 1) ?? longer;
    return computed(both, numbers, numbers.length === 1 ? longer.shape : wide.shape);
  };
}

/** The same of each number. */
function map(compute: (x: number) => number): Operators[string] {
  return (step, reading) => {
    const x = reading.constant(step, 0);
    return computed([x], few(step, x).map((n) => n === BATCH ? n : compute(n)), x.shape);
  };
}

function cast(step: Step, reading: Reading): Constant {
  step.ignore("saturate");
  const x = reading.constant(step, 0);
  const to = step.int("to", 0);
  if (to === 1) {
    return x.floats || x.sizes?.includes(BATCH)
      ? x
      : { ...x, floats: Float32Array.from(few(step, x), Number), sizes: undefined };
  }
  if (to !== 6 && to !== 7) {
    return step.refuse("wanted a Cast to float32, int32 or int64, found another");
  }
  const whole = few(step, x).map((n) => n === BATCH ? n : Math.trunc(n));
  return sizesConstant(whole, x.shape);
}

function axesOf(step: Step, reading: Reading, count: number): number[] {
  const axes = (reading.has(step, 1) ? reading.wholes(step, 1) : step.ints("axes")) ?? [];
  return axes.map((axis) => axis < 0 ? axis + count : axis).sort((a, b) => a - b);
}

function unsqueeze(step: Step, reading: Reading): Constant {
  const x = reading.constant(step, 0);
  const given = (reading.has(step, 1) ? reading.wholes(step, 1) : step.ints("axes")) ?? [];
  const shape = [...x.shape];
  for (const axis of axesOf(step, reading, x.shape.length + given.length)) {
    shape.splice(axis, 0, 1);
  }
  return inShape(step, x, shape);
}

function squeeze(step: Step, reading: Reading): Constant {
  const x = reading.constant(step, 0);
  const axes = axesOf(step, reading, x.shape.length);
  return inShape(
    step,
    x,
    x.shape.filter((size, i) => axes.length ? !axes.includes(i) : size !== 1),
  );
}

function gather(step: Step, reading: Reading): Constant {
  const x = reading.constant(step, 0);
  const numbers = few(step, x);
  const indices = reading.constant(step, 1);
  if (step.int("axis", 0) !== 0 || x.shape.length !== 1) {
    return step.refuse(`wanted numbers of a list, found some of ${shapeText(x.shape)}`);
  }
  const chosen = few(step, indices).map((i) => {
    const found = numbers.at(Number(i));
    return found ?? step.refuse(`wanted one of ${numbers.length} numbers, found number ${i}`);
  });
  return computed([x], chosen, indices.shape);
}

function concat(step: Step, reading: Reading): Constant {
  const parts = step.inputs.map((_, i) => reading.constant(step, i));
  step.ignore("axis");
  if (parts.some(({ shape }) => shape.length !== 1)) {
    return step.refuse("wanted lists put together, found other constants");
  }
  const numbers = parts.flatMap((part) => few(step, part));
  return computed(parts, numbers, [numbers.length]);
}

function slice(step: Step, reading: Reading): Constant {
  const x = reading.constant(step, 0);
  const [starts = [], ends = [], , steps = [1]] = [1, 2, 3, 4].map((i) => reading.wholes(step, i));
  if (x.shape.length !== 1 || starts.length !== 1 || steps[0] !== 1) {
    return step.refuse(`wanted a part of a list, found one of ${shapeText(x.shape)}`);
  }
  const numbers = few(step, x).slice(starts[0], ends[0]);
  return computed([x], numbers, [numbers.length]);
}

function reshape(step: Step, reading: Reading): Constant {
  const x = reading.constant(step, 0);
  step.ignore("allowzero");
  const asked = reading.wholes(step, 1) ?? [];
  const count = (x.floats ?? x.sizes ?? []).length;
  const known = asked.reduce((product, size) => size === -1 ? product : product * size, 1);
  return inShape(step, x, asked.map((size) => size === -1 ? count / known : size));
}

function transpose(step: Step, reading: Reading): Constant {
  const { data, shape, ...rest } = reading.floats(step, 0);
  const order = step.ints("perm") ?? shape.map((_, i) => i).toReversed();
  if (
    order.toSorted((a, b) => a - b).some((axis, i) => axis !== i) || order.length !== shape.length
  ) {
    return step.refuse(`wanted an order of ${shape.length} axes, found ${order.join(", ")}`);
  }
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((p, size) => p * size, 1));
  const sizes = order.map((axis) => shape[axis]);
  const floats = new Float32Array(data.length);
  const at = sizes.map(() => 0);
  for (let i = 0; i < floats.length; i++) {
    floats[i] = data[at.reduce((sum, place, k) => sum + place * strides[order[k]], 0)];
    for (let k = at.length - 1; k >= 0 && ++at[k] === sizes[k]; k--) at[k] = 0;
  }
  return { kind: "constant", shape: sizes, floats, ...rest };
}

function filled(step: Step, reading: Reading): Constant {
  const shape = reading.wholes(step, 0) ?? [];
  const count = shape.reduce((product, size) => product * size, 1);
  const value = step.tensor("value");
  const number = value?.int64Data[0] ?? value?.floatData[0] ?? 0;
  if (!(count <= FEW) || value?.rawData.some((byte) => byte !== 0)) {
    return step.refuse(`wanted a few zeros, found ${shapeText(shape)} other numbers`);
  }
  return sizesConstant(Array.from({ length: count }, () => number), shape);
}

/** Operators on constants alone. */
export const KNOWN: Operators = {
  // Equal weights are written once, and named by copies.
  Identity: (step, reading) => ({ ...reading.constant(step, 0), name: step.output }),
  Cast: cast,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Gather: gather,
  Concat: concat,
  Slice: slice,
  Reshape: reshape,
  Transpose: transpose,
  ConstantOfShape: filled,
  Floor: map(Math.floor),
  Ceil: map(Math.ceil),
  Add: arithmetic((a, b) => a + b),
  Sub: arithmetic((a, b) => a - b),
  Mul: arithmetic((a, b) => a * b),
  Div: arithmetic((a, b) => a / b),
};
