import type { Picture } from "../data/picture.ts";

/** The whole picture, at its own size. */
export const WHOLE = { kind: "level", channels: 3, side: 1e6, area: 1e12 } as const;

/** Bytes from base64, as they are in the reference files. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Noise, the same as in tests/python/pictures.py. */
export function noise(height: number, width: number, channels: number): Picture {
  let state = 1;
  const pixels = Uint8Array.from({ length: height * width * channels }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return { height, width, channels, pixels };
}

/** Slow waves of colour, which are little changed by JPEG and by reduction. */
export function waves(height: number, width: number, channels: number, period = 12): Picture {
  const pixels = new Uint8Array(height * width * channels);
  for (let i = 0; i < pixels.length; i++) {
    const [c, place] = [i % channels, Math.floor(i / channels)];
    const [x, y] = [place % width, Math.floor(place / width)];
    pixels[i] = 127 + 110 * Math.sin(x / period + c) * Math.cos(y / (period + 3) - c);
  }
  return { height, width, channels, pixels };
}

/** The mean difference of bytes. */
export function meanDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} bytes, and ${b.length}`);
  return a.reduce((sum, byte, i) => sum + Math.abs(byte - b[i]), 0) / a.length;
}

/** The part of sharp's encoders that tests write pictures with. */
interface Encoder {
  withMetadata(options: { orientation?: number }): Encoder;
  withIccProfile(profile: string): Encoder;
  toColourspace(space: string): Encoder;
  resize(options: Record<string, unknown>): Encoder;
  toFormat(format: string, options: Record<string, unknown>): Encoder;
  toBuffer(): Promise<Uint8Array>;
}

const SHARP: string = "sharp";

/** A picture on its way into a file. */
export async function encoder({ height, width, channels, pixels }: Picture): Promise<Encoder> {
  const { default: sharp } = await import(SHARP);
  return sharp(pixels, { raw: { height, width, channels } });
}

/** A picture as a file of a format of sharp's. */
export async function encode(
  picture: Picture,
  format: string,
  options: Record<string, unknown> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await encoder(picture)).toFormat(format, options).toBuffer());
}
