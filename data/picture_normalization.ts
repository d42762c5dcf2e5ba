import type { Normalization } from "./dataset.ts";
import { DataError } from "./error.ts";
import type { Picture } from "./picture.ts";
import type { PictureSet } from "./pictures.ts";
import { Random } from "./random.ts";

/** Pictures that are measured at most. */
const MOST_MEASURED = 2048;

/** How many pictures are asked for before the first has to be there. */
const AHEAD = 64;

/** Adds the means and the mean squares of a picture's channels, pixels being in [0, 255]. */
function add({ pixels, channels }: Picture, mean: Float64Array, square: Float64Array): void {
  const count = pixels.length / channels;
  for (let c = 0; c < channels; c++) {
    let [sum, squares] = [0, 0];
    // Exact: whole numbers below 2^53.
    for (let i = c; i < pixels.length; i += channels) {
      sum += pixels[i];
      squares += pixels[i] * pixels[i];
    }
    mean[c] += sum / count;
    square[c] += squares / count;
  }
}

/**
 * Mean and standard deviation of each channel / 255 over a sample of a set's pictures: all up to
 * 2,048, else as many that the seed draws, each as it is prepared to train on and with one weight,
 * whatever its size. Broken ones are left out. A channel that never varies gets the deviation 1. Raises
 * a {@link DataError} where no picture can be read.
 */
export async function measurePictures(
  { name, source, length, channels }: PictureSet,
  seed: number,
): Promise<Normalization> {
  const places = Uint32Array.from({ length }, (_, i) => i);
  if (length > MOST_MEASURED) new Random(seed, "pictures to normalise by").shuffle(places);
  const sample = places.subarray(0, MOST_MEASURED).sort();
  const mean = new Float64Array(channels);
  const square = new Float64Array(channels);
  let count = 0;
  const asked: Promise<Picture | undefined>[] = [];
  for (let i = 0; i < sample.length + AHEAD; i++) {
    if (i < sample.length) {
      const picture = source.read(sample[i]);
      // What fails is told when it is waited for.
      picture.catch(() => {});
      asked.push(picture);
    }
    if (i < AHEAD) continue;
    const picture = await asked.shift();
    if (!picture) continue;
    add(picture, mean, square);
    count++;
  }
  if (count === 0) {
    throw new DataError(`Cannot measure ${name}: wanted pictures that can be read, found none`);
  }
  const means = Array.from(mean, (sum) => sum / count);
  return {
    mean: means.map((x) => x / 255),
    std: means.map((x, c) => {
      const variance = square[c] / count - x ** 2;
      return variance > 0 ? Math.sqrt(variance) / 255 : 1;
    }),
  };
}
