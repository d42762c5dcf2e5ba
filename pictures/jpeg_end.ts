const [SOI, EOI, SOS] = [0xd8, 0xd9, 0xda];
/** Frames with one scan of all components, or one of each. */
const SEQUENTIAL = [0xc0, 0xc1];
const FRAMES = [...SEQUENTIAL, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

/** Whether a JPEG has all its pixels in one scan. */
function hasOneScan(bytes: Uint8Array): boolean {
  let components = 0;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1];
    if (FRAMES.includes(marker)) {
      if (!SEQUENTIAL.includes(marker)) return false;
      components = bytes[at + 9];
    }
    if (marker === SOS) return components > 0 && bytes[at + 4] === components;
    if (marker === SOI || marker === EOI) return false;
    at += 2 + (bytes[at + 2] << 8 | bytes[at + 3]);
  }
  return false;
}

/**
 * A JPEG with the marker at its end, which some programs leave out. It is put there only where a
 * decoder would find out that pixels are missing as well: in a file of many scans it would not.
 */
export function wholeJpeg(bytes: Uint8Array): Uint8Array {
  const [first, second] = bytes.subarray(-2);
  if (first === 0xff && second === EOI || !hasOneScan(bytes)) return bytes;
  const whole = new Uint8Array(bytes.length + 2);
  whole.set(bytes);
  whole.set([0xff, EOI], bytes.length);
  return whole;
}
