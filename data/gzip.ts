import { DataError } from "./error.ts";
import { printable } from "./printable.ts";

/** Ends of members that are tried and are none, at most: beginnings may occur in packed bytes. */
const MOST_TRIES = 100;

/** Zeros with which a member itself may end: its checksum, its size, and the end of its data. */
const ZEROS = 9;

function isMember(bytes: Uint8Array, at: number): boolean {
  // The magic number, the method deflate, and flags of which the upper three are reserved.
  return bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && bytes[at + 3] < 32;
}

/** Where a member may end: at the end of all, before the next one, or before zeros at the end. */
function* possibleEnds(bytes: Uint8Array, start: number): Generator<number, void, void> {
  yield bytes.length;
  for (let at = start + 18; at < bytes.length; at++) if (isMember(bytes, at)) yield at;
  let end = bytes.length;
  while (end > start && bytes[end - 1] === 0) end--;
  for (let zeros = 0; zeros <= ZEROS && end + zeros < bytes.length; zeros++) yield end + zeros;
}

/** What one member holds; nothing if that is none. Raises a {@link DataError} beyond a limit. */
async function unpack(
  member: Uint8Array<ArrayBuffer>,
  limit: number,
  tooMuch: () => DataError,
): Promise<Uint8Array[] | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const stream = new Blob([member]).stream().pipeThrough(new DecompressionStream("gzip"));
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > limit) throw tooMuch();
      chunks.push(chunk);
    }
    return chunks;
  } catch (error) {
    if (error instanceof DataError) throw error;
    return undefined;
  }
}

/**
 * Unpacks gzip, which is told by its first bytes (1f 8b), also of several members or with zeros
 * behind it; other bytes come back as they are. Raises a `DataError` for a gzip that is cut off or
 * damaged, and for one that holds more than is wanted, of which no more is unpacked.
 *
 * @param bytes The whole file.
 * @param fileName What errors call it.
 * @param limit The most bytes that are wanted; any number unless told.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  fileName: string,
  limit = Infinity,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const name = printable(fileName, 300);
  const damaged = new DataError(
    `Cannot unpack ${name}: wanted a whole gzip file, found ${bytes.length} bytes that are cut off or damaged; download or pack it again`,
  );
  const tooMuch = () =>
    new DataError(`Cannot unpack ${name}: wanted at most ${limit} bytes, found more`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  let failed = 0;
  for (let start = 0; start < bytes.length;) {
    // Zeros that fill up the last block of a tape or a disk.
    if (start > 0 && bytes.subarray(start).every((byte) => byte === 0)) break;
    let next: number | undefined;
    for (const end of possibleEnds(bytes, start)) {
      const found = await unpack(bytes.subarray(start, end), limit - length, tooMuch);
      if (found) {
        chunks.push(...found);
        length += found.reduce((sum, chunk) => sum + chunk.length, 0);
        next = end;
        break;
      }
      if (++failed > MOST_TRIES + start / 18) throw damaged;
    }
    if (next === undefined) throw damaged;
    start = next;
  }
  const unpacked = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    unpacked.set(chunk, at);
    at += chunk.length;
  }
  return unpacked;
}
