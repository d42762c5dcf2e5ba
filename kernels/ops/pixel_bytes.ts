import { channelDims, channelValues, channelVector } from "../wgsl/channel_numbers.ts";

/** By what pixels are normalised: (value / 255 - mean) / std, channel by channel. */
export interface PixelNormalization {
  /** Mean of each channel, for values from 0 to 1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel. */
  readonly std: readonly number[];
}

/** The dims of a kernel that normalises pixels. */
export const NORMALIZING = { ...channelDims("scale"), ...channelDims("shift") } as const;

/** The values of {@link NORMALIZING}. */
export function normalizing({ mean, std }: PixelNormalization): Record<
  keyof typeof NORMALIZING,
  number
> {
  return {
    ...channelValues("scale", std.map((s) => 1 / (255 * s))),
    ...channelValues("shift", std.map((s, c) => -mean[c] / s)),
  };
}

/** WGSL of `normalized(v)`, for values from 0 to 255. What pads a pixel becomes zero. */
export const NORMALIZED: string = /* wgsl */ `
fn normalized(v: vec4f) -> vec4f {
  return fma(v, ${channelVector("scale")}, ${channelVector("shift")});
}
`;

/**
 * WGSL of `bytes_at(first, at)`: `dims.channels` bytes from byte `at` on behind word `first` of
 * `pixels`, `dims.words` long. Those past its channels are of the next pixel, and get dropped by a
 * scale of zero.
 */
export const BYTES_AT: string = /* wgsl */ `
fn bytes_at(first: u32, at: u32) -> vec4f {
  let word = first + at / 4u;
  let bits = (at % 4u) * 8u;
  var bytes = pixels[word] >> bits;
  if (bits + dims.channels * 8u > 32u) {
    bytes |= pixels[min(word + 1u, dims.words - 1u)] << (32u - bits);
  }
  return vec4f((vec4u(bytes) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u));
}
`;

/** Raises errors for a normalisation that is none for images of so many channels. */
export function checkNormalizing(
  op: string,
  { mean, std }: PixelNormalization,
  { channels, what = "images" }: { readonly channels: number; readonly what?: string },
): void {
  if (mean.length !== channels || std.length !== channels) {
    throw new TypeError(
      `Cannot apply ${op} as the ${what} have ${channels} channels: found ${mean.length} means ` +
        `and ${std.length} standard deviations`,
    );
  }
  if (std.some((s) => !(s > 0))) {
    throw new RangeError(
      `Cannot apply ${op}: wanted standard deviations above 0, found [${std}]`,
    );
  }
}
