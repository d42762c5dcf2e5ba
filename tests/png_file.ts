// PNGs of all kinds, written by the format's own rules: sharp writes few of them.
import { deflateSync } from "node:zlib";

/** Samples of a pixel by PNG's colour types. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** The first column and row, and the steps, of the seven passes of Adam7. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let i = 0; i < 8; i++) byte = byte & 1 ? 0xedb88320 ^ byte >>> 1 : byte >>> 1;
  return byte >>> 0;
});

function checksum(bytes: Uint8Array): number {
  return ~bytes.reduce((crc, byte) => TABLE[(crc ^ byte) & 255] ^ crc >>> 8, ~0) >>> 0;
}

/** A chunk of a PNG: length, name, data and checksum. */
export function pngChunk(name: string, data: Uint8Array | readonly number[]): Uint8Array {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, checksum(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** What a PNG holds. */
export interface PngContent {
  readonly width: number;
  readonly height: number;
  /** 1, 2, 4, 8 or 16. */
  readonly bits: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly type: number;
  /** Whether pixels are in Adam7's order. */
  readonly interlaced?: boolean;
  /** The sample `c` of the pixel in column `x` of row `y`. */
  readonly sample: (x: number, y: number, c: number) => number;
  /** Chunks before the pixels, as a palette. */
  readonly chunks?: readonly Uint8Array[];
}

/** Rows of some of the pixels, each after the number of its filter, which is none. */
function packRows(content: PngContent, columns: readonly number[], rows: readonly number[]) {
  const { bits, type, sample } = content;
  const size = Math.ceil(columns.length * SAMPLES[type] * bits / 8);
  const packed = new Uint8Array(rows.length * (1 + size));
  rows.forEach((y, row) => {
    let bit = 8 * (row * (1 + size) + 1);
    for (const x of columns) {
      for (let c = 0; c < SAMPLES[type]; c++, bit += bits) {
        const value = sample(x, y, c);
        if (bits === 16) packed.set([value >> 8, value & 255], bit >> 3);
        else packed[bit >> 3] |= value << 8 - bits - (bit & 7);
      }
    }
  });
  return packed;
}

function steps(from: number, by: number, to: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / by)) }, (_, i) => from + i * by);
}

/** A file of that content. */
export function pngFile(content: PngContent): Uint8Array<ArrayBuffer> {
  const { width, height, bits, type, interlaced = false, chunks = [] } = content;
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, width);
  new DataView(head.buffer).setUint32(4, height);
  head.set([bits, type, 0, 0, interlaced ? 1 : 0], 8);
  const rows = (interlaced ? PASSES : [[0, 0, 1, 1]]).flatMap(([x, y, stepX, stepY]) => {
    const columns = steps(x, stepX, width);
    return columns.length === 0 ? [] : [...packRows(content, columns, steps(y, stepY, height))];
  });
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    pngChunk("IHDR", head),
    ...chunks,
    pngChunk("IDAT", deflateSync(Uint8Array.from(rows))),
    pngChunk("IEND", []),
  ];
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
