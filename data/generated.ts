import { type Dataset, measureNormalization, type Split } from "./dataset.ts";
import { Random } from "./random.ts";
import { shapes } from "./shapes.ts";

/** The least side of generated images: what their shapes can be told at. */
export const LEAST_SIZE = 12;

/** What {@link generateImages} draws. */
export interface GeneratedOptions {
  /** How many images. */
  count: number;
  /** Pixels of a side, from 12 on; 32 unless told. */
  size?: number;
  /** A whole number; the same seed gives the same bytes. */
  seed: number;
  /** Other images from the same seed; "train" unless told. */
  stream?: string;
}

/** The least difference in brightness, the mean of red, green and blue in 0 to 1. */
const CONTRAST = 0.45;

/** The colours of a shape and of what is behind it; either may be the brighter one. */
function drawColours(random: Random): [number[], number[]] {
  const draw = () => [random.uniform(), random.uniform(), random.uniform()];
  const brightness = ([red, green, blue]: number[]) => (red + green + blue) / 3;
  while (true) {
    const front = draw();
    const back = draw();
    if (Math.abs(brightness(front) - brightness(back)) >= CONTRAST) return [front, back];
  }
}

/**
 * Colour images of ten kinds of shapes, one shape in each. Place, size (50 to 90 % of the image),
 * turn (up to 20 degrees), both colours, the fall of light and the noise vary independently of the
 * class, so no pixel and no colour tells it: a linear classifier fails, a small convolutional
 * network learns it in a few epochs. Image i is of class i mod 10 and does not depend on the count.
 * Raises a `RangeError` for a count below 1 or a size below 12.
 */
export function generateImages(options: GeneratedOptions): Dataset {
  const drawing = drawImages(options);
  while (true) {
    const { done, value } = drawing.next();
    if (done) return value;
  }
}

/** Images drawn between two pauses of {@link drawImages}, some milliseconds. */
const AT_ONCE = 256;

/** As {@link generateImages}, with pauses in which a program can see to other things. */
function* drawImages(
  { count, size = 32, seed, stream = "train" }: GeneratedOptions,
): Generator<undefined, Dataset> {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`Cannot generate ${count} images: wanted a whole number from 1 on`);
  }
  if (!Number.isInteger(size) || size < LEAST_SIZE) {
    throw new RangeError(
      `Cannot generate images of ${size} pixels a side: wanted a whole number from ${LEAST_SIZE} on`,
    );
  }
  const random = new Random(seed, `generated ${stream}`);
  const classes = Object.keys(shapes);
  const pixels = new Uint8Array(count * size * size * 3);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = i % classes.length;
    // Clamped, so that a store rounds and stays within 0 to 255.
    const image = new Uint8ClampedArray(pixels.buffer, i * size * size * 3, size * size * 3);
    drawShape(image, size, classes[labels[i]], random);
    if (i % AT_ONCE === AT_ONCE - 1) yield;
  }
  return {
    name: `generated ${stream}`,
    ...(stream === "train" || stream === "validation" ? { part: stream } : {}),
    classes,
    length: count,
    height: size,
    width: size,
    channels: 3,
    pixels,
    labels,
  };
}

function drawShape(image: Uint8ClampedArray, size: number, name: string, random: Random): void {
  const shape = shapes[name];
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const radius = between(0.5, 0.9) * size / 2;
  const centreX = between(radius, size - radius);
  const centreY = between(radius, size - radius);
  const turn = between(-20, 20) * Math.PI / 180;
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const lightX = between(-0.15, 0.15) / size;
  const lightY = between(-0.15, 0.15) / size;
  const [front, back] = drawColours(random);
  // The sum of a word's four bytes is nearly normal, with this mean and deviation.
  const mean = 4 * 127.5;
  const noise = between(2, 10) / Math.sqrt(4 * (256 * 256 - 1) / 12);
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = column + 0.5 - centreX;
      const y = centreY - row - 0.5;
      const distance = shape((x * cos + y * sin) / radius, (y * cos - x * sin) / radius) * radius;
      const cover = Math.min(Math.max(0.5 - distance, 0), 1);
      const light = 255 * (1 + lightX * (column - size / 2) + lightY * (row - size / 2));
      for (let c = 0; c < 3; c++) {
        const bits = random.bits();
        const sum = (bits & 255) + (bits >>> 8 & 255) + (bits >>> 16 & 255) + (bits >>> 24);
        const colour = back[c] + (front[c] - back[c]) * cover;
        image[at++] = light * colour + noise * (sum - mean);
      }
    }
  }
}

/** What {@link generatedSplit} draws. */
export interface GeneratedSplitOptions {
  /** How many training images. */
  train: number;
  /** How many validation images. */
  validation: number;
  /** Pixels of a side, from 12 on; 32 unless told. */
  size?: number;
  /** A whole number; the same seed gives the same bytes. */
  seed: number;
}

/** What the halves of a split are drawn from. */
function halves(
  { train, validation, size, seed }: GeneratedSplitOptions,
): Record<"train" | "validation", GeneratedOptions> {
  return {
    train: { count: train, size, seed, stream: "train" },
    validation: { count: validation, size, seed, stream: "validation" },
  };
}

/** Training and validation images of {@link generateImages}, from different streams of one seed. */
export function generatedSplit(options: GeneratedSplitOptions): Split {
  const { train, validation } = halves(options);
  const trainSet = generateImages(train);
  return {
    train: trainSet,
    validation: generateImages(validation),
    normalization: measureNormalization(trainSet),
  };
}

/** The images of {@link generatedSplit}, drawn so that signals and timers come through meanwhile. */
export async function drawSplit(
  options: GeneratedSplitOptions,
): Promise<Pick<Split, "train" | "validation">> {
  const draw = async (options: GeneratedOptions): Promise<Dataset> => {
    const drawing = drawImages(options);
    while (true) {
      const { done, value } = drawing.next();
      if (done) return value;
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  const { train, validation } = halves(options);
  return { train: await draw(train), validation: await draw(validation) };
}
