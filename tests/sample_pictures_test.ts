// Pictures are sampled on the GPU as they are resized on the CPU.
import { assert, assertEquals } from "@std/assert";
import type { Picture } from "../data/picture.ts";
import { Random } from "../data/random.ts";
import { INTERPOLATIONS, resample } from "../data/resample.ts";
import { samplePictures } from "../kernels/ops/sample_pictures.ts";

/** A picture of blobs and noise. */
function picture(height: number, width: number, seed: number): Picture {
  const random = new Random(seed);
  const pixels = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
    return 128 + 90 * Math.sin(y / 3 + i % 3) * Math.cos(x / 5) + 30 * random.uniform();
  });
  return { height, width, channels: 3, pixels };
}

for (const interpolation of INTERPOLATIONS) {
  Deno.test(`${interpolation}: sampling on the GPU is resizing on the CPU but for rounding`, () => {
    const source = picture(40, 53, 1);
    const slotWords = Math.ceil(source.pixels.length / 4);
    const words = new Uint32Array(slotWords);
    new Uint8Array(words.buffer).set(source.pixels);
    for (const [stepX, stepY] of [[1, 1], [2.6, 3.1], [0.7, 1.4]]) {
      const to = { height: 12, width: 20 };
      const crop = { x: 0.4, y: 1.3, stepX, stepY };
      const { pixels } = resample(source, { ...crop, to, interpolation });
      const [{ data }] = samplePictures.reference([
        { shape: [slotWords], data: Float64Array.from(words) },
        { shape: [1, 2], data: Float64Array.of(40, 53) },
        { shape: [1, 4], data: Float64Array.of(crop.x, crop.y, stepX, stepY) },
      ], {
        ...{ batch: 1, slotWords, channels: 3, outHeight: 12, outWidth: 20, interpolation },
        ...{ mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] },
      });
      assertEquals(data.length, pixels.length);
      const off = data.reduce((most, value, i) => Math.max(most, Math.abs(value - pixels[i])), 0);
      // A byte is rounded after rows and after columns.
      assert(off <= (interpolation === "bilinear" ? 1.01 : 1.5), `${stepX}, ${stepY}: ${off}`);
    }
  });
}
