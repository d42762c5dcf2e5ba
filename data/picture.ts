/** The size of a picture in pixels. */
export interface PictureSize {
  /** Pixels from top to bottom. */
  readonly height: number;
  /** Pixels from left to right. */
  readonly width: number;
}

/** A decoded picture: sRGB or grey, upright, without transparency. */
export interface Picture extends PictureSize {
  /** Bytes of a pixel: 1 for grey, 3 for red, green, blue. */
  readonly channels: number;
  /** `[height, width, channels]`, one byte each. */
  readonly pixels: Uint8Array<ArrayBuffer>;
}
