/** What a BMP holds. */
export interface BmpContent {
  readonly width: number;
  /** Negative where the first row is the top one. */
  readonly height: number;
  readonly bits: number;
  /** 0 as they are, 1 and 2 in runs, 3 by masks. */
  readonly compression?: number;
  /** Size of the header: 12, 40 or 124. */
  readonly header?: number;
  /** Red, green, blue and alpha; of compression 3. */
  readonly masks?: readonly number[];
  /** Colours of red, green and blue. */
  readonly palette?: readonly (readonly number[])[];
  /** The bytes of the pixels, rows filled up to 4 bytes. */
  readonly pixels: readonly number[];
}

/** A file of that content. */
export function bmpFile(content: BmpContent): Uint8Array<ArrayBuffer> {
  const { width, height, bits, compression = 0, header = 40, masks = [], palette = [] } = content;
  const small = header === 12;
  const entry = small ? 3 : 4;
  const outside = header === 40 ? 4 * masks.length : 0;
  const start = 14 + header + outside + entry * palette.length;
  const file = new Uint8Array(start + content.pixels.length);
  const view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(2, file.length, true);
  view.setUint32(10, start, true);
  view.setUint32(14, header, true);
  if (small) {
    [width, height, 1, bits].forEach((value, i) => view.setUint16(18 + 2 * i, value, true));
  } else {
    view.setInt32(18, width, true);
    view.setInt32(22, height, true);
    view.setUint16(26, 1, true);
    view.setUint16(28, bits, true);
    view.setUint32(30, compression, true);
    view.setUint32(46, palette.length, true);
    masks.forEach((mask, i) => view.setUint32(54 + 4 * i, mask, true));
  }
  palette.forEach(([red, green, blue], i) => {
    file.set([blue, green, red], 14 + header + outside + entry * i);
  });
  file.set(content.pixels, start);
  return file;
}
