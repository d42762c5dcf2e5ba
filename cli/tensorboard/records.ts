// Records of a file of events: https://www.tensorflow.org/tutorials/load_data/tfrecord.

/** CRC-32C (Castagnoli), reflected: the polynomial of iSCSI, RFC 3720. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** The CRC-32C of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ crc >>> 8;
  return ~crc >>> 0;
}

/** A checksum that is stored beside what it is of: rotated by 15 bits, plus a constant. */
function masked(crc: number): number {
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
}

/** A record: its length in 8 bytes, the checksum of these, the data, and their checksum. */
export function recordOf(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const record = new Uint8Array(16 + data.length);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return record;
}

/** The data of the records of a file, up to the first that is not whole. */
export function recordsIn(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const found: Uint8Array[] = [];
  for (let at = 0; at + 16 <= file.length;) {
    const length = Number(view.getBigUint64(at, true));
    const end = at + 16 + length;
    if (view.getUint32(at + 8, true) !== masked(crc32c(file.subarray(at, at + 8)))) break;
    if (end > file.length) break;
    const data = file.subarray(at + 12, at + 12 + length);
    if (view.getUint32(end - 4, true) !== masked(crc32c(data))) break;
    found.push(data);
    at = end;
  }
  return found;
}
