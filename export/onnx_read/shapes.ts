import { BATCH, type Size, sizesConstant } from "./constant.ts";
import type { Operators } from "./operator.ts";
import { made, type Reading } from "./reading.ts";
import type { Step } from "./step.ts";
import {
  axesOf,
  type FileValue,
  type ImageValue,
  isPixel,
  type Layout,
  type RowsValue,
  sizesOf,
  sizesText,
} from "./value.ts";

type Tensor = ImageValue | RowsValue;

/** A row of features for each image: channels · height · width. */
function flattened(step: Step, reading: Reading, x: Tensor): FileValue {
  if (x.kind === "rows") return x;
  if (isPixel(x) && !reading.staysImage(step)) return reading.rows(step, x);
  if (x.layout === "nchw" || x.layout === "flat" || isPixel(x)) return { ...x, layout: "flat" };
  return step.refuse(`wanted channels before height and width, found ${sizesText(x)}`);
}

function flatten(step: Step, reading: Reading): FileValue {
  const x = reading.tensor(step, 0);
  const axis = step.int("axis", 1);
  const count = axesOf(x).length;
  if ((axis < 0 ? axis + count : axis) === 1) return flattened(step, reading, x);
  return step.refuse(`wanted 1 as its axis, found ${axis}`);
}

/** The sizes that a reshape asks for but the first, the number of images; nothing for another first. */
function wantedSizes(
  asked: readonly Size[],
  { own, batch, zeros }: { own: readonly number[]; batch: number | undefined; zeros: boolean },
): readonly number[] | undefined {
  const total = own.reduce((product, size) => product * size, 1);
  const [first, ...others] = asked;
  const sizes = others.map((size, i) => size === 0 && zeros ? own[i] ?? 0 : size);
  const known = sizes.reduce<number>((p, size) => size === -1 ? p : p * Number(size), 1);
  const open = sizes.filter((size) => size === -1).length;
  const keeps = first === BATCH || (first === 0 && zeros) ||
    (batch !== undefined && first === batch) ||
    (first === -1 && open === 0);
  if (!keeps || open > 1 || sizes.includes(BATCH)) return undefined;
  const found = sizes.map((size) => size === -1 ? total / known : Number(size));
  return found.reduce((p, size) => p * size, 1) === total ? found : undefined;
}

/** The value whose axes are those of another order or number. */
function reshaped(step: Step, reading: Reading, x: Tensor, sizes: readonly number[]): FileValue {
  const text = sizes.join();
  if (text === sizesOf(x).join()) return x;
  if (sizes.length === 1) return flattened(step, reading, x);
  const refuse = () =>
    step.refuse(
      `wanted a reshape to rows, back to an image, or of a shuffle of channels, found one of ` +
        `${sizesText(x)} to ${["batch", ...sizes].join(" x ")}`,
    );
  if (x.kind === "rows") return refuse();
  const { channels, height, width, layout } = x;
  const image = [channels, height, width].join();
  if (layout === "flat" && text === image) return { ...x, layout: "nchw" };
  if (layout === "shuffled" && text === image) {
    const groups = x.groups ?? 1;
    const { groups: _, ...rest } = made(x, reading.n.channelShuffle(x.value, { groups }));
    return { ...rest, layout: "nchw" };
  }
  const [groups] = sizes;
  if (layout === "nchw" && text === [groups, channels / groups, height, width].join()) {
    return { ...x, layout: "grouped", groups };
  }
  return refuse();
}

function reshape(step: Step, reading: Reading): FileValue {
  const x = reading.tensor(step, 0);
  const asked = reading.sizes(step, 1) ?? [];
  const zeros = step.int("allowzero", 0) === 0;
  const [batch] = reading.graph.input.sizes;
  const sizes = wantedSizes(asked, { own: sizesOf(x), batch, zeros });
  if (sizes) return reshaped(step, reading, x, sizes);
  return step.refuse(
    `wanted a reshape that leaves the number of images, found one of ${sizesText(x)} to ` +
      asked.join(" x "),
  );
}

/** Layouts by the order of axes that makes them of others. */
const TRANSPOSED: Readonly<Record<string, Layout>> = {
  "nchw 0,2,3,1": "nhwc",
  "nhwc 0,3,1,2": "nchw",
  "grouped 0,2,1,3,4": "shuffled",
};

function transpose(step: Step, reading: Reading): FileValue {
  const x = reading.tensor(step, 0);
  const order = step.ints("perm") ?? axesOf(x).map((_, i) => i).toReversed();
  if (order.every((axis, i) => axis === i)) return x;
  const layout = x.kind === "image" ? TRANSPOSED[`${x.layout} ${order.join()}`] : undefined;
  if (x.kind === "image" && layout) return { ...x, layout };
  return step.refuse(
    `wanted channels put behind height and width, or back, found ${sizesText(x)} in the order ` +
      order.join(", "),
  );
}

