import type { ImageSize } from "../../nn/count.ts";
import type { Step } from "./step.ts";
import type { ImageValue, Padding } from "./value.ts";

/** Height before width. */
export type Pair = readonly [number, number];

/** Windows over an image. */
export interface Windows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
}

/** One number where both are alike, as layers have it. */
export function side([height, width]: Pair): number | Pair {
  return height === width ? height : [height, width];
}

/** Two numbers from 1 on, of an attribute that may be left out. */
export function pairOf(step: Step, name: string): Pair | undefined {
  const found = step.ints(name);
  if (found === undefined) return undefined;
  const [height, width] = found;
  if (found.length === 2 && found.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    return [height, width];
  }
  return step.refuse(`wanted two numbers from 1 on as its ${name}, found ${found.join(", ")}`);
}

/** The pixels on both sides with which windows leave a side divided by the stride. */
function samePads(side: number, reach: number, stride: number): Pair {
  const total = Math.max(0, (Math.ceil(side / stride) - 1) * stride + reach - side);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function ownPadding(
  step: Step,
  { height, width }: ImageSize,
  { kernel, stride, dilation }: Omit<Windows, "padding">,
): Padding {
  const auto = step.word("auto_pad", "NOTSET");
  const pads = step.ints("pads") ?? [0, 0, 0, 0];
  if (auto === "VALID") return [0, 0, 0, 0];
  if (auto === "NOTSET") {
    const [top, left, bottom, right] = pads;
    if (pads.length === 4 && pads.every((pad) => Number.isSafeInteger(pad) && pad >= 0)) {
      return [top, left, bottom, right];
    }
    return step.refuse(`wanted four numbers from 0 on as its pads, found ${pads.join(", ")}`);
  }
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER") {
    return step.refuse("wanted NOTSET, VALID, SAME_UPPER or SAME_LOWER as its auto_pad");
  }
  const [rows, columns] = [height, width].map((side, i) => {
    const [less, more] = samePads(side, (kernel[i] - 1) * dilation[i] + 1, stride[i]);
    return auto === "SAME_UPPER" ? [less, more] : [more, less];
  });
  return [rows[0], columns[0], rows[1], columns[1]];
}

/** The windows that a node says, over an image and the zeros that are still to be added to it. */
export function windowsOf(step: Step, x: ImageValue, kernel: Pair): Windows {
  const [stride, dilation] = ["strides", "dilations"].map((name) => pairOf(step, name) ?? [1, 1]);
  const windows: Omit<Windows, "padding"> = {
    kernel,
    stride: [stride[0], stride[1]],
    dilation: [dilation[0], dilation[1]],
  };
  const before = x.padding ?? [0, 0, 0, 0];
  const padded = {
    height: x.height + before[0] + before[2],
    width: x.width + before[1] + before[3],
  };
  const own = ownPadding(step, padded, windows);
  const [top, left, bottom, right] = own.map((pad, i) => pad + before[i]);
  return { ...windows, padding: [top, left, bottom, right] };
}

/** The zeros above and at the left, where there are as many on the other side. */
export function symmetric(step: Step, [top, left, bottom, right]: Padding): Pair {
  if (top === bottom && left === right) return [top, left];
  return step.refuse(
    `wanted as much padding on either side, found ${top} above and ${bottom} below, ${left} at ` +
      `the left and ${right} at the right; export the model with symmetric padding`,
  );
}

/** The sides that windows leave, those that hang over an edge left out. */
export function sidesAfter(
  { height, width }: ImageSize,
  { kernel, stride, dilation, padding: [top, left, bottom, right] }: Windows,
): ImageSize {
  const sides = [height + top + bottom, width + left + right].map((side, i) =>
    Math.floor((side - (kernel[i] - 1) * dilation[i] - 1) / stride[i]) + 1
  );
  return { height: sides[0], width: sides[1] };
}

/** Raises an error for windows that leave nothing. */
export function demandWindow(step: Step, before: ImageSize, after: ImageSize): void {
  if (after.height >= 1 && after.width >= 1) return;
  step.refuse(
    `wanted an image of a window or more, found ${before.height} x ${before.width} pixels`,
  );
}

/**
 * The stage of what windows make: each time that they halve the image begins one. Nothing before
 * the first convolution.
 */
export function stageAfter({ stage, height, width }: ImageValue, after: ImageSize, stride: Pair) {
  if (stage === undefined || stride[0] * stride[1] === 1) return stage;
  const fold = Math.sqrt((height * width) / (after.height * after.width));
  return stage + Math.max(0, Math.round(Math.log2(fold)));
}
