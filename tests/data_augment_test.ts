import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  centralCrop,
  cropFlip,
  type CropWriter,
  identity,
  randomResizedCrop,
} from "../data/augment.ts";
import { Random } from "../data/random.ts";
import { augmentationPlan } from "../train/augment/plan.ts";
import type { TrainOptions } from "../train/types.ts";

/** The crops of `count` images. */
function write(writer: CropWriter, count: number): number[][] {
  const crops = new Float32Array(4 * count);
  return Array.from({ length: count }, (_, k) => {
    writer(crops, 4 * k);
    return [...crops.subarray(4 * k, 4 * k + 4)];
  });
}

/** Where output pixel i samples. */
function at(start: number, step: number, i: number): number {
  return start + (i + 0.5) * step - 0.5;
}

/** The edges of what is sampled, left to right and top to bottom. */
function edges([x0, y0, stepX, stepY]: number[], size: number): number[] {
  const x1 = x0 + size * stepX;
  return [Math.min(x0, x1), Math.max(x0, x1), y0, y0 + size * stepY];
}

Deno.test("a crop is written at its offset and nowhere else", () => {
  const crops = new Float32Array(12).fill(9);
  identity()(crops, 4);
  assertEquals([...crops], [9, 9, 9, 9, 0, 0, 1, 1, 9, 9, 9, 9]);
});

Deno.test("identity() samples every pixel where it is", () => {
  const [[x0, y0, stepX, stepY]] = write(identity(), 1);
  assertEquals([at(x0, stepX, 5), at(y0, stepY, 31)], [5, 31]);
});

Deno.test("cropFlip() falls on pixels, reaches every offset and mirrors half the images", () => {
  const all = write(cropFlip({ random: new Random(1), size: 32, padding: 4 }), 4000);
  const starts = { x: new Set<number>(), y: new Set<number>() };
  let mirrored = 0;
  for (const [x0, y0, stepX, stepY] of all) {
    const [first, last] = [at(x0, stepX, 0), at(x0, stepX, 31)];
    assert(Number.isInteger(first) && Math.abs(last - first) === 31 && stepY === 1);
    starts.x.add(Math.min(first, last));
    starts.y.add(at(y0, stepY, 0));
    if (last < first) mirrored++;
  }
  const offsets = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
  assertEquals([...starts.x].sort((a, b) => a - b), offsets);
  assertEquals([...starts.y].sort((a, b) => a - b), offsets);
  assert(Math.abs(mirrored - 2000) < 150, String(mirrored));
});

Deno.test("cropFlip() without padding mirrors about the middle", () => {
  const all = write(cropFlip({ random: new Random(2), size: 7, padding: 0 }), 50);
  const mirrored = all.find(([, , stepX]) => stepX < 0) ?? [];
  assertEquals([0, 1, 6].map((i) => at(mirrored[0], mirrored[2], i)), [6, 5, 0]);
});

Deno.test("randomResizedCrop() stays within the source, in its share of area and its ratio", () => {
  const options = { random: new Random(3), sourceHeight: 60, sourceWidth: 80, outputSize: 32 };
  const all = write(randomResizedCrop(options), 2000);
  const areas: number[] = [];
  for (const crop of all) {
    const [left, right, top, bottom] = edges(crop, 32);
    assert(left > -1e-4 && right < 80 + 1e-4 && top > -1e-4 && bottom < 60 + 1e-4, String(crop));
    const ratio = (right - left) / (bottom - top);
    assert(ratio > 3 / 4 - 1e-4 && ratio < 4 / 3 + 1e-4, String(ratio));
    areas.push((right - left) * (bottom - top) / 4800);
  }
  assert(Math.min(...areas) > 0.35 - 1e-4 && Math.min(...areas) < 0.37);
  assert(Math.max(...areas) < 1 + 1e-4 && Math.max(...areas) > 0.9);
  const mirrored = all.filter(([, , stepX]) => stepX < 0).length;
  assert(Math.abs(mirrored - 1000) < 120, String(mirrored));
});

Deno.test("randomResizedCrop() takes the middle of a source too long for any ratio", () => {
  const random = new Random(4);
  const sizes = { sourceHeight: 10, sourceWidth: 1000, outputSize: 5, hflip: 0 };
  const wide = write(randomResizedCrop({ random, ...sizes, scale: [0.9, 1] }), 1)[0];
  const [left, right, top, bottom] = edges(wide, 5).map((v) => Math.round(v * 100) / 100);
  assertEquals([left, right, top, bottom], [493.33, 506.67, 0, 10]);
});

Deno.test("randomResizedCrop() and cropFlip() leave mirroring out when told", () => {
  const random = new Random(5);
  const resized = { random, sourceHeight: 8, sourceWidth: 8, outputSize: 8, hflip: 0 };
  const writers = [
    randomResizedCrop(resized),
    cropFlip({ random, size: 8, padding: 1, hflip: 0 }),
  ];
  for (const writer of writers) assert(write(writer, 100).every(([, , stepX]) => stepX > 0));
});

Deno.test("centralCrop() cuts the central square of the shorter side", () => {
  const options = { sourceHeight: 114, sourceWidth: 200, outputSize: 50 };
  const [crop] = write(centralCrop(options), 1);
  assertEquals(crop.map((v) => Math.round(v * 1000) / 1000), [50, 7, 2, 2]);
  const [whole] = write(
    centralCrop({ sourceHeight: 32, sourceWidth: 32, outputSize: 32, fraction: 1 }),
    1,
  );
  assertEquals(whole, [0, 0, 1, 1]);
});

Deno.test("crops say which of their parameters is wrong", () => {
  const random = new Random(6);
  const message = (run: () => unknown) => assertThrows(run, RangeError).message;
  const sizes = { random, sourceHeight: 8, sourceWidth: 8, outputSize: 8 };
  assertEquals(
    message(() => cropFlip({ random, size: 32, padding: 32 })),
    "Cannot crop: wanted a padding from 0 to 31 pixels, found 32",
  );
  assertEquals(
    message(() => cropFlip({ random, size: 0, padding: 0 })),
    "Cannot crop: wanted size to be a whole number from 1 on, found 0",
  );
  assertEquals(
    message(() => randomResizedCrop({ ...sizes, scale: [0.5, 2] })),
    "Cannot crop: wanted a scale within (0, 1], found [0.5,2]",
  );
  assertEquals(
    message(() => randomResizedCrop({ ...sizes, ratio: [2, 1] })),
    "Cannot crop: wanted two ascending positive ratios, found [2,1]",
  );
  assertEquals(
    message(() => randomResizedCrop({ ...sizes, outputSize: 2.5 })),
    "Cannot crop: wanted outputSize to be a whole number from 1 on, found 2.5",
  );
  assertEquals(
    message(() => centralCrop({ ...sizes, fraction: 0 })),
    "Cannot crop: wanted a fraction within (0, 1], found 0",
  );
});

Deno.test("a training crop is moved by an eighth of the short side at most", () => {
  const options = { augment: "crop", hflip: 0, vflip: 0 } as TrainOptions;
  const normalization = { mean: [0.5], std: [0.5] };
  for (const [height, width, most] of [[8, 64, 1], [64, 8, 1], [2, 64, 0], [32, 32, 4]] as const) {
    const { crop } = augmentationPlan(options, { height, width, normalization });
    const all = write(crop(new Random(3), { height, width }), 300);
    const moves = all.flatMap(([x0, y0, stepX, stepY]) => [at(x0, stepX, 0), at(y0, stepY, 0)]);
    assertEquals(Math.max(...moves.map(Math.abs)), most, `${height}x${width}`);
  }
});
