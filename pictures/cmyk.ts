import type { Pixels } from "../data/channels.ts";

/** A product of bytes over 255, rounded. */
function share(a: number, b: number): number {
  return (2 * a * b + 255) / 510 | 0;
}

/**
 * Cyan, magenta, yellow and black as RGB where no profile says what the inks look like, as Pillow
 * does: each takes its share away from white.
 *
 * @param pixels `[height, width, 4]`, 255 for full ink.
 */
export function cmykToRgb({ width, height, pixels }: Pixels): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    const light = 255 - pixels[from + 3];
    for (let c = 0; c < 3; c++) rgb[to + c] = light - share(pixels[from + c], light);
  }
  return { width, height, channels: 3, pixels: rgb };
}