/** Axes that are named by an attribute, or since operator set 13 by an input, counted from 0. */
function namedAxes(step: Step, reading: Reading, count: number): string {
  const axes = (reading.has(step, 1) ? reading.wholes(step, 1) : step.ints("axes")) ?? [];
  return axes.map((axis) => axis < 0 ? axis + count : axis).sort().join();
}

function squeeze(step: Step, reading: Reading): FileValue {
  const x = reading.tensor(step, 0);
  const axes = namedAxes(step, reading, axesOf(x).length);
  if (x.kind === "image" && isPixel(x) && x.layout === "nchw" && (axes === "2,3" || axes === "")) {
    return flattened(step, reading, x);
  }
  return step.refuse(
    `wanted height and width of a single pixel, found axes ${axes} of ${sizesText(x)}`,
  );
}

function unsqueeze(step: Step, reading: Reading): FileValue {
  const x = reading.tensor(step, 0);
  const axes = namedAxes(step, reading, axesOf(x).length + 2);
  if (x.kind === "image" && isPixel(x) && x.layout === "flat" && axes === "2,3") {
    return { ...x, layout: "nchw" };
  }
  return step.refuse(`wanted a height and a width for rows, found axes ${axes} of ${sizesText(x)}`);
}

function shape(step: Step, reading: Reading): FileValue {
  const x = reading.tensor(step, 0);
  const sizes: readonly Size[] = [BATCH, ...sizesOf(x)];
  const end = step.has("end") ? step.int("end", 0) : undefined;
  return sizesConstant(sizes.slice(step.int("start", 0), end));
}

function pad(step: Step, reading: Reading): FileValue {
  const x = reading.paddedImage(step, 0);
  const mode = step.word("mode", "constant");
  const value = reading.number(step, 2) ?? 0;
  if (mode !== "constant" || value !== 0) {
    return step.refuse(`wanted zeros, found ${mode === "constant" ? value : mode}`);
  }
  const axes = reading.wholes(step, 3) ?? [0, 1, 2, 3];
  const given = reading.wholes(step, 1) ?? [];
  const all = [0, 0, 0, 0, 0, 0, 0, 0];
  axes.forEach((axis, i) => {
    const at = axis < 0 ? axis + 4 : axis;
    all[at] = given[i];
    all[at + 4] = given[i + axes.length];
  });
  const [, , top, left, , , bottom, right] = all;
  const own = [top, left, bottom, right];
  const others = [0, 1, 4, 5].every((at) => all[at] === 0);
  if (!others || given.length !== 2 * axes.length || !own.every((pad) => pad >= 0)) {
    return step.refuse(`wanted zeros around height and width, found ${given.join(", ")}`);
  }
  if (own.every((pad) => pad === 0)) return x;
  const [a, b, c, d] = own.map((pad, i) => pad + (x.padding?.[i] ?? 0));
  return { ...x, padding: [a, b, c, d] };
}

/** By how much an image is enlarged, out of factors or of the sizes that it is to have. */
function enlargement(step: Step, reading: Reading, x: ImageValue): readonly number[] {
  const scales = reading.sizes(step, 2);
  if (scales?.length) return scales.map(Number);
  const sizes = reading.sizes(step, 3);
  if (!sizes?.length) return step.refuse("wanted scales or sizes, found neither");
  const own: readonly Size[] = [BATCH, ...sizesOf(x)];
  const [batch] = reading.graph.input.sizes;
  return sizes.map((size, i) => {
    if (size === BATCH || (i === 0 && size === batch)) return 1;
    return size / Number(own[i]);
  });
}

function resize(step: Step, reading: Reading): FileValue {
  const x = reading.image(step, 0);
  step.ignore("cubic_coeff_a", "exclude_outside", "extrapolation_value", "antialias");
  const mode = step.word("mode", "nearest");
  if (mode !== "nearest") return step.refuse(`wanted nearest as its mode, found ${mode}`);
  const places = step.word("coordinate_transformation_mode", "half_pixel");
  const rounded = step.word("nearest_mode", "round_prefer_floor");
  // Each pixel of a whole enlargement is that above and at the left of it.
  const isFloor = places === "asymmetric"
    ? rounded === "floor"
    : /^(pytorch_)?half_pixel$/.test(places) && rounded.startsWith("round_prefer_");
  if (!isFloor) {
    return step.refuse(
      `wanted asymmetric with floor, or half_pixel with round_prefer_floor, found ${places} with ` +
        rounded,
    );
  }
  const [batch, channels, rows, columns] = enlargement(step, reading, x);
  const fits = batch === 1 && channels === 1 && rows === columns && Number.isSafeInteger(rows) &&
    rows >= 1;
  if (!fits) {
    return step.refuse(
      `wanted a whole enlargement, the same of height and width, found ${rows} and ${columns}`,
    );
  }
  if (rows === 1) return x;
  const value = reading.n.upsample2d(x.value, { factor: rows });
  return { ...made(x, value), height: x.height * rows, width: x.width * rows };
}

/** Operators that change the form of a value. */
export const SHAPES: Operators = {
  Flatten: flatten,
  Reshape: reshape,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Shape: shape,
  Pad: pad,
  Resize: resize,
};
