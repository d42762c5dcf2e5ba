import { BrokenPictureError } from "../data/broken_picture.ts";
import type { Pixels } from "../data/channels.ts";
import { checkedSize } from "./most_pixels.ts";
import { runLengths } from "./bmp_runs.ts";

/** Ways in which the pixels of a BMP are written. */
const [RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS] = [0, 1, 2, 3, 6];

interface Header {
  readonly width: number;
  readonly height: number;
  /** Whether the first row is the top one. */
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Where the colour table begins, bytes of an entry, and entries. */
  readonly table: readonly [at: number, bytes: number, entries: number];
  /** Bits of red, green, blue and alpha in a pixel. */
  readonly masks: readonly number[];
  /** Where the pixels begin. */
  readonly pixels: number;
}

const MASKS: Readonly<Record<number, readonly number[]>> = {
  16: [0x7c00, 0x3e0, 0x1f, 0],
  24: [0xff0000, 0xff00, 0xff, 0],
  32: [0xff0000, 0xff00, 0xff, 0],
};

/** OS/2's header has sizes of 2 bytes and nothing after the bits of a pixel. */
const OS2 = 12;

function readHeader(view: DataView): Header {
  const pixels = view.getUint32(10, true);
  const size = view.getUint32(14, true);
  const small = size === OS2;
  const high = small ? view.getUint16(20, true) : view.getInt32(22, true);
  const width = small ? view.getUint16(18, true) : view.getInt32(18, true);
  const bits = view.getUint16(small ? 24 : 28, true);
  const compression = size >= 40 ? view.getUint32(30, true) : RGB;
  const used = size >= 40 ? view.getUint32(46, true) : 0;
  let masks = MASKS[bits] ?? [];
  let table = 14 + size;
  if (compression === BITFIELDS || compression === ALPHA_BITFIELDS) {
    // In the later headers at the same place, then with alpha.
    const count = compression === ALPHA_BITFIELDS || size >= 56 ? 4 : 3;
    masks = [0, 1, 2, 3].map((i) => i < count ? view.getUint32(54 + 4 * i, true) : 0);
    if (size === 40) table += 4 * count;
  }
  const entry = small ? 3 : 4;
  // Tables may be shorter than they say, up to the pixels.
  const room = Math.max(Math.floor((pixels - table) / entry), 0);
  const entries = bits <= 8 ? Math.min(used || 1 << bits, 1 << bits, room) : 0;
  return {
    ...{ width, height: Math.abs(high), topDown: high < 0, bits, compression, masks, pixels },
    table: [table, entry, entries],
  };
}

/** `[entries, 3]`: red, green, blue; black beyond those in the file. */
function readTable(bytes: Uint8Array, { table: [at, size, entries] }: Header): Uint8Array {
  const colours = new Uint8Array(256 * 3);
  for (let i = 0; i < entries; i++) {
    const from = at + i * size;
    colours.set([bytes[from + 2], bytes[from + 1], bytes[from]], 3 * i);
  }
  return colours;
}

/** The numbers of the colours, one a byte, top row first. */
function readIndices(bytes: Uint8Array, header: Header): Uint8Array {
  const { width, height, bits, compression, topDown, pixels } = header;
  if (compression === RLE8 || compression === RLE4) {
    return runLengths(bytes.subarray(pixels), { width, height, bits });
  }
  const stride = rowBytes(width, bits);
  const indices = new Uint8Array(width * height);
  const mask = (1 << bits) - 1;
  for (let row = 0; row < height; row++) {
    const from = pixels + (topDown ? row : height - 1 - row) * stride;
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      indices[row * width + x] = bytes[from + (bit >> 3)] >> (8 - bits - (bit & 7)) & mask;
    }
  }
  return indices;
}

function rowBytes(width: number, bits: number): number {
  return Math.ceil(width * bits / 32) * 4;
}

/** Reads a field of a pixel at full scale: of as many bits as its mask has. */
function fieldOf(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 255;
  const lowest = (mask & -mask) >>> 0;
  const most = mask / lowest;
  return (pixel) => Math.floor(((pixel & mask) >>> 0) / lowest * 255 / most);
}

function readColours(view: DataView, header: Header): Pixels {
  const { width, height, bits, topDown, masks } = header;
  const channels = masks[3] === 0 ? 3 : 4;
  const fields = masks.slice(0, channels).map(fieldOf);
  const [stride, size] = [rowBytes(width, bits), bits / 8];
  const pixels = new Uint8Array(width * height * channels);
  for (let row = 0, at = 0; row < height; row++) {
    const from = header.pixels + (topDown ? row : height - 1 - row) * stride;
    for (let x = 0; x < width; x++) {
      const place = from + x * size;
      let pixel = view.getUint16(place, true);
      if (size > 2) pixel += view.getUint8(place + 2) * 0x10000;
      if (size > 3) pixel += view.getUint8(place + 3) * 0x1000000;
      for (const field of fields) pixels[at++] = field(pixel);
    }
  }
  return { width, height, channels, pixels };
}

/**
 * Decodes a BMP: 1, 2, 4, 8, 16, 24 or 32 bits, packed in runs or not, top or bottom row first.
 * Raises a {@link BrokenPictureError} with the reason alone.
 */
export function decodeBmp(bytes: Uint8Array): Pixels {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Header;
  try {
    header = readHeader(view);
  } catch {
    throw new BrokenPictureError("a BMP picture that ends early");
  }
  const { width, height, bits, compression, pixels, table: [at, size, entries] } = header;
  checkedSize(header);
  const packed = compression === RLE8 && bits === 8 || compression === RLE4 && bits === 4;
  const fields = compression === BITFIELDS || compression === ALPHA_BITFIELDS;
  const plain = compression === RGB || fields && (bits === 16 || bits === 32);
  if (!packed && !(plain && [1, 2, 4, 8, 16, 24, 32].includes(bits))) {
    throw new BrokenPictureError(
      `a BMP picture of ${bits} bits and compression ${compression}, which is not known`,
    );
  }
  const end = packed ? pixels : pixels + rowBytes(width, bits) * height;
  if (Math.max(end, at + size * entries) > bytes.length) {
    throw new BrokenPictureError("a BMP picture that ends early");
  }
  if (bits > 8) return readColours(view, header);
  const [colours, indices] = [readTable(bytes, header), readIndices(bytes, header)];
  const decoded = new Uint8Array(indices.length * 3);
  for (let i = 0; i < indices.length; i++) {
    const from = 3 * indices[i];
    decoded[3 * i] = colours[from];
    decoded[3 * i + 1] = colours[from + 1];
    decoded[3 * i + 2] = colours[from + 2];
  }
  return { width, height, channels: 3, pixels: decoded };
}
