import { IMAGE } from "../../nn/network.ts";
import { type Constant, numbersOf } from "./constant.ts";
import type { Operator, Operators } from "./operator.ts";
import { made, type Reading } from "./reading.ts";
import type { Step } from "./step.ts";
import {
  type Affine,
  axesOf,
  type FileValue,
  type ImageValue,
  isPixel,
  type RowsValue,
  sizesText,
} from "./value.ts";

type Tensor = ImageValue | RowsValue;

/** The later of two stages. */
function laterStage(a: ImageValue, b: ImageValue): Pick<ImageValue, "stage"> {
  const stages = [a.stage, b.stage].filter((stage) => stage !== undefined);
  return stages.length ? { stage: Math.max(...stages) } : {};
}

/** Both as rows where one is and nothing wants images. */
function alike(step: Step, reading: Reading, a: Tensor, b: Tensor): readonly [Tensor, Tensor] {
  const pixel = (x: Tensor) => x.kind === "rows" || (x.layout === "flat" && isPixel(x));
  if (a.kind === b.kind || !pixel(a) || !pixel(b)) return [a, b];
  return [reading.rows(step, a), reading.rows(step, b)];
}

function sameSides(a: ImageValue, b: ImageValue): boolean {
  return a.height === b.height && a.width === b.width;
}

function refuseUnlike(step: Step, a: Tensor, b: Tensor): never {
  return step.refuse(`wanted inputs of equal sizes, found ${sizesText(a)} and ${sizesText(b)}`);
}

/** A sum of two values. */
const sum = (step: Step, reading: Reading): FileValue => {
  const [a, b] = alike(step, reading, reading.tensor(step, 0), reading.tensor(step, 1));
  if (a.kind === "rows" && b.kind === "rows" && a.channels === b.channels) {
    return made(a, reading.n.add(a.value, b.value));
  }
  if (
    a.kind === "rows" || b.kind === "rows" || a.layout !== b.layout || a.channels !== b.channels ||
    !sameSides(a, b)
  ) return refuseUnlike(step, a, b);
  return { ...made(a, reading.n.add(a.value, b.value)), ...laterStage(a, b) };
};

/** A product of two values, one of which may be a number for each channel of an image. */
const product = (step: Step, reading: Reading): FileValue => {
  const [a, b] = alike(step, reading, reading.tensor(step, 0), reading.tensor(step, 1));
  if (a.kind === "rows" && b.kind === "rows" && a.channels === b.channels) {
    return made(a, reading.n.multiply(a.value, b.value));
  }
  if (
    a.kind === "rows" || b.kind === "rows" || a.layout !== b.layout || a.channels !== b.channels ||
    !(sameSides(a, b) || isPixel(a) || isPixel(b))
  ) return refuseUnlike(step, a, b);
  const [x, gate] = isPixel(a) ? [b, a] : [a, b];
  return { ...made(x, reading.n.multiply(x.value, gate.value)), ...laterStage(a, b) };
};

/** The numbers of a constant for each channel of a value. */
export function byChannel(
  step: Step,
  x: Tensor,
  { shape, ...constant }: Constant,
): readonly number[] {
  const axes = axesOf(x);
  const isChannels = (axis: number): boolean => axes.at(axis - shape.length) === "c";
  const wide = shape.flatMap((size, axis) => size === 1 ? [] : [axis]);
  const fits = shape.length <= axes.length && wide.length <= 1 &&
    wide.every((axis) => isChannels(axis) && shape[axis] === x.channels);
  const flat = x.kind === "image" && x.layout === "flat" && !isPixel(x);
  if (!fits || flat) {
    return step.refuse(
      `wanted a constant with a number for each of ${x.channels} channels, found one of ` +
        `${shape.join(" x ")} beside ${sizesText(x)}`,
    );
  }
  const numbers = numbersOf({ shape, ...constant }).map(Number);
  return Array.from({ length: x.channels }, (_, c) => numbers[wide.length ? c : 0]);
}

/** What the file does to pixels before the first layer. */
function onPixels(step: Step, x: ImageValue, numbers: readonly number[]): FileValue {
  const one = numbers.map(() => 1);
  const { scale, shift }: Affine = x.affine ?? { scale: one, shift: one.map(() => 0) };
  const mapped = (values: readonly number[], f: (value: number, number: number) => number) =>
    values.map((value, c) => f(value, numbers[c]));
  switch (step.op) {
    case "Add":
      return { ...x, affine: { scale, shift: mapped(shift, (s, n) => s + n) } };
    case "Sub":
      return { ...x, affine: { scale, shift: mapped(shift, (s, n) => s - n) } };
    case "Mul":
      return {
        ...x,
        affine: { scale: mapped(scale, (s, n) => s * n), shift: mapped(shift, (s, n) => s * n) },
      };
    default:
      return {
        ...x,
        affine: { scale: mapped(scale, (s, n) => s / n), shift: mapped(shift, (s, n) => s / n) },
      };
  }
}

/** A sum or a product with a constant: a normalisation of pixels, or a scale of channels. */
function withConstant(step: Step, reading: Reading, constant: number): FileValue {
  const other = 1 - constant;
  const found = reading.any(step, other);
  const isFirst = found.kind === "image" && found.value === IMAGE;
  const turned = constant === 0 && (step.op === "Sub" || step.op === "Div");
  if (found.kind === "image" && isFirst && !turned) {
    return onPixels(step, found, byChannel(step, found, reading.constant(step, constant)));
  }
  if (step.op !== "Mul") {
    return step.refuse(
      "wanted a constant here only as the normalisation of pixels, or as the bias behind a Conv or " +
        "a MatMul without one, found another",
    );
  }
  const x = reading.tensor(step, other);
  const numbers = byChannel(step, x, reading.constant(step, constant));
  const name = reading.name(step, constant);
  reading.store(`${name}.gamma`, Float32Array.from(numbers));
  return made(x, reading.n.scale(x.value, { name }));
}

/** A sum or product, as two values or with a constant. */
function either(both: Operator): Operator {
  return (step, reading) => {
    const constant = [0, 1].find((i) => reading.any(step, i).kind === "constant");
    return constant === undefined ? both(step, reading) : withConstant(step, reading, constant);
  };
}

const refuseBoth: Operator = (step) =>
  step.refuse("wanted a constant as one of its inputs, found two values that depend on the image");

/** Sums and products. */
export const SUMS: Operators = {
  Add: either(sum),
  Mul: either(product),
  Sub: either(refuseBoth),
  Div: either(refuseBoth),
};
