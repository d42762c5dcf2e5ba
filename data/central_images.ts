import type { Dataset } from "./dataset.ts";
import { centralCorner } from "./preparation.ts";
import { resample } from "./resample.ts";

/**
 * The images of a set in memory as they are validated on: the central part, brought back to their
 * size by the bilinear filter, just as pictures of that size are. `cropPct` is the side of the part
 * over the side of the image, in (0, 1]; at 1 it is the set itself.
 */
export function centralImages(dataset: Dataset, cropPct: number): Dataset {
  const { height, width, channels, length } = dataset;
  const resized = {
    height: Math.floor(height / cropPct + 1e-9),
    width: Math.floor(width / cropPct + 1e-9),
  };
  if (resized.height === height && resized.width === width) return dataset;
  const [stepX, stepY] = [width / resized.width, height / resized.height];
  const resampling = {
    x: centralCorner(resized.width, width) * stepX,
    y: centralCorner(resized.height, height) * stepY,
    stepX,
    stepY,
    to: { height, width },
    interpolation: "bilinear",
  } as const;
  const bytes = height * width * channels;
  const pixels = new Uint8Array(length * bytes);
  for (let i = 0; i < length; i++) {
    const own = dataset.pixels.slice(i * bytes, (i + 1) * bytes);
    pixels.set(resample({ height, width, channels, pixels: own }, resampling).pixels, i * bytes);
  }
  return { ...dataset, pixels };
}
